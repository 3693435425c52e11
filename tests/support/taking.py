"""What takes offers, without a core, on a disk that lets it die."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar, cast

from omni_tui.engine.services import Services
from omni_tui.engine.taking import Taker
from omni_tui.engine.workplace import Workplace
from omni_tui.store.files import DISK, Disk
from omni_tui.store.layout import create_fleet, create_workspace
from omni_tui.store.ledger import Ledger
from omni_tui.store.paths import FleetPaths
from omni_tui.store.queue import Queue

T = TypeVar("T")


class DyingDisk(Disk):
    """Ends the process at an operation: with an even `fuse` right before it, with an odd one right after it."""

    def __init__(self, fuse: int, death: type[BaseException]) -> None:
        self.died = False
        self._left, self._done = divmod(fuse, 2)
        self._death = death

    def _do(self, deed: Callable[[], T]) -> T:
        if self.died:
            raise self._death
        self.died = self._left == 0
        self._left -= 1
        if not self.died:
            return deed()
        if self._done:
            deed()
        raise self._death

    def write(self, descriptor: int, data: bytes) -> int:
        return self._do(lambda: Disk.write(self, descriptor, data))

    def truncate(self, descriptor: int, size: int) -> None:
        self._do(lambda: Disk.truncate(self, descriptor, size))

    def sync(self, descriptor: int) -> None:
        self._do(lambda: Disk.sync(self, descriptor))

    def replace(self, source: Path, target: Path) -> None:
        self._do(lambda: Disk.replace(self, source, target))

    def rename(self, source: Path, target: Path) -> None:
        self._do(lambda: Disk.rename(self, source, target))

    def unlink(self, path: Path) -> None:
        self._do(lambda: Disk.unlink(self, path))

    def mkdir(self, path: Path) -> None:
        self._do(lambda: Disk.mkdir(self, path))


def make_taker(root: Path, disk: Disk = DISK) -> tuple[Taker, Workplace, Ledger]:
    """Return a taker over the fleet at `root`, as a process that has just started has it."""
    if not root.exists():
        create_workspace(create_fleet(root, "").workspace("app"), "")
    paths = FleetPaths(root)
    queue = Queue(paths.workspace("app"), lambda: 1000.0, disk)
    ledger = Ledger(paths, disk)
    services = SimpleNamespace(clock=SimpleNamespace(now=lambda: 1000.0), record=lambda *_, **__: None)
    place: Any = SimpleNamespace(name="app", queue=queue)
    return Taker(cast("Services", services), ledger), cast("Workplace", place), ledger
