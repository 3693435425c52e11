"""Endings without their line: a task was put away, and a crash came before the journal was told.

Its file is where it belongs, so no start would look at it again, and no report would tell of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from omni_tui.engine.services import Services
from omni_tui.engine.workplace import Workplace
from omni_tui.errors import OmniError
from omni_tui.model.event import Event
from omni_tui.model.outcome import Outcome
from omni_tui.model.task import Status, Task, TaskRef
from omni_tui.model.text import one_line
from omni_tui.plugins.notifier.protocol import Urgency
from omni_tui.plugins.scm.protocol import Merge

BEGIN = ("task.claimed", "task.adopted")
END = ("task.landed", "task.blocked", "task.requeued", "task.withdrawn")


class Endings:
    """Knows which tasks run by the journal, and tells of those that have ended nevertheless."""

    def __init__(self) -> None:
        self._open: dict[TaskRef, None] = {}

    def listening(self, events: Iterable[Event]) -> Iterator[Event]:
        """Give the events on, and note which tasks they leave running."""
        for event in events:
            ref = TaskRef(event.workspace, event.task)
            if event.event in BEGIN:
                self._open[ref] = None
            elif event.event in END:
                self._open.pop(ref, None)
            yield event

    async def tell(self, place: Workplace, services: Services) -> None:
        """Write the lines that are missing of a workplace, and tell whoever was not told."""
        for ref in [ref for ref in self._open if ref.workspace == place.name]:
            del self._open[ref]
            found = place.queue.find(ref.id)
            if found is None or found[0] not in (Status.DONE, Status.BLOCKED):
                continue
            try:
                task = place.queue.read(found[1])
                await (_landed if found[0] is Status.DONE else _blocked)(task, place, services)
            except (OmniError, FileNotFoundError) as error:
                services.record("core.fault", where=f"telling how {ref} ended", error=str(error))


async def _landed(task: Task, place: Workplace, services: Services) -> None:
    landing = landing_of(task, place)
    if landing is None:  # a person's hand has put it into done/
        return
    commit, at = landing
    release = place.settings.release
    services.record("task.landed", task.ref, commit=commit, release=release, found_later=True, at=at)
    await place.tracker.tell(task, Outcome(landed=True, message=f"landed on {release}", commit=commit))


def landing_of(task: Task, place: Workplace) -> tuple[str, float] | None:
    """Return what landed of a task, and when, UTC seconds, as its last attempt's steps tell."""
    run = place.runs.latest(task.id)
    steps = run.steps() if run is not None else []
    done = next((step for step in reversed(steps) if step.key.startswith("land.") and step.result is True), None)
    squash = done.key.replace("land.", "squash.") if done is not None else ""
    merge = next((step.result for step in steps if step.key == squash), None)
    if done is None or merge is None:
        return None
    try:
        return msgspec.convert(merge, Merge).commit, done.at
    except msgspec.ValidationError as error:
        raise OmniError(f"its step {squash} is spoilt: {error}", where=str(task.ref), fix="look at its run") from error


async def _blocked(task: Task, place: Workplace, services: Services) -> None:
    reason = one_line(place.queue.note(task.id).partition("\n")[0])
    if not reason:  # a person's hand has put it into blocked/
        return
    services.record("task.blocked", task.ref, reason=reason, found_later=True)
    await place.tracker.tell(task, Outcome(landed=False, message=reason))
    await services.notify(Urgency.ATTENTION, f"{task.ref} is blocked", reason, task.ref)
