"""A disk that remembers what was asked of it, and one that fails on demand."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from omni_tui.store.files import Disk


class RecordingDisk(Disk):
    """Does everything, and keeps `operations`: (verb, name); a name is relative to `root`, a temporary one is `*`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.operations: list[tuple[str, str]] = []
        self._open: dict[int, Path] = {}

    def _note(self, verb: str, path: Path) -> None:
        name = str(path.relative_to(self.root))
        self.operations.append((verb, "*" if path.name.endswith(".tmp") else name))

    def open(self, path: Path, flags: int) -> int:
        descriptor = super().open(path, flags)
        self._open[descriptor] = path
        return descriptor

    def write(self, descriptor: int, data: bytes) -> int:
        self._note("write", self._open[descriptor])
        return super().write(descriptor, data)

    def sync(self, descriptor: int) -> None:
        self._note("sync", self._open[descriptor])
        super().sync(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        self._note("rename", target)
        super().replace(source, target)

    def rename(self, source: Path, target: Path) -> None:
        self._note("rename", target)
        super().rename(source, target)


class FullDisk(Disk):
    """Takes `room` bytes more, then none: a write is cut short, the next one fails with ENOSPC."""

    def __init__(self, room: int) -> None:
        self.room = room

    def write(self, descriptor: int, data: bytes) -> int:
        taken = data[: self.room]
        if not taken:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.room -= len(taken)
        return super().write(descriptor, taken)


class UnsureDisk(Disk):
    """Fails the first move into `folder` by `error`: after its rename, at the sync of the folder, or at the rename."""

    def __init__(self, folder: Path, error: int, *, renames: bool) -> None:
        self.folder = folder
        self.error = error
        self._to_fail = "sync" if renames else "rename"
        self._arrived = False
        self._descriptor: int | None = None

    def open(self, path: Path, flags: int) -> int:
        descriptor = super().open(path, flags)
        if self._arrived and path == self.folder:
            self._descriptor = descriptor
        return descriptor

    def sync(self, descriptor: int) -> None:
        if descriptor == self._descriptor:
            self._descriptor = None
            self._fail("sync")
        super().sync(descriptor)

    def rename(self, source: Path, target: Path) -> None:
        if target.parent == self.folder:
            self._fail("rename")
            self._arrived = True
        super().rename(source, target)

    def _fail(self, verb: str) -> None:
        if verb == self._to_fail:
            self._to_fail = ""
            raise OSError(self.error, os.strerror(self.error))
