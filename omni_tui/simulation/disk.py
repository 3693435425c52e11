"""The disk of one life in the simulated world: real files, but each operation may fail, be slow, or be the last.

Nothing is synced: this machine does not lose power, and what a power loss does is not its subject. Syncs are counted.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from omni_tui.simulation.conditions import Conditions
from omni_tui.simulation.life import KilledError, Life
from omni_tui.store.files import Disk

GROWING = ".jsonl"
"""Ends the names of files whose growth is told (as `store.watch` has it)."""


class SimulatedDisk(Disk):
    """What the operating system does for one dispatcher."""

    def __init__(
        self,
        life: Life,
        conditions: Conditions,
        *,
        block: Callable[[float], None],
        tell: Callable[[Path], None],
        moved: Callable[[Path, Path], None],
    ) -> None:
        """Take whose disk it is, what goes wrong, how time passes, and who hears of changes and of renamed files."""
        self.syncs = 0
        self._life = life
        self._conditions = conditions
        self._block = block
        self._tell = tell
        self._moved = moved
        self._open: dict[int, Path] = {}

    def _pass(self, step: str, path: Path | None = None) -> None:
        self._life.act(step)
        if self._conditions.slow_seconds:
            self._conditions.hurt["slow"] += 1
            self._block(self._conditions.slow_seconds)
        self._conditions.refuse(path)

    def open(self, path: Path, flags: int) -> int:
        """Open a file, or fail."""
        if flags & (os.O_CREAT | os.O_WRONLY | os.O_RDWR):
            self._pass("open", path)
        descriptor = super().open(path, flags)
        self._open[descriptor] = path
        return descriptor

    def write(self, descriptor: int, data: bytes) -> int:
        """Write; a process that dies here, or a disk that fills up, leaves half of it."""
        alive, path = self._life.alive, self._open[descriptor]
        try:
            self._pass("write", path)
        except (KilledError, OSError):
            if alive:
                super().write(descriptor, data[: len(data) // 2])
            raise
        written = super().write(descriptor, data)
        if path.suffix == GROWING:
            self._tell(path)
        return written

    def truncate(self, descriptor: int, size: int) -> None:
        """Cut a file."""
        self._pass("truncate", self._open[descriptor])
        super().truncate(descriptor, size)

    def sync(self, descriptor: int) -> None:
        """Count, and fail if the disk does."""
        self._pass("sync", self._open[descriptor])
        self.syncs += 1

    def close(self, descriptor: int) -> None:
        """Let go of a descriptor; also for a process that is being cleared away, as the kernel does."""
        self._open.pop(descriptor, None)
        super().close(descriptor)

    def close_all(self) -> None:
        """Close what a dead process had open, its lease among it."""
        for descriptor in list(self._open):
            self.close(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        """Rename over what is there."""
        self._pass("replace", target)
        super().replace(source, target)
        self._tell(target)

    def rename(self, source: Path, target: Path) -> None:
        """Rename where the target is free."""
        self._pass("rename", target)
        super().rename(source, target)
        self._tell(source)
        self._tell(target)
        self._moved(source, target)

    def unlink(self, path: Path) -> None:
        """Remove a name."""
        self._pass("unlink", path)
        super().unlink(path)
        self._tell(path)

    def mkdir(self, path: Path) -> None:
        """Make a directory."""
        self._pass("mkdir", path)
        super().mkdir(path)
        self._tell(path)
