"""Judges: each knows one reason for which a task may not start now, whatever room there is.

`policy.scheduling` asks them in turn, and the first that holds a task binds it. What a task that starts changes for
those behind it, `begin` notes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from omni_tui.model.course import Course
from omni_tui.model.task import Task, TaskRef
from omni_tui.policy.dependencies import Dependencies, Unmet, UnmetKind
from omni_tui.policy.holds import Hold, HoldKind
from omni_tui.policy.signs import shows


class Judge(Protocol):
    """Judges one side of whether a task may start."""

    def hold(self, task: Task) -> Hold | None:
        """Return what holds a task; None: nothing that this judge knows of."""
        ...

    def begin(self, task: Task) -> None:
        """Note that a task starts now."""
        ...


class Stateless:
    """A judge whom no start concerns."""

    def begin(self, task: Task) -> None:
        """Note nothing."""


class Ending(Stateless):
    """Holds what still runs: its last attempt is being ended."""

    def __init__(self, running: Collection[TaskRef]) -> None:
        self._running = running

    def hold(self, task: Task) -> Hold | None:
        """Return the hold of a task that runs."""
        if task.ref not in self._running:
            return None
        return Hold(kind=HoldKind.RUNNING, message="its last attempt is still being ended")


class Needs(Stateless):
    """Holds what depends on tasks that have not landed."""

    def __init__(self, dependencies: Dependencies, ends: Mapping[TaskRef, str] = {}) -> None:
        """Take what waits for what, and for some tasks what their way of dependencies ends at."""
        self._dependencies = dependencies
        self._ends = ends

    def hold(self, task: Task) -> Hold | None:
        """Return which dependencies hold a task."""
        unmet = self._dependencies.unmet(task) if task.depends_on else None
        return _dependency_hold(unmet, self._ends.get(task.ref, "")) if unmet is not None else None


class Pauses(Stateless):
    """Holds what would fail for a cause that is known already."""

    def __init__(self, course: Course) -> None:
        self._course = course

    def hold(self, task: Task) -> Hold | None:
        """Return the cause that holds a task."""
        reason = _pause_of(task, self._course)
        return Hold(kind=HoldKind.PAUSED, message=reason) if reason else None


class Delays(Stateless):
    """Holds what waits before its next attempt."""

    def __init__(self, not_before: Mapping[TaskRef, float], now: float) -> None:
        self._not_before = not_before
        self._now = now

    def hold(self, task: Task) -> Hold | None:
        """Return until when a task waits."""
        until = self._not_before.get(task.ref)
        if until is None or until <= self._now:
            return None
        return Hold(kind=HoldKind.DELAYED, message="waits before its next attempt", until=until)


def _pause_of(task: Task, course: Course) -> str:
    """Return why a task would fail for a cause that is known already; empty: none is known."""
    if task.workspace in course.broken:
        return course.broken[task.workspace]
    for cause in course.causes:
        if cause.workspace == task.workspace and (task.id in cause.tasks or shows(task, (cause.sign,))):
            others = ", ".join(each for each in cause.tasks if each != task.id)
            return f"shares a cause with {others}: {cause.sign}"
    return ""


def _dependency_hold(unmet: Unmet, end: str) -> Hold:
    names = ", ".join(str(ref) for ref in unmet.refs)
    be = "is" if len(unmet.refs) == 1 else "are"
    match unmet.kind:
        case UnmetKind.CYCLE:
            circle = " → ".join([*map(str, unmet.refs), *(["…"] if unmet.more else []), str(unmet.refs[0])])
            return Hold(kind=HoldKind.CYCLE, message=f"depends on itself: {circle}")
        case UnmetKind.MISSING:
            return Hold(kind=HoldKind.DEPENDENCY_MISSING, message=f"depends on {names}, which {be} not there")
        case UnmetKind.BLOCKED:
            remedy = f"by `omni-tui redispatch {unmet.refs[0]}`, and once that lands"
            words = f"depends on {names}, which {be} blocked"
            return Hold(kind=HoldKind.DEPENDENCY_BLOCKED, message=words, remedy=remedy)
        case UnmetKind.OPEN:
            in_the_end = f"; in the end {end}" if end else ""
            lands = "lands" if len(unmet.refs) == 1 else "land"
            return Hold(
                kind=HoldKind.DEPENDENCY, message=f"waits for {names}{in_the_end}", remedy=f"once {names} {lands}"
            )
