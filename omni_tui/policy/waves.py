"""Waves: what may run side by side, and after what, for a whole backlog at once. In n log n of its points.

A task comes into the first wave after those of what it depends on in which nothing touches the same. Tasks are taken
in the order in which they start. Each touch point remembers which waves are taken there; a pattern is like a lock that
can be shared: those who touch a file that it covers share it, and whoever names it excludes them.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from omni_tui.errors import OmniError
from omni_tui.model.task import Status, Task, TaskRef
from omni_tui.model.touch import PointKind, TouchPoint
from omni_tui.policy.coverage import Coverage
from omni_tui.policy.lineup import Lineup, order
from omni_tui.policy.ties import Points

Resource = tuple[str, PointKind, str]
"""A point of a workspace."""


class CycleError(OmniError):
    """Tasks depend on each other in a circle."""

    code = "cycle"


class Bond(msgspec.Struct, frozen=True):
    """Why a task comes after another one, which shares a point with it."""

    after: TaskRef
    point: TouchPoint


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """A task in its wave."""

    task: Task
    wave: int
    """From 0."""
    bonds: tuple[Bond, ...] = ()
    """For each point of it the task that comes before it there."""
    needs: tuple[TaskRef, ...] = ()
    """What it depends on among the tasks that are placed."""
    stuck: str = ""
    """Why it will not start although its wave may come: what it depends on is blocked or not there."""


def waves(tasks: Sequence[Task], points: Mapping[TaskRef, Points], status_of: Mapping[TaskRef, Status]) -> list[Placed]:
    """Return every task with its wave, by wave and order. Raises `CycleError` that names each circle."""
    lineup = Lineup(tasks, status_of)
    require_no_cycle(lineup)
    table = Table(tasks, points)
    here = {task.ref: task for task in tasks}
    needs = {ref: tuple(need for need in lineup.dependencies.needs(ref) if need in here) for ref in here}
    dependents: dict[TaskRef, list[TaskRef]] = defaultdict(list)
    for ref, before in needs.items():
        for need in before:
            dependents[need].append(ref)
    left = {ref: len(before) for ref, before in needs.items()}
    earliest = dict.fromkeys(here, 0)
    ready = [(order(task), task) for task in tasks if not left[task.ref]]
    heapq.heapify(ready)
    placed: list[Placed] = []
    while ready:
        _, task = heapq.heappop(ready)
        ref = task.ref
        wave, bonds = table.place(task, earliest[ref])
        stuck = _stuck(lineup, task)
        placed.append(Placed(task=task, wave=wave, bonds=bonds, needs=needs[ref], stuck=stuck))
        for dependent in dependents[ref]:
            earliest[dependent] = max(earliest[dependent], wave + 1)
            left[dependent] -= 1
            if not left[dependent]:
                heapq.heappush(ready, (order(here[dependent]), here[dependent]))
    return sorted(placed, key=lambda each: (each.wave, order(each.task)))


def require_no_cycle(lineup: Lineup) -> None:
    """Raise `CycleError` where tasks wait for each other in a circle."""
    circles = lineup.dependencies.cycles
    if circles:
        words = "; ".join(" → ".join(map(str, (*circle, circle[0]))) for circle in circles)
        raise CycleError(f"tasks depend on each other: {words}", fix="take one out of `depends_on`")


def _stuck(lineup: Lineup, task: Task) -> str:
    hopeless = lineup.dependencies.hopeless(task)
    return f"{', '.join(map(str, hopeless))} blocked or not there" if hopeless else ""


class Table:
    """The points of all tasks, with the waves that are taken at each."""

    def __init__(self, tasks: Iterable[Task], points: Mapping[TaskRef, Points]) -> None:
        self._points = points
        self._used: dict[Resource, Waves] = defaultdict(Waves)
        self._shared: dict[Resource, Waves] = defaultdict(Waves)
        self._last: dict[Resource, TaskRef] = {}
        names: dict[str, set[str]] = defaultdict(set)
        for task in tasks:
            names[task.workspace].update(
                point.name for point in points.get(task.ref, ()) if point.kind is PointKind.PATH
            )
        self._coverage = {workspace: Coverage(paths) for workspace, paths in names.items()}

    def place(self, task: Task, earliest: int) -> tuple[int, tuple[Bond, ...]]:
        """Put a task into the first wave from `earliest` on in which nothing touches the same; say what was before."""
        claims = list(self._claims(task))
        taken = [self._used[resource] for _, resource, _ in claims]
        taken += [self._shared[resource] for _, resource, exclusive in claims if exclusive]
        wave = earliest
        while (later := max((waves.free_from(wave) for waves in taken), default=wave)) > wave:
            wave = later
        bonds: dict[TaskRef, Bond] = {}
        for point, resource, exclusive in claims:
            before = self._last.get(resource)
            if before is not None and exclusive and before not in bonds:
                bonds[before] = Bond(before, point)
            (self._used if exclusive else self._shared)[resource].take(wave)
            if exclusive or resource not in self._last:
                self._last[resource] = task.ref
        return wave, tuple(bonds.values())

    def _claims(self, task: Task) -> Iterable[tuple[TouchPoint, Resource, bool]]:
        """Yield what a task claims: its points for itself, and its share in the patterns that cover them."""
        for point in self._points.get(task.ref, ()):
            yield point, (task.workspace, point.kind, point.name), True
            if point.kind is PointKind.PATH:
                for pattern in self._coverage[task.workspace].over(point.name):
                    yield point, (task.workspace, PointKind.PATH, pattern), False


class Waves:
    """The waves that are taken at one point; the next free one is found in almost constant time (union-find)."""

    def __init__(self) -> None:
        self._next: dict[int, int] = {}

    def take(self, wave: int) -> None:
        """Take a wave."""
        self._next[wave] = wave + 1

    def free_from(self, wave: int) -> int:
        """Return the first wave from `wave` on that is free."""
        at = wave
        while at in self._next:
            at = self._next[at]
        while wave in self._next:  # whoever comes next shall not walk so far
            self._next[wave], wave = at, self._next[wave]
        return at
