"""The intake: which tasks wait and where the others are, kept from what changed, never from a full re-read."""

from __future__ import annotations

import asyncio

from omni_tui.engine.services import Services
from omni_tui.engine.workplace import Workplace
from omni_tui.model.task import Status, Task, TaskRef

SETTLED = (Status.DOING, Status.DONE, Status.BLOCKED)


class Intake:
    """One workplace's tasks. `changed` is set by whoever sees that its folders changed."""

    def __init__(self, place: Workplace, services: Services) -> None:
        self.changed = asyncio.Event()
        self.changed.set()
        self.look_again_at: float | None = None
        """When a file that is still being written should be looked at once more, UTC seconds."""
        self.waiting: tuple[Task, ...] = ()
        self.settled: dict[TaskRef, Status] = {}
        self._place = place
        self._services = services

    def take(self, task: Task) -> None:
        """Note that a task was claimed, before its folders are looked at again."""
        self.waiting = tuple(each for each in self.waiting if each is not task)
        self.settled[task.ref] = Status.DOING

    async def refresh(self) -> None:
        """Look again, if anything changed: take what waits, refuse what is no task."""
        due = self.look_again_at is not None and self.look_again_at <= self._services.clock.now()
        if not (self.changed.is_set() or due):
            return
        self.changed.clear()
        place = self._place
        self.settled = {
            TaskRef(place.name, task_id): status for status in SETTLED for task_id in place.queue.ids(status)
        }
        intake = await place.tracker.fetch()
        self.look_again_at = intake.look_again_at
        for refusal in intake.refused:
            if place.queue.refuse(refusal.path, refusal.reason) is not None:
                self._services.record(
                    "task.refused", workspace=place.name, file=refusal.path.name, error=refusal.reason
                )
        self.waiting = tuple(intake.tasks)
