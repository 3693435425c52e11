"""The spares: `.spare-1`, `.spare-2` …, complete checkouts that nobody has touched: a start takes one for its own.

Each has a lock of its own. A start passes over one that is being worked on, so it never waits for a spare.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from omni_tui.plugins.checkouts import read_record

_PREFIX = ".spare-"


class Spares:
    """Where the spares of one workspace are, and who is busy with which."""

    def __init__(self, folder: Path) -> None:
        """Take the directory that they are in; nothing is read yet."""
        self._folder = folder
        self._locks: dict[Path, threading.Lock] = {}

    def wanted(self, count: int) -> list[Path]:
        """Return the places of the first `count` spares, whether they are there or not."""
        return [self._folder / f"{_PREFIX}{number}" for number in range(1, count + 1)]

    def surplus(self, count: int) -> list[Path]:
        """Return what is there beyond `count` spares."""
        wanted = set(self.wanted(count))
        return sorted(path for path in self._folder.glob(f"{_PREFIX}*") if path not in wanted)

    def nearest(self, tip: str) -> list[Path]:
        """Return the complete spares, those that are at `tip` first."""
        found = {path: read_record(path) for path in self._folder.glob(f"{_PREFIX}*")}
        complete = {path: record.base for path, record in found.items() if record is not None}
        return sorted(complete, key=lambda path: (complete[path] != tip, path))

    @contextmanager
    def hold(self, spare: Path, *, wait: bool) -> Iterator[bool]:
        """Keep everybody else off a spare; gives False where somebody is busy with it and we do not `wait`."""
        lock = self._locks.setdefault(spare, threading.Lock())
        held = lock.acquire(blocking=wait)
        try:
            yield held
        finally:
            if held:
                lock.release()
