"""Taking: makes a task of an offer, once, ever, whenever the process dies.

The ledger says first that an offer is being taken, then that it was. After a crash between the two the queue tells
whether its file was made: by the task's `source`, which is the offer's key.
"""

from __future__ import annotations

import msgspec

from omni_tui.engine.offers import Offered
from omni_tui.engine.services import Services
from omni_tui.engine.workplace import Workplace
from omni_tui.errors import TaskFileError
from omni_tui.model.task import Status, Task
from omni_tui.store.ledger import Entry, Ledger, Stage


class Taker:
    """Takes offers for workplaces."""

    def __init__(self, services: Services, ledger: Ledger) -> None:
        self._services = services
        self._ledger = ledger

    def is_free(self, offered: Offered) -> bool:
        """Whether an offer can be taken: nobody has, and it was not refused as it is."""
        entry = self._ledger.entries.get(offered.key)
        if entry is None or entry.stage is Stage.LEFT:
            return True
        return entry.stage is Stage.REFUSED and entry.digest != offered.digest

    def take(self, offered: Offered, source: str, place: Workplace) -> bool:
        """Put the task of an offer that is free into a workplace's queue. False: it makes none. Raises `OSError`."""
        if offered.task is None:
            self._refuse(offered, place.name, source, offered.error)
            return False
        entry = Entry(
            key=offered.key,
            stage=Stage.TAKING,
            at=self._services.clock.now(),
            source=source,
            workspace=place.name,
            task=offered.task.id,
        )
        self._ledger.write(entry)
        try:
            task = place.queue.add(offered.task)
        except TaskFileError as error:
            self._refuse(offered, place.name, source, str(error))
            return False
        self._taken(entry, task)
        return True

    def finish(self, entry: Entry, place: Workplace) -> None:
        """Find out what became of an offer that was being taken when the process died, or the disk failed."""
        task = _task_of(entry, place)
        if task is not None:
            self._taken(entry, task)
            return
        place.queue.release(entry.task)
        self._ledger.write(msgspec.structs.replace(entry, stage=Stage.LEFT, at=self._services.clock.now()))

    def _taken(self, entry: Entry, task: Task) -> None:
        now = self._services.clock.now()
        self._ledger.write(msgspec.structs.replace(entry, stage=Stage.TAKEN, at=now, task=task.id))
        self._services.record("task.offered", task.ref, source=entry.source, key=entry.key)

    def _refuse(self, offered: Offered, workspace: str, source: str, error: str) -> None:
        """Say once that an offer, as it is, makes no task."""
        now = self._services.clock.now()
        self._ledger.write(Entry(key=offered.key, stage=Stage.REFUSED, at=now, source=source, digest=offered.digest))
        self._services.record("offer.refused", workspace=workspace, source=source, key=offered.key, error=error)


def _task_of(entry: Entry, place: Workplace) -> Task | None:
    """Return the task that was made of an offer; None: none was."""
    for path in (path for status in Status for path in place.queue.files(status)):
        try:
            task = place.queue.read(path)
        except (TaskFileError, FileNotFoundError):  # not one that we have just made
            continue
        if task.source == entry.key:
            return task
    return None
