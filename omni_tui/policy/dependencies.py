"""Dependencies: what a task still waits for, and which tasks wait for each other in a circle."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import chain, islice

import msgspec

from omni_tui.model.task import Status, Task, TaskRef


class UnmetKind(StrEnum):
    """How a dependency fails to be met; in the order in which they bind."""

    CYCLE = "cycle"
    MISSING = "missing"
    BLOCKED = "blocked"
    OPEN = "open"
    """Waiting or running: it can still be done."""


class Unmet(msgspec.Struct, frozen=True):
    """The dependencies of one task that bind; for a cycle, its first members in order, beginning with the task."""

    kind: UnmetKind
    refs: tuple[TaskRef, ...]
    more: bool = False
    """The cycle is longer than `refs`."""


NAMED = 6
"""How many members of a cycle are named."""


def parse_ref(text: str, workspace: str) -> TaskRef:
    """Read an entry of `depends_on`: `id` in the same workspace, or `workspace/id`."""
    before, slash, after = text.strip().rpartition("/")
    return TaskRef(before if slash else workspace, after)


class Dependencies:
    """Answers what each waiting task still waits for. A dependency is met when it is in `done/`."""

    def __init__(self, waiting: Sequence[Task], status_of: Mapping[TaskRef, Status]) -> None:
        self._status_of: Mapping[TaskRef, Status] = {}
        self._waiting: dict[TaskRef, Task] = {}
        self._needs: dict[TaskRef, list[TaskRef]] = {}
        self._dependents: dict[TaskRef, set[TaskRef]] = defaultdict(set)
        """Which waiting tasks depend on each."""
        self._cycle_of: dict[TaskRef, tuple[tuple[TaskRef, ...], int]] = {}
        self.update((), waiting, status_of)

    def update(self, gone: Iterable[Task], come: Sequence[Task], status_of: Mapping[TaskRef, Status]) -> None:
        """Take in which tasks wait no longer, which do now, and where those are that do not wait.

        Only a task that others depend on and that depends on others can close a circle, or open one by going.
        """
        self._status_of = status_of
        circular = False
        for task in gone:
            ref = task.ref
            del self._waiting[ref]
            for need in self._needs.pop(ref, ()):
                self._dependents[need].discard(ref)
            circular = circular or ref in self._cycle_of
        for task in come:
            self._waiting[task.ref] = task
            if task.depends_on:
                self._needs[task.ref] = _depends_on(task)
                for need in self._needs[task.ref]:
                    self._dependents[need].add(task.ref)
        if circular or any(task.depends_on and self._dependents.get(task.ref) for task in come):
            graph = {ref: [need for need in needs if need in self._waiting] for ref, needs in self._needs.items()}
            self._cycle_of = _cycles(graph)

    @property
    def cycles(self) -> list[tuple[TaskRef, ...]]:
        """The circles of tasks that wait for each other, each once."""
        return list(dict.fromkeys(members for members, _ in self._cycle_of.values()))

    def needs(self, ref: TaskRef) -> Sequence[TaskRef]:
        """Return what a waiting task depends on, whatever became of that."""
        return self._needs.get(ref, ())

    def behind(self, roots: Iterable[TaskRef]) -> Mapping[TaskRef, TaskRef]:
        """Return the waiting tasks that come after the `roots`, each with the first of them that it waits for.

        A root that comes after another one is not among them.
        """
        first = sorted(roots)
        ends = {root: root for root in first}
        following = deque(first)
        while following:
            ref = following.popleft()
            for dependent in sorted(self._dependents.get(ref, ())):
                if dependent not in ends:
                    ends[dependent] = ends[ref]
                    following.append(dependent)
        for root in first:
            del ends[root]
        return ends

    def hopeless(self, task: Task) -> Sequence[TaskRef]:
        """Return what a task depends on that is blocked or not there."""
        lost = (UnmetKind.MISSING, UnmetKind.BLOCKED)
        return [ref for ref in self.needs(task.ref) if self._kind(ref) in lost]

    def unmet(self, task: Task) -> Unmet | None:
        """Return what binds `task`, the hopeless before the merely open; None: nothing, it may start."""
        cycle = self._cycle_of.get(task.ref)
        if cycle is not None:
            members, at = cycle
            named = islice(chain(islice(members, at, None), members), min(NAMED, len(members)))
            return Unmet(UnmetKind.CYCLE, tuple(named), more=len(members) > NAMED)
        found: dict[UnmetKind, list[TaskRef]] = defaultdict(list)
        for ref in _depends_on(task):
            kind = self._kind(ref)
            if kind is not None:
                found[kind].append(ref)
        return next((Unmet(kind, tuple(found[kind])) for kind in UnmetKind if kind in found), None)

    def _kind(self, ref: TaskRef) -> UnmetKind | None:
        if ref in self._waiting:
            return UnmetKind.OPEN
        match self._status_of.get(ref):
            case Status.DONE:
                return None
            case Status.BLOCKED:
                return UnmetKind.BLOCKED
            case None:
                return UnmetKind.MISSING
            case _:
                return UnmetKind.OPEN


def _depends_on(task: Task) -> list[TaskRef]:
    return list(dict.fromkeys(parse_ref(text, task.workspace) for text in task.depends_on))


def _cycles(graph: Mapping[TaskRef, Sequence[TaskRef]]) -> dict[TaskRef, tuple[tuple[TaskRef, ...], int]]:
    """Return, for each member of a cycle, that cycle and its place in it. In time linear in the graph.

    Where cycles overlap one of them is found; the rest then waits for a member of it, which is what they are told.
    """
    stuck = _peel(graph)
    following = {ref: next(dep for dep in graph[ref] if dep in stuck) for ref in sorted(stuck)}
    cycles: dict[TaskRef, tuple[tuple[TaskRef, ...], int]] = {}
    seen: set[TaskRef] = set()
    for first in following:
        walk: dict[TaskRef, int] = {}
        ref = first
        while ref not in seen:
            seen.add(ref)
            walk[ref] = len(walk)
            ref = following[ref]
        if ref in walk:
            cycle = tuple(walk)[walk[ref] :]
            cycles.update((member, (cycle, at)) for at, member in enumerate(cycle))
    return cycles


def _peel(graph: Mapping[TaskRef, Sequence[TaskRef]]) -> set[TaskRef]:
    """Return the tasks that are left when those that wait for nothing are taken away, again and again."""
    dependents: dict[TaskRef, list[TaskRef]] = defaultdict(list)
    left = dict.fromkeys(graph, 0)
    for ref, needs in graph.items():
        for need in needs:
            if need in graph:
                left[ref] += 1
                dependents[need].append(ref)
    free = [ref for ref, count in left.items() if not count]
    while free:
        for dependent in dependents[free.pop()]:
            left[dependent] -= 1
            if not left[dependent]:
                free.append(dependent)
    return {ref for ref, count in left.items() if count}
