"""The conditions of the simulated world at a moment: what goes wrong just now. The fault plan sets them."""

from __future__ import annotations

import errno
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from omni_tui.model.load import Sample
from omni_tui.store.files import TEMPORARY_PREFIX

EASY = Sample(cpu_pressure=5.0, load_per_core=0.5, memory_mb=8000.0)
STRAINED = Sample(cpu_pressure=98.0, load_per_core=6.0, memory_mb=100.0)
"""So loaded that nothing may start and the newest agent has to make room."""


@dataclass
class Conditions:
    """All is well as long as nothing is set. Shares are chances from 0 to 1."""

    chance: Random
    disk_error: int = 0
    """The `errno` that some of the operations on the disk fail with; 0: none."""
    disk_share: float = 0.3
    slow_seconds: float = 0.0
    """How long each operation on the disk takes; the whole process waits."""
    lost: bool = False
    """Some changes in the tree are not told, or only that some were lost."""
    doubled: bool = False
    """Changes in the tree are told twice, the second time late."""
    launches_fail: bool = False
    load: Sample = EASY
    """How loaded the machine is."""
    """The runtime can start nothing."""
    remote_fails: bool = False
    """The source of the tasks answers only now and then."""
    hurt: Counter[str] = field(default_factory=Counter)
    """How often each came true."""

    def heal(self) -> None:
        """Let all be well again."""
        self.disk_error, self.slow_seconds = 0, 0.0
        self.load = EASY
        self.lost = self.doubled = self.launches_fail = self.remote_fails = False

    @property
    def disk_full(self) -> bool:
        """Whether the disk has no room, and says so."""
        return self.disk_error == errno.ENOSPC

    def hits(self, what: str, share: float) -> bool:
        """Whether it happens this time; counted if it does."""
        if self.chance.random() >= share:
            return False
        self.hurt[what] += 1
        return True

    def refuse(self, path: Path | None) -> None:
        """Raise the disk's error, this time or not; a temporary name, which is never the same, is not told."""
        if self.disk_error and self.hits(errno.errorcode[self.disk_error], self.disk_share):
            told = path.parent if path is not None and path.name.startswith(TEMPORARY_PREFIX) else path
            raise OSError(self.disk_error, os.strerror(self.disk_error), str(told) if told else None)
