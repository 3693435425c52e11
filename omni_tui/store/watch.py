"""Watching directories: what changed, told at once, without polling and without cost while nothing does.

Each directory is watched by itself, not what is below it: checkouts hold thousands of files that are nobody's business.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Protocol


class Backend(Protocol):
    """What the operating system offers."""

    def add(self, path: Path) -> bool:
        """Watch a directory; False: it is not there."""
        ...

    def remove(self, path: Path) -> None:
        """Watch it no longer; it may be gone, or never have been watched."""
        ...

    async def next(self) -> set[Path]:
        """Wait for changes, and return them; an empty set: too many to tell."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


class TreeWatch:
    """Gives sets of changed paths as `async for changed in watch`.

    A path is a file or directory that came, went or was written to its end in a watched directory, a `.jsonl` file
    there that grew, or a watched directory that went itself. Hidden names are passed over: they are files being made.
    An empty set says that changes were lost: look at everything.
    """

    def __init__(self, backend: Backend | None = None) -> None:
        self._backend = backend or _choose()

    def add(self, path: Path) -> bool:
        """Watch a directory, but not what is below it; False: it is not there. What is in it already is no change."""
        return self._backend.add(path)

    def remove(self, path: Path) -> None:
        """Watch it no longer; it may be gone, or never have been watched."""
        self._backend.remove(path)

    def close(self) -> None:
        """Let go of everything; not to be used any more."""
        self._backend.close()

    def __aiter__(self) -> TreeWatch:
        return self

    async def __anext__(self) -> set[Path]:
        return await self._backend.next()


def is_hidden(name: str) -> bool:
    """Whether a file's name says that it is still being made."""
    return name.startswith(".")


def _choose() -> Backend:
    """Return inotify on Linux, watchfiles elsewhere; the other is not imported."""
    if sys.platform == "linux":
        from omni_tui.store.watch_inotify import InotifyBackend

        return InotifyBackend()
    else:  # noqa: RET505 -- so that mypy passes over it where it cannot be reached
        from omni_tui.store.watch_portable import PortableBackend

        return PortableBackend()
