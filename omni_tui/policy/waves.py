"""Waves: what may run side by side, and after what, for a whole backlog at once. In n log n of its points.

A task comes into the first wave after those of what it depends on in which nothing touches the same. Tasks are taken
in the order in which they start. Each touch point remembers which waves are taken there; a pattern is like a lock that
can be shared: those who touch a file that it covers share it, and whoever names it excludes them.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from omni_tui.errors import OmniError
from omni_tui.model.frozen import FrozenPlan
from omni_tui.model.task import Status, Task, TaskRef
from omni_tui.policy.bonds import Bond, bind
from omni_tui.policy.lineup import Lineup
from omni_tui.policy.planned import wave_of
from omni_tui.policy.resources import Place, Resource, Resources
from omni_tui.policy.ties import Points


class CycleError(OmniError):
    """Tasks depend on each other in a circle."""

    code = "cycle"


class Placed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A task in its wave."""

    task: Task
    wave: int
    """From 0."""
    bonds: tuple[Bond, ...] = ()
    """For each point of it who comes before it there."""
    needs: tuple[TaskRef, ...] = ()
    """What it depends on among the tasks that are placed."""
    stuck: str = ""
    """Why it will not start although its wave may come: what it depends on is blocked or not there."""


def waves(
    tasks: Sequence[Task],
    points: Mapping[TaskRef, Points],
    status_of: Mapping[TaskRef, Status],
    plans: Mapping[str, FrozenPlan] = {},
) -> list[Placed]:
    """Return every task with its wave, by wave and order. Raises `CycleError` that names each circle.

    What a frozen plan of `plans`, by workspace, names is in the wave that this says; what it does not, comes after it.
    """
    lineup = Lineup(tasks, status_of)
    require_no_cycle(lineup.dependencies.cycles)
    ordered = lineup.tasks
    needs, resources = _needs(lineup), Resources(ordered, points)
    wave_of = list(_frozen(ordered, _assign(needs, resources), plans))
    places = sorted(range(len(ordered)), key=wave_of.__getitem__)
    return [
        Placed(
            task=ordered[place],
            wave=wave_of[place],
            bonds=bonds,
            needs=tuple(ordered[need].ref for need in needs[place]),
            stuck=_stuck(lineup, ordered[place]),
        )
        for place, bonds in zip(places, bind(places, ordered, resources), strict=True)
    ]


def _needs(lineup: Lineup) -> list[Sequence[Place]]:
    """Return, for each task of the lineup, the places in it of those that it depends on."""
    place_of = {task.ref: place for place, task in enumerate(lineup.tasks)}
    needs = lineup.dependencies.needs
    return [
        [place_of[need] for need in needs(task.ref) if need in place_of] if task.depends_on else ()
        for task in lineup.tasks
    ]


def _assign(needs: Sequence[Sequence[Place]], resources: Resources) -> list[int]:
    """Return the wave of each task, by its place: tasks are taken in order, once those that they need have been."""
    table = Table(resources)
    dependents: dict[Place, list[Place]] = defaultdict(list)
    for place, before in enumerate(needs):
        for need in before:
            dependents[need].append(place)
    left = [len(before) for before in needs]
    wave_of = [0] * len(needs)
    """The earliest that what it needs allows; once a task is taken, the one that it got."""
    ready = [place for place, count in enumerate(left) if not count]  # a heap: it is sorted
    while ready:
        place = heapq.heappop(ready)
        wave_of[place] = table.place(place, wave_of[place])
        for dependent in dependents.get(place, ()):
            wave_of[dependent] = max(wave_of[dependent], wave_of[place] + 1)
            left[dependent] -= 1
            if not left[dependent]:
                heapq.heappush(ready, dependent)
    return wave_of


def _frozen(tasks: Sequence[Task], waves: Sequence[int], plans: Mapping[str, FrozenPlan]) -> Iterator[int]:
    """Give each task its wave of a frozen plan, where there is one; what that does not name comes close after it."""
    said = wave_of(plans)
    after: dict[str, set[int]] = defaultdict(set)
    for task, wave in zip(tasks, waves, strict=True):
        if task.ref not in said:
            after[task.workspace].add(wave)
    later = {
        (workspace, wave): number
        for workspace, found in after.items()
        if workspace in plans and plans[workspace].waves
        for number, wave in enumerate(sorted(found), len(plans[workspace].waves))
    }
    for task, wave in zip(tasks, waves, strict=True):
        yield said.get(task.ref, later.get((task.workspace, wave), wave))


def require_no_cycle(circles: Sequence[Sequence[TaskRef]]) -> None:
    """Raise `CycleError` that names the circles in which tasks wait for each other, where there are any."""
    if circles:
        words = "; ".join(" → ".join(map(str, (*circle, circle[0]))) for circle in circles)
        raise CycleError(f"tasks depend on each other: {words}", fix="take one out of `depends_on`")


def _stuck(lineup: Lineup, task: Task) -> str:
    hopeless = lineup.dependencies.hopeless(task) if task.depends_on else ()
    return f"{', '.join(map(str, hopeless))} blocked or not there" if hopeless else ""


class Table:
    """The waves that are taken at each resource."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._alone: dict[Resource, Waves] = defaultdict(Waves)
        self._shared: dict[Resource, Waves] = defaultdict(Waves)

    def place(self, place: Place, earliest: int) -> int:
        """Put a task into the first wave from `earliest` on in which nothing touches the same; return which."""
        claimed = self._resources.of(place)
        taken = [self._alone[each.resource] for each in claimed if each.resource in self._alone]
        taken += [self._shared[each.resource] for each in claimed if each.alone and each.resource in self._shared]
        wave, before = earliest, -1
        while wave != before:
            before = wave
            for waves in taken:
                wave = waves.free_from(wave)
        for each in claimed:
            (self._alone if each.alone else self._shared)[each.resource].take(wave)
        return wave


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
