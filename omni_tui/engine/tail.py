"""Reading a growing file of lines: complete lines only, each once, none too long."""

from __future__ import annotations

import os
import stat
from pathlib import Path

LINE_LIMIT = 64 << 10
"""Bytes of one line that are handed on; what is longer is cut (facts: reliability, State)."""

READ_LIMIT = 1 << 20
"""Bytes taken at once, so that a flood cannot hold up the loop."""


class Tail:
    """Remembers (inode, offset); begins again when the file is replaced or cut."""

    def __init__(self, path: Path, line_limit: int = LINE_LIMIT) -> None:
        self.path = path
        self.taken = 0
        """Bytes read so far, of this file and those that it replaced."""
        self._line_limit = line_limit
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
        if len(rest) > self._line_limit:
            if not self._skipping:
                complete.append(rest)
            self._skipping = True
            rest = b""
        self._rest = rest
        return [line[: self._line_limit] for line in complete if line.strip()]

    def _read(self) -> bytes:
        """Read on. What is no plain file, or not ours to read, is as if it were not there: its writer is silent."""
        self.behind = False
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        except (OSError, ValueError):  # an agent may have named it: not every text can be a path
            return b""
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return b""
            self._follow(status)
            chunk = os.pread(descriptor, READ_LIMIT, self._offset)
        finally:
            os.close(descriptor)
        self._offset += len(chunk)
        self.taken += len(chunk)
        self.behind = self._offset < status.st_size
        return chunk

    def _follow(self, now: os.stat_result) -> None:
        if now.st_ino != self._inode or now.st_size < self._offset:
            self._inode, self._offset, self._rest, self._skipping = now.st_ino, 0, b"", False

    def modified_at(self) -> float | None:
        """Return when the file last grew, UTC seconds; None: it is not there."""
        try:
            return self.path.lstat().st_mtime
        except (OSError, ValueError):
            return None
