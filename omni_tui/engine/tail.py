"""Reading a growing file of lines: complete lines only, each once, none too long."""

from __future__ import annotations

import os
from pathlib import Path

LINE_LIMIT = 64 << 10
"""Bytes of one line that are handed on; what is longer is cut (facts: reliability, State)."""

READ_LIMIT = 1 << 20
"""Bytes taken at once, so that a flood cannot hold up the loop."""


class Tail:
    """Remembers (inode, offset); begins again when the file is replaced or cut."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.behind = False
        """Whether more was there than one call takes: call again."""
        self._inode = 0
        self._offset = 0
        self._rest = b""
        self._skipping = False

    def lines(self) -> list[bytes]:
        """Return the complete lines that have come since the last call, without their ends."""
        chunk = self._read()
        if not chunk:
            return []
        *complete, rest = (self._rest + chunk).split(b"\n")
        if self._skipping and complete:
            complete = complete[1:]
            self._skipping = False
        if len(rest) > LINE_LIMIT:
            if not self._skipping:
                complete.append(rest)
            self._skipping = True
            rest = b""
        self._rest = rest
        return [line[:LINE_LIMIT] for line in complete if line.strip()]

    def _read(self) -> bytes:
        try:
            with self.path.open("rb") as file:
                size = self._follow(file.fileno())
                file.seek(self._offset)
                chunk = file.read(READ_LIMIT)
        except FileNotFoundError:
            self.behind = False
            return b""
        self._offset += len(chunk)
        self.behind = self._offset < size
        return chunk

    def _follow(self, descriptor: int) -> int:
        now = os.fstat(descriptor)
        if now.st_ino != self._inode or now.st_size < self._offset:
            self._inode, self._offset, self._rest, self._skipping = now.st_ino, 0, b"", False
        return now.st_size

    def modified_at(self) -> float | None:
        """Return when the file last grew, UTC seconds; None: it is not there."""
        try:
            return self.path.stat().st_mtime
        except FileNotFoundError:
            return None
