"""The judge of what runs side by side: tasks that share a touch point do not."""

from __future__ import annotations

from collections import defaultdict

from omni_tui.model.task import Task, TaskRef
from omni_tui.policy.backlog import Backlog, Capacity
from omni_tui.policy.holds import Hold, HoldKind
from omni_tui.policy.planned import wave_of
from omni_tui.policy.ties import Taken


class Apart:
    """Holds what touches the same as something that runs; beside others, where asked, what nobody knows anything of.

    Tasks of different workspaces never meet. Two that a frozen plan has in one wave may run side by side: a person
    said so.
    """

    def __init__(self, backlog: Backlog, capacity: Capacity) -> None:
        self._points = backlog.points
        self._changed = backlog.changed
        self._capacity = capacity
        self._waves = wave_of(backlog.plans)
        self._running: dict[str, list[TaskRef]] = defaultdict(list)
        self._taken: dict[str, Taken] = defaultdict(Taken)
        for ref in sorted(backlog.running):
            self._take(ref)

    def begin(self, task: Task) -> None:
        """Note what a task that starts now touches."""
        self._take(task.ref)

    def hold(self, task: Task) -> Hold | None:
        """Return which running task a task is tied to, and by what."""
        beside = self._running.get(task.workspace)
        if not beside:
            return None
        points = self._points.get(task.ref)
        if points is None and self._capacity.now < self._capacity.look_until:
            return Hold(
                kind=HoldKind.TOUCH, message="what it will touch is being looked up", until=self._capacity.look_until
            )
        agreed = self._agreed(task.ref, beside)
        name, tie = self._taken[task.workspace].tie(points or (), besides=agreed)
        if tie is not None:
            words = f"touches {tie} ({tie.mine.evidence}), as does {name}, which runs ({tie.theirs.evidence})"
            return Hold(kind=HoldKind.TOUCH, message=words, remedy=f"once {name} has ended")
        return self._unproven(task.ref, [ref for ref in beside if str(ref) not in agreed])

    def _agreed(self, ref: TaskRef, beside: list[TaskRef]) -> list[str]:
        wave = self._waves.get(ref)
        return [] if wave is None else [str(other) for other in beside if self._waves.get(other) == wave]

    def _unproven(self, ref: TaskRef, beside: list[TaskRef]) -> Hold | None:
        """Hold a task that nothing is known of, or that would run beside one, where only what is proved may."""
        if not self._capacity.proven or not beside:
            return None
        unknown = [other for other in beside if not self._points.get(other)]
        if not self._points.get(ref):
            words = f"nothing tells what it will touch, so it does not run beside {beside[0]}"
            remedy = f"by naming it in `touches`, or once {beside[0]} has ended"
        elif unknown:
            words = f"nothing tells what {unknown[0]} touches, so nothing runs beside it"
            remedy = f"once {unknown[0]} has ended"
        else:
            return None
        return Hold(kind=HoldKind.TOUCH, message=words, remedy=remedy)

    def _take(self, ref: TaskRef) -> None:
        self._running[ref.workspace].append(ref)
        self._taken[ref.workspace].add(str(ref), (*self._changed.get(ref, ()), *(self._points.get(ref) or ())))
