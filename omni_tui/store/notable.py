"""The latest event of the journal that a person should read, found by reading only what is new."""

from __future__ import annotations

from pathlib import Path

import msgspec

from omni_tui.model.event import Event
from omni_tui.store.reading import decode_shown

NOTABLE = {
    "config.refused": "Configuration refused, the last good one stays in force: {error}",
    "workspace.refused": "Workspace {workspace} cannot be used: {error}",
    "release.not_pushed": "Release branch of {workspace} was not pushed: {reason}",
}
"""Events that stay on the screen, and how they are said."""
SETTLES = {
    "config.taken": "config.refused",
    "workspace.opened": "workspace.refused",
    "release.pushed": "release.not_pushed",
}
"""What takes a notable event off the screen again."""
TAIL_BYTES = 256 << 10
"""Of a journal that was there before are looked at."""


class NotableEvents:
    """Follows the newest file of the journal."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._file: Path | None = None
        self._offset = 0
        self._standing: dict[str, str] = {}

    @property
    def message(self) -> str:
        """The latest that still stands; empty: none."""
        return next(reversed(self._standing.values()), "")

    def read(self) -> None:
        """Take in what has been written since."""
        newest = max(self._directory.glob("*.jsonl"), default=None)
        if newest is None:
            return
        if newest != self._file:
            self._file, self._offset = newest, max(0, newest.stat().st_size - TAIL_BYTES)
        with newest.open("rb") as file:
            file.seek(self._offset)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.splitlines():
            self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            event = decode_shown(_DECODER, line)
        except msgspec.MsgspecError:
            return  # the cut start of a tail, or a line torn by a crash: told by `report`, not here
        settled = SETTLES.get(event.event)
        if settled is not None:
            self._standing.pop(f"{settled} {event.workspace}", None)
        if event.event in NOTABLE:
            name = f"{event.event} {event.workspace}"
            self._standing.pop(name, None)
            values = {"error": "", "reason": "", **event.data, "workspace": event.workspace}
            self._standing[name] = NOTABLE[event.event].format(**values)


_DECODER = msgspec.json.Decoder(Event)
