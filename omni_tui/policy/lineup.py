"""The lineup: the waiting tasks in the order in which they start, kept from one decision to the next.

What a change costs is in proportion to what has changed, but for a look whether each task is still the same one.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence

from omni_tui.model.task import Status, Task, TaskRef
from omni_tui.policy.dependencies import Dependencies


def order(task: Task) -> tuple[int, float, str, str]:
    """Return what tasks are sorted by: higher priority first, then the older, then by id."""
    return (-task.priority, task.created_at, task.id, task.workspace)


class Lineup:
    """Waiting tasks, sorted, and what they depend on."""

    def __init__(self, waiting: Sequence[Task] = (), status_of: Mapping[TaskRef, Status] | None = None) -> None:
        self.tasks: list[Task] = []
        self.dependencies = Dependencies((), {})
        self.flagged: dict[TaskRef, Task] = {}
        """Those that require a feature flag."""
        self._known: dict[int, Task] = {}
        self.update(waiting, status_of or {})

    def update(self, waiting: Sequence[Task], status_of: Mapping[TaskRef, Status]) -> None:
        """Take in which tasks wait now, and where the others are. A task that is unchanged is the same object."""
        gone = [self._known.pop(key) for key in set(self._known).difference(map(id, waiting))]
        come = [task for task in waiting if id(task) not in self._known]
        self._known.update((id(task), task) for task in come)
        if len(gone) + len(come) > len(self.tasks) // 8:
            self.tasks = sorted(waiting, key=order)
        else:
            for task in gone:
                del self.tasks[bisect_left(self.tasks, order(task), key=order)]
            for task in come:
                insort(self.tasks, task, key=order)
        for task in gone:
            self.flagged.pop(task.ref, None)
        self.flagged |= {task.ref: task for task in come if task.requires_flags}
        self.dependencies.update(gone, come, status_of)
