"""Wake-ups: who wants to know of a change in which directory or file. Nothing in the engine polls."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from omni_tui.store.watch import TreeWatch


class Wakeups:
    """Hands each change that the tree watch sees to the events that were asked for.

    One event may stand for many paths. A directory's change wakes those who asked for the directory; a file's change
    those who asked for the file or for its directory.
    """

    def __init__(self, watch: TreeWatch) -> None:
        self._watch = watch
        self._events: dict[Path, dict[asyncio.Event, None]] = defaultdict(dict)  # in the order in which they asked
        self._watched: dict[Path, int] = defaultdict(int)

    async def run(self) -> None:
        """Pass on changes until cancelled."""
        async for changed in self._watch:
            for path in sorted(changed) or list(self._events):
                self._wake(path)

    def _wake(self, path: Path) -> None:
        for event in self._events.get(path, ()):
            event.set()
        for event in self._events.get(path.parent, ()):
            event.set()

    @contextmanager
    def on(self, event: asyncio.Event, directory: Path, file: Path | None = None) -> Iterator[None]:
        """Set `event` at each change in `directory`, or of `file` in it alone, as long as the context lasts."""
        self.add(event, directory, file)
        try:
            yield
        finally:
            self.remove(event, directory, file)

    def add(self, event: asyncio.Event, directory: Path, file: Path | None = None) -> None:
        """Set `event` at each change in `directory`, or of `file` in it alone, until it is removed."""
        self._events[file or directory][event] = None
        self._watched[directory] += 1
        if self._watched[directory] == 1:
            self._watch.add(directory)

    def remove(self, event: asyncio.Event, directory: Path, file: Path | None = None) -> None:
        """Take back what `add` was asked for."""
        wanted = self._events[file or directory]
        wanted.pop(event, None)
        if not wanted:
            del self._events[file or directory]
        self._watched[directory] -= 1
        if not self._watched[directory]:
            del self._watched[directory]
            self._watch.remove(directory)
