"""Braking: whether a freeze or a throttle keeps a task from starting, being merged or going on.

`frozen_by` is the one answer to "may this start, may this be merged?": every path to either asks it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from omni_tui.model.brakes import Brakes, Freeze, Throttle
from omni_tui.model.course import Course
from omni_tui.model.task import Task, TaskRef
from omni_tui.policy.holds import Hold, HoldKind


def frozen_by(brakes: Brakes, workspace: str, providers: Collection[str]) -> Freeze | None:
    """Return the freeze that keeps what is done for a workspace from starting and from being merged; None: nothing.

    `providers` could serve it, or serve it already: it is frozen once all of them are.
    """
    frozen = [freeze for freeze in brakes.freezes if freeze.scope.holds(workspace, freeze.scope.provider)]
    for freeze in frozen:
        if not freeze.scope.provider:
            return freeze
    of = {freeze.scope.provider: freeze for freeze in frozen}
    if providers and all(name in of for name in providers):
        return of[min(providers)]
    return None


def frozen_hold(brakes: Brakes, workspace: str, providers: Collection[str]) -> Hold | None:
    """Return what `frozen_by` says as a hold."""
    freeze = frozen_by(brakes, workspace, providers)
    if freeze is None:
        return None
    return Hold(kind=HoldKind.FROZEN, message=str(freeze), remedy=f"by `omni-tui thaw{freeze.scope.option}`")


def is_suspended(brakes: Brakes, workspace: str, provider: str) -> bool:
    """Whether an agent that runs is to stand still."""
    return any(freeze.hard and freeze.scope.holds(workspace, provider) for freeze in brakes.freezes)


def unfrozen(brakes: Brakes, providers: Iterable[str]) -> frozenset[str]:
    """Return the providers that are not frozen."""
    frozen = {freeze.scope.provider for freeze in brakes.freezes}
    return frozenset(name for name in providers if name not in frozen)


class Braked:
    """A judge: holds what a part's freeze or throttle keeps back. The fleet's own are a matter of room."""

    def __init__(
        self,
        brakes: Brakes,
        course: Course,
        running: Collection[TaskRef],
        providers: Mapping[TaskRef, Collection[str]],
    ) -> None:
        """Take what runs, and who could serve each task; who serves what runs is known to the course."""
        self._parts = Brakes(
            freezes=tuple(freeze for freeze in brakes.freezes if not freeze.scope.is_fleet),
            throttles=tuple(throttle for throttle in brakes.throttles if not throttle.scope.is_fleet),
        )
        self._providers = providers
        there = {str(ref) for ref in running}
        self._workspaces = Counter(ref.workspace for ref in running)
        self._served = Counter(
            name for attempt, name in course.providers.items() if attempt.rpartition("#")[0] in there
        )

    def hold(self, task: Task) -> Hold | None:
        """Return which part's brake holds a task."""
        candidates = self._providers.get(task.ref, ())
        hold = frozen_hold(self._parts, task.workspace, candidates)
        if hold is not None:
            return hold
        open_ = unfrozen(self._parts, candidates)
        full = set()
        for throttle in self._parts.throttles:
            scope = throttle.scope
            if scope.workspace == task.workspace and self._workspaces[task.workspace] >= throttle.most:
                return _throttled(throttle)
            if scope.provider in open_ and self._served[scope.provider] >= throttle.most:
                full.add(scope.provider)
                if full == open_:
                    return _throttled(throttle)
        return None

    def begin(self, task: Task) -> None:
        """Note that a task starts; where several providers could serve it, each may be the one."""
        self._workspaces[task.workspace] += 1
        self._served.update(unfrozen(self._parts, self._providers.get(task.ref, ())))


def _throttled(throttle: Throttle) -> Hold:
    remedy = f"once a task of {throttle.scope} ends, or by `omni-tui throttle off{throttle.scope.option}`"
    return Hold(kind=HoldKind.THROTTLED, message=str(throttle), remedy=remedy)
