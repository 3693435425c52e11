"""The journal: what happened, append only, one file for each UTC day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from omni_tui.model.event import Event
from omni_tui.store.files import DISK, Disk, append, make_dirs
from omni_tui.store.reading import decode_shown

SUFFIX = ".jsonl"

_event = msgspec.json.Decoder(Event)


class Journal:
    """Writes events. Only the fleet's owner does."""

    def __init__(self, directory: Path, now: Callable[[], float], disk: Disk = DISK) -> None:
        self._directory = directory
        self._now = now
        self._disk = disk

    def write(self, event: Event) -> None:
        """Add one line, in one write, to today's file.

        What became of a task is on the medium when this returns, as its move between folders is: the night's report
        must agree with the folders after a power loss. The rest (claims, signals, phases) is only told; an fsync each
        would be felt.
        """
        make_dirs(self._directory, disk=self._disk)
        path = self._directory / _file_name(self._now())
        append(path, msgspec.json.encode(event), durable=_is_outcome(event.event), disk=self._disk)


def read_events(directory: Path, since: float = 0.0) -> Iterator[Event]:
    """Give the events since a UTC time, in the order they were written.

    A line that is no event (cut short by a crash, or not ours) says nothing of the others and is passed over.
    """
    first = _file_name(since)
    for path in sorted(directory.glob(f"*{SUFFIX}")):
        if path.name < first:
            continue
        with path.open("rb") as file:
            for line in file:
                event = _decode(line)
                if event is not None and event.time >= since:
                    yield event


def _is_outcome(event: str) -> bool:
    return event.startswith("task.") and event != "task.claimed"


def _decode(line: bytes) -> Event | None:
    try:
        return decode_shown(_event, line)
    except msgspec.MsgspecError:
        return None


def _file_name(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}{SUFFIX}"
