"""Resources: what a task claims by its touch points, so that two tasks are tied exactly where they claim one thing.

Each point is claimed for itself alone. A path that a pattern or a directory of another task covers has a share in that
pattern as well: whoever names the pattern excludes those who share it, and they do not exclude each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from omni_tui.model.task import Task, TaskRef
from omni_tui.model.touch import PointKind, TouchPoint
from omni_tui.policy.coverage import Coverage
from omni_tui.policy.ties import Points

Resource = int
"""Stands for a point of a workspace: a number is looked up faster than the three words that it is for."""
Place = int
"""Stands for a task: where it is among those that were given."""


class Claimed(msgspec.Struct, frozen=True, gc=False):
    """What a task claims by one of its points."""

    point: TouchPoint
    resource: Resource
    alone: bool
    """Nobody else may have it at the same time; else it is a share."""


class Resources:
    """Knows what each of a backlog's tasks claims."""

    def __init__(self, tasks: Sequence[Task], points: Mapping[TaskRef, Points]) -> None:
        names: dict[str, set[str]] = defaultdict(set)
        for task in tasks:
            names[task.workspace].update(
                point.name for point in points.get(task.ref, ()) if point.kind is PointKind.PATH
            )
        self._numbers: dict[tuple[str, PointKind, str], Resource] = {}
        self._coverage = {workspace: Coverage(paths) for workspace, paths in names.items()}
        self._claimed = [list(self._claim(task, points.get(task.ref, ()))) for task in tasks]

    def of(self, place: Place) -> Sequence[Claimed]:
        """Return what a task claims."""
        return self._claimed[place]

    def _claim(self, task: Task, points: Points) -> Iterable[Claimed]:
        workspace, coverage = task.workspace, self._coverage[task.workspace]
        for point in points:
            yield Claimed(point, self._number(workspace, point.kind, point.name), alone=True)
            if point.kind is PointKind.PATH:
                for pattern in coverage.over(point.name):
                    yield Claimed(point, self._number(workspace, PointKind.PATH, pattern), alone=False)

    def _number(self, *words: *tuple[str, PointKind, str]) -> Resource:
        return self._numbers.setdefault(words, len(self._numbers))
