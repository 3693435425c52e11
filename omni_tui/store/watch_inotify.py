"""Watching by Linux's inotify: a drop is seen within a tenth of a millisecond, idle costs nothing (facts: limits)."""

from __future__ import annotations

import asyncio
import errno
import stat
from contextlib import suppress
from pathlib import Path

from asyncinotify import Event, Inotify, Mask, Watch

from omni_tui.errors import OmniError
from omni_tui.store.watch import is_hidden

GROWING = ".jsonl"
"""Ends the names of files that are told of as they grow; others only once their writer has closed them."""

_CAME_OR_WENT = Mask.CLOSE_WRITE | Mask.MOVED_TO | Mask.MOVED_FROM | Mask.DELETE | Mask.CREATE
_MASK = _CAME_OR_WENT | Mask.MODIFY | Mask.DELETE_SELF | Mask.MOVE_SELF | Mask.ONLYDIR | Mask.EXCL_UNLINK


class InotifyBackend:
    """One inotify instance with a watch a directory."""

    def __init__(self) -> None:
        self._inotify = Inotify(sync_timeout=0, cache_size=256)
        self._watches: dict[Path, Watch] = {}

    def add(self, path: Path) -> bool:
        """See `watch.Backend`. Raises `OmniError` where the system grants no more watches."""
        try:
            self._watches[path] = self._inotify.add_watch(path, _MASK)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            fix = "raise fs.inotify.max_user_watches (sysctl)"
            raise OmniError("the system grants no more inotify watches", where=str(path), fix=fix) from error
        return True

    def remove(self, path: Path) -> None:
        """See `watch.Backend`."""
        watch = self._watches.pop(path, None)
        if watch is not None:
            with suppress(OSError):  # EINVAL: the kernel has dropped it with its directory
                self._inotify.rm_watch(watch)

    async def next(self) -> set[Path]:
        """See `watch.Backend`. All that is there is taken at once, so that a burst is one change."""
        while True:
            await self._readable()
            events = []
            while (event := self._inotify.sync_get()) is not None:
                events.append(event)
            if any(Mask.Q_OVERFLOW in event.mask for event in events):
                return set()
            changed = {path for event in events if (path := self._told(event)) is not None}
            if changed:
                return changed

    def close(self) -> None:
        """See `watch.Backend`."""
        self._inotify.close()

    async def _readable(self) -> None:
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        loop.add_reader(self._inotify.fd, ready.set)
        try:
            await ready.wait()
        finally:
            loop.remove_reader(self._inotify.fd)

    def _told(self, event: Event) -> Path | None:
        """Return the path to tell of; None: nothing that matters has happened."""
        watch, name, mask = event.watch, event.name, event.mask
        if watch is None or Mask.IGNORED in mask:
            return None
        if name is None:
            self._watches.pop(watch.path, None)
            return watch.path
        path = watch.path / name
        if is_hidden(path.name):
            return None
        if Mask.MODIFY in mask:
            return path if path.suffix == GROWING else None
        if Mask.CREATE in mask and Mask.ISDIR not in mask and _will_be_closed(path):
            return None
        return path


def _will_be_closed(path: Path) -> bool:
    """Whether what was just created is a file with a writer, whose closing will be told; not so a link or a pipe."""
    try:
        info = path.lstat()
    except FileNotFoundError:  # gone, which is told of
        return True
    return stat.S_ISREG(info.st_mode) and info.st_nlink == 1
