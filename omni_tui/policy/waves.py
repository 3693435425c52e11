"""Waves: what may run side by side, and after what, for a whole backlog at once. In n log n of its points.

A task comes into the first wave after those of what it depends on in which nothing touches the same. Tasks are taken
in the order in which they start. Each touch point remembers which waves are taken there; a pattern is like a lock that
can be shared: those who touch a file that it covers share it, and whoever names it excludes them.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from omni_tui.errors import OmniError
from omni_tui.model.frozen import FrozenPlan
from omni_tui.model.task import Status, Task, TaskRef
from omni_tui.policy.bonds import Bond, bind
from omni_tui.policy.lineup import Lineup, order
from omni_tui.policy.planned import wave_of
from omni_tui.policy.resources import Resource, Resources
from omni_tui.policy.ties import Points


class CycleError(OmniError):
    """Tasks depend on each other in a circle."""

    code = "cycle"


_Spot = tuple[int, tuple[int, float, str, str], Task]
"""A task with its wave and its place in the order."""


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
    require_no_cycle(lineup)
    resources = Resources(tasks, points)
    table = Table(resources)
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
    placed: list[_Spot] = []
    while ready:
        at, task = heapq.heappop(ready)
        wave = table.place(task.ref, earliest[task.ref])
        placed.append((wave, at, task))
        for dependent in dependents[task.ref]:
            earliest[dependent] = max(earliest[dependent], wave + 1)
            left[dependent] -= 1
            if not left[dependent]:
                heapq.heappush(ready, (order(here[dependent]), here[dependent]))
    placed = sorted(_frozen(placed, plans), key=lambda each: each[:2])
    bonds = bind([task for _, _, task in placed], resources)
    return [
        Placed(task=task, wave=wave, bonds=tied, needs=needs[task.ref], stuck=_stuck(lineup, task))
        for (wave, _, task), tied in zip(placed, bonds, strict=True)
    ]


def _frozen(placed: Iterable[_Spot], plans: Mapping[str, FrozenPlan]) -> Iterator[_Spot]:
    """Give each task its wave of a frozen plan, where there is one."""
    said = wave_of(plans)
    for wave, at, task in placed:
        plan = plans.get(task.workspace, FrozenPlan())
        yield said.get(task.ref, wave + len(plan.waves)), at, task


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
    """The waves that are taken at each resource."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._alone: dict[Resource, Waves] = defaultdict(Waves)
        self._shared: dict[Resource, Waves] = defaultdict(Waves)

    def place(self, ref: TaskRef, earliest: int) -> int:
        """Put a task into the first wave from `earliest` on in which nothing touches the same; return which."""
        claimed = self._resources.of(ref)
        taken = [self._alone[each.resource] for each in claimed if each.resource in self._alone]
        taken += [self._shared[each.resource] for each in claimed if each.alone and each.resource in self._shared]
        wave = earliest
        while (later := max((waves.free_from(wave) for waves in taken), default=wave)) > wave:
            wave = later
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
