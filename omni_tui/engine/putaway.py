"""Putting away: what is done with a task once its delivery has ended, in an order that a crash cannot spoil."""

from __future__ import annotations

from collections.abc import Sequence

from omni_tui.engine.prompt import blocked_note
from omni_tui.engine.services import Services
from omni_tui.engine.workplace import Workplace
from omni_tui.errors import ScmError, TaskFileError, TaskNotFoundError
from omni_tui.model.failure import Failure, FailureKind
from omni_tui.model.lifecycle import Occasion, after
from omni_tui.model.outcome import Outcome
from omni_tui.model.task import Status, Task
from omni_tui.plugins.notifier.protocol import Urgency
from omni_tui.plugins.scm.protocol import Merge


class PutAway:
    """Moves an ended task's file, tells its tracker and, where a person must look, a person.

    `file` is the name of the task's file in doing/. Each returns the folder where the task is now; None: a person has
    taken its file away meanwhile.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    async def landed(self, task: Task, place: Workplace, file: str, merge: Merge) -> Status | None:
        """Put away a task whose change is on the release branch: pushed, done, told.

        Pushed first: what is in done/ is looked at by no later start, which would not know that the push is missing.
        """
        await self._push(place)
        await self.look_at_base(place)
        try:
            outcome = self._move(task, place, file, Occasion.LANDED)
        except TaskFileError as error:  # a person's own file has its name in done/
            reason = f"it has landed as {merge.commit}; do not run it again. But {error}"
            return await self.blocked(task, place, file, (), reason)
        self._services.record("task.landed", task.ref, commit=merge.commit, release=place.settings.release)
        await place.tracker.tell(
            task, Outcome(landed=True, message=f"landed on {place.settings.release}", commit=merge.commit)
        )
        return outcome

    async def look_at_base(self, place: Workplace) -> None:
        """Say so if the default branch is not what it was, but for a person's merge of the release branch."""
        tip, before = await place.scm.base_tip(), place.base_tip
        place.base_tip = tip or before
        if not (tip and before) or tip == before or await place.scm.holds(tip):
            return
        reason = f"the default branch of {place.name} changed where it came from: {before[:10]} became {tip[:10]}"
        self._services.record("base.moved", workspace=place.name, reason=reason)

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

    async def blocked(
        self, task: Task, place: Workplace, file: str, failures: Sequence[Failure], reason: str
    ) -> Status | None:
        """Ask for a person: a note beside the task says why, what was tried and where it is kept."""
        note = blocked_note(task, failures, place.name, reason)
        outcome = self._move(task, place, file, Occasion.BLOCKED, note)
        self._services.record("task.blocked", task.ref, reason=reason)
        await place.tracker.tell(task, Outcome(landed=False, message=reason))
        await self._services.notify(Urgency.ATTENTION, f"{task.ref} is blocked", reason, task.ref)
        return outcome

    async def fault(self, task: Task, place: Workplace, file: str, trouble: str, checkout: str) -> Status | None:
        """Block a task because something of ours or the machine's failed, with the error's own words.

        `checkout` is what stays of its latest attempt; empty: nothing does.
        """
        failure = Failure(kind=FailureKind.FAULT, message=trouble, checkout=checkout)
        return await self.blocked(task, place, file, (failure,), trouble)

    def requeued(self, task: Task, place: Workplace, file: str, reason: str, *, fresh: bool) -> Status | None:
        """Put a task back into todo/, with `fresh` attempts or with those that it has left."""
        if fresh:
            place.runs.begin_afresh(task.id)
        outcome = self._move(task, place, file, Occasion.REQUEUED)
        self._services.record("task.requeued", task.ref, reason=reason)
        return outcome

    def withdrawn(self, task: Task, reason: str) -> None:
        """Leave a task where a person's own hand has put its file."""
        self._services.record("task.withdrawn", task.ref, reason=reason)

    def _move(self, task: Task, place: Workplace, file: str, occasion: Occasion, note: str = "") -> Status | None:
        try:
            place.queue.move(task.id, Status.DOING, occasion, note=note)
        except TaskNotFoundError:
            self._move_spoilt(task, place, file, occasion, note)
            return None
        except TaskFileError:
            if occasion is not Occasion.BLOCKED:
                raise
            place.queue.refuse(place.paths.queue(Status.DOING) / file, note)  # under a name that is free there
        except OSError as error:
            found = place.queue.find(task.id)
            if found is None or found[0] is not after(Status.DOING, occasion):
                raise
            # It was renamed, and only a power loss can undo that: the next start would do again what is missing then.
            self._services.record("core.fault", where=f"moving {task.ref} to {found[0]}/", error=str(error))
        return after(Status.DOING, occasion)

    def _move_spoilt(self, task: Task, place: Workplace, file: str, occasion: Occasion, note: str) -> None:
        """Ask for a person where the file holds the task no more: it was edited meanwhile, or taken away."""
        words = f"its file was edited while the task ran and holds it no more; the task itself was {occasion}\n\n{note}"
        path = place.paths.queue(Status.DOING) / file
        spoilt = place.queue.refuse(path, words) if path.exists() else None
        where = f"its file was edited meanwhile and is blocked/{spoilt.name}" if spoilt else "its file was taken away"
        self._services.record("task.withdrawn", task.ref, reason=where)
