"""Putting away: what is done with a task once its delivery has ended, in an order that a crash cannot spoil."""

from __future__ import annotations

from omni_tui.engine.deliver import Ending
from omni_tui.engine.prompt import blocked_note
from omni_tui.engine.services import Services
from omni_tui.engine.workplace import Workplace
from omni_tui.errors import OmniError, ScmError
from omni_tui.model.failure import Failure, FailureKind
from omni_tui.model.lifecycle import Occasion
from omni_tui.model.task import Status, Task
from omni_tui.plugins.notifier.protocol import Urgency
from omni_tui.plugins.scm.protocol import Merge
from omni_tui.plugins.tracker.protocol import Outcome


class PutAway:
    """Moves an ended task's file, tells its tracker and, where a person must look, a person."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def landed(self, task: Task, place: Workplace, merge: Merge) -> None:
        """Put away a task whose change is on the release branch: done, told, pushed."""
        place.queue.move(task.id, Status.DOING, Occasion.LANDED)
        self._services.record("task.landed", task.ref, commit=merge.commit, release=place.settings.release)
        await place.tracker.tell(
            task, Outcome(landed=True, message=f"landed on {place.settings.release}", commit=merge.commit)
        )
        await self._push(place)

    async def _push(self, place: Workplace) -> None:
        if not self._services.settings().merge.push:
            return
        try:
            push = await place.scm.push()
        except ScmError as error:
            self._services.record("release.not_pushed", workspace=place.name, reason=str(error))
            return
        if push.pushed:
            self._services.record("release.pushed", workspace=place.name)
        elif push.reason:
            self._services.record("release.not_pushed", workspace=place.name, reason=push.reason)

    async def blocked(self, task: Task, place: Workplace, ending: Ending, ordered: str) -> None:
        """Ask for a person: a note beside the task says why, what was tried and where it is kept."""
        reason = ordered or (ending.move.reason if ending.move else "it cannot go on")
        await self._block(task, place, reason, blocked_note(task, ending.failures, place.name, reason))

    async def fault(self, task: Task, place: Workplace, error: OmniError) -> None:
        """Block a task because something of ours or the machine's failed, with the error's own words."""
        failure = Failure(kind=FailureKind.FAULT, message=str(error))
        await self._block(task, place, str(error), blocked_note(task, (failure,), place.name, str(error)))

    async def _block(self, task: Task, place: Workplace, reason: str, note: str) -> None:
        place.queue.move(task.id, Status.DOING, Occasion.BLOCKED, note=note)
        self._services.record("task.blocked", task.ref, reason=reason)
        await place.tracker.tell(task, Outcome(landed=False, message=reason))
        await self._services.notify(Urgency.ATTENTION, f"{task.ref} is blocked", reason, task.ref)

    def requeued(self, task: Task, place: Workplace, reason: str, *, fresh: bool) -> None:
        """Put a task back into todo/, with `fresh` attempts or with those that it has left."""
        if fresh:
            place.runs.begin_afresh(task.id)
        place.queue.move(task.id, Status.DOING, Occasion.REQUEUED)
        self._services.record("task.requeued", task.ref, reason=reason)
