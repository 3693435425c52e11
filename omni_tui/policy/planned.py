"""The judge of frozen plans: a wave starts once nothing of the waves before it can still be done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from omni_tui.model.frozen import FrozenPlan
from omni_tui.model.task import Status, Task, TaskRef
from omni_tui.policy.backlog import Backlog
from omni_tui.policy.holds import Hold, HoldKind
from omni_tui.policy.judges import Stateless
from omni_tui.policy.lineup import Lineup


def wave_of(plans: Mapping[str, FrozenPlan]) -> Mapping[TaskRef, int]:
    """Return the wave of each task that is in a frozen plan, from 0; the first that names it counts."""
    found: dict[TaskRef, int] = {}
    for workspace, plan in plans.items():
        for number, wave in enumerate(plan.waves):
            for task_id in wave:
                found.setdefault(TaskRef(workspace, task_id), number)
    return found


class Planned(Stateless):
    """Holds what is in a later wave of its workspace's frozen plan than the one that is at hand, or in none."""

    def __init__(self, backlog: Backlog, lineup: Lineup) -> None:
        self._plans = backlog.plans
        self._waves = wave_of(backlog.plans)
        self._at: dict[str, tuple[int, TaskRef]] = {}
        """For each workspace its first wave with something to do, and a task of that."""
        if not backlog.plans:
            return
        open_tasks = (ref for ref, status in backlog.status_of.items() if status is Status.DOING)
        # What waits for other tasks holds no wave: where a person put those into a later one, nothing would ever start.
        ready = (task.ref for task in lineup.tasks if lineup.dependencies.unmet(task) is None)
        for ref in self._named((*ready, *backlog.running, *open_tasks)):
            before = self._at.get(ref.workspace)
            if before is None or self._waves[ref] < before[0]:
                self._at[ref.workspace] = (self._waves[ref], ref)

    def _named(self, refs: Iterable[TaskRef]) -> Iterable[TaskRef]:
        return (ref for ref in refs if ref in self._waves)

    def hold(self, task: Task) -> Hold | None:
        """Return the wave that a task waits for."""
        at = self._at.get(task.workspace)
        mine = self._waves.get(task.ref)
        if at is None or (mine is not None and mine <= at[0]):
            return None
        where = f"is in wave {mine + 1} of the frozen plan" if mine is not None else "is not in the frozen plan"
        return Hold(kind=HoldKind.PLAN, message=f"{where}, whose wave {at[0] + 1} is at hand: it waits for {at[1]}")
