"""The ledger of the sources: which offers were taken, by whom and how that ended, so that each is taken once, ever.

`sources/taken.jsonl` only grows. That an offer is about to be taken is written before its task's file is made: after a
crash between the two the file tells whether it was. What a source answered last is kept beside it, a file a source.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from enum import StrEnum

import msgspec

from omni_tui.model.moment import Moment
from omni_tui.model.outcome import Outcome
from omni_tui.store.files import DISK, Disk, append, make_dirs, publish
from omni_tui.store.paths import FleetPaths
from omni_tui.store.reading import decode, read_small

TAKEN_FILE = "taken.jsonl"


class Stage(StrEnum):
    """How far it has come with an offer."""

    TAKING = "taking"
    """Its task's file is about to be made, or was made just before a crash."""
    TAKEN = "taken"
    REFUSED = "refused"
    """It makes no task, as it was then."""
    LEFT = "left"
    """Its task was not made after all: it is offered again."""
    TOLD = "told"
    """Its source was told how its task ended."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The latest of an offer; a line of the ledger."""

    key: str
    stage: Stage
    at: Moment
    source: str = ""
    """The identity of the source that offered it."""
    workspace: str = ""
    task: str = ""
    """The id of its task; while that is being made, the one that it asks for."""
    digest: str = ""
    """Of what was refused."""
    outcome: Outcome | None = None
    """What the source was told last."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a source answered last, as far as it is needed after a restart."""

    identity: str
    next_at: Moment
    """Before that it is not to be asked again, UTC seconds."""
    quiet: int = 0
    cursor: str = ""
    offers: msgspec.Raw = msgspec.Raw(b"[]")


_entry = msgspec.json.Decoder(Entry)
_answer = msgspec.json.Decoder(Answer)


class Ledger:
    """Read once, then kept in step with its file. Only the fleet's owner writes it."""

    def __init__(self, paths: FleetPaths, disk: Disk = DISK) -> None:
        self._directory = paths.sources
        self._disk = disk
        self.entries: dict[str, Entry] = {entry.key: entry for entry in self._read()}
        """By key, the latest of each."""

    def write(self, entry: Entry) -> None:
        """Put down how far it has come with an offer; it is on the medium when this returns. Raises `OSError`."""
        make_dirs(self._directory, disk=self._disk)
        append(self._directory / TAKEN_FILE, msgspec.json.encode(entry), disk=self._disk)
        self.entries[entry.key] = entry

    def answer(self, identity: str) -> Answer | None:
        """Return what a source answered last; None: nothing that can be read."""
        with suppress(OSError, msgspec.MsgspecError):  # not asked yet, or spoilt: then it is asked afresh
            answer = decode(_answer, read_small(self._directory / _file_of(identity)))
            return answer if answer.identity == identity else None
        return None

    def keep(self, answer: Answer) -> None:
        """Keep what a source answered. Raises `OSError`."""
        make_dirs(self._directory, disk=self._disk)
        publish(self._directory / _file_of(answer.identity), msgspec.json.encode(answer), disk=self._disk)

    def _read(self) -> Iterator[Entry]:
        """Give the lines; one that a crash has cut short says nothing of the others and is passed over."""
        path = self._directory / TAKEN_FILE
        if not path.exists():
            return
        with path.open("rb") as file:
            for line in file:
                with suppress(msgspec.MsgspecError):
                    yield decode(_entry, line)


def _file_of(identity: str) -> str:
    return f"{hashlib.sha256(identity.encode('utf-8', 'replace')).hexdigest()[:16]}.json"
