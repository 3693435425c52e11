"""Watching by watchfiles, where there is no inotify: dearer (its thread looks 25 times a second), just as reliable."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

from watchfiles import awatch
from watchfiles.main import FileChange

from omni_tui.store.watch import is_hidden

STEP_MS = 40
"""How often watchfiles' thread looks for changes, and how long it then waits for more: seen within 100 ms."""


class PortableBackend:
    """One run of watchfiles over all directories, begun anew whenever they change."""

    def __init__(self) -> None:
        self._directories: dict[Path, Path] = {}
        """By their real paths, which watchfiles tells on some systems, as they were added."""
        self._stop = asyncio.Event()
        self._run: AsyncGenerator[set[FileChange], None] | None = None
        self._pending: asyncio.Task[set[FileChange]] | None = None

    def add(self, path: Path) -> bool:
        """See `watch.Backend`."""
        if not path.is_dir():
            return False
        self._directories[path.resolve()] = path
        self._stop.set()
        return True

    def remove(self, path: Path) -> None:
        """See `watch.Backend`."""
        self._directories = {real: added for real, added in self._directories.items() if added != path}
        self._stop.set()

    async def next(self) -> set[Path]:
        """See `watch.Backend`."""
        while True:
            if self._run is None or self._pending is None:
                if await self._begin():
                    return set()  # what changed between two runs was not seen
                continue
            await asyncio.wait({self._pending})
            try:
                changes = self._pending.result()
            except StopAsyncIteration:  # other directories from now on
                self._pending = None
                continue
            self._pending = asyncio.ensure_future(anext(self._run))
            if changed := {told for _, name in changes if (told := self._told(Path(name))) is not None}:
                return changed

    def close(self) -> None:
        """See `watch.Backend`."""
        self._stop.set()

    async def _begin(self) -> bool:
        """Begin a run, which watches when this returns; return whether there was one before."""
        again = self._run is not None
        self._stop = asyncio.Event()
        there = [path for path in self._directories if path.is_dir()]
        self._run = awatch(
            *there, watch_filter=None, debounce=STEP_MS * 2, step=STEP_MS, stop_event=self._stop, recursive=False
        )
        self._pending = asyncio.ensure_future(anext(self._run))
        await asyncio.sleep(0)  # one turn of the loop: it has set up its watches
        return again

    def _told(self, path: Path) -> Path | None:
        if is_hidden(path.name):
            return None
        if path in self._directories:
            return self._directories[path]
        parent = self._directories.get(path.parent)
        return None if parent is None else parent / path.name
