"""Serving: whether a provider can take a task now."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from omni_tui.model.course import Course
from omni_tui.model.task import Task, TaskRef
from omni_tui.policy.holds import UNTIL_THAWED, Hold, HoldKind
from omni_tui.policy.parking import may_probe


class Serving:
    """Knows who serves: a parked provider serves nobody, and one attempt alone once its pause is over."""

    def __init__(
        self,
        course: Course,
        now: float,
        providers: Mapping[TaskRef, Collection[str]],
        running: Collection[TaskRef] | None = None,
    ) -> None:
        """Take who could serve each task (one that is not named has no such limits), and what runs where it is known.

        An attempt whose end a crash kept from the journal tries nothing.
        """
        there = None if running is None else set(map(str, running))
        attempts = course.providers.items()
        self._parked = course.parked
        self._busy = {name for attempt, name in attempts if there is None or attempt.rpartition("#")[0] in there}
        self._now = now
        self._providers = providers

    def hold(self, task: Task) -> Hold | None:
        """Return what holds a task whose providers are all parked."""
        candidates = self._providers.get(task.ref)
        if not candidates or any(self._serves(name) for name in candidates):
            return None
        parked = {name: self._parked[name] for name in candidates}
        again = [each.until for each in parked.values() if each.until is not None]
        words = "; ".join(f"{name}: {each.reason}" for name, each in sorted(parked.items()))
        if any(at <= self._now for at in again):
            return Hold(kind=HoldKind.PARKED, message=f"{words}; one attempt tries whether it serves again")
        mend = "" if again else UNTIL_THAWED
        return Hold(kind=HoldKind.PARKED, message=words + mend, until=min(again, default=None))

    def begin(self, task: Task) -> None:
        """Note that a task starts: an open provider serves it before one that is only tried."""
        serving = [name for name in self._providers.get(task.ref, ()) if self._serves(name)]
        if serving and all(name in self._parked for name in serving):
            self._busy.add(serving[0])

    def _serves(self, name: str) -> bool:
        parked = self._parked.get(name)
        return parked is None or (may_probe(parked, self._now) and name not in self._busy)
