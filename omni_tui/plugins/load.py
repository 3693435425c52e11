"""The machine's load as it tells it: a few small files, read in about a millisecond. Nothing is judged here.

A container shows the machine's own numbers, so what its control group tells is asked as well, and the worse one counts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import psutil

from omni_tui.model.load import Sample
from omni_tui.plugins.cgroups import Membership, memberships, memory_left
from omni_tui.plugins.machine import PRESSURE, space

_SOME = re.compile(r"some avg10=(\d+(?:\.\d+)?)")


def sample(directory: Path, pressure: Path = PRESSURE) -> Sample:
    """Look once; the space is that of `directory`'s file system. Blocks where that one does not answer."""
    groups = memberships()
    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    left = memory_left(groups)
    return Sample(
        cpu_pressure=_pressure("cpu", pressure, groups),
        memory_pressure=_pressure("memory", pressure, groups),
        io_pressure=_pressure("io", pressure, groups),
        load_per_core=os.getloadavg()[0] / (os.cpu_count() or 1),
        memory_mb=(memory.available if left is None else min(left, memory.available)) / 1e6,
        swap_percent=swap.percent if swap.total else None,
        space=space(directory),
    )


def _pressure(name: str, machine: Path, groups: Sequence[Membership]) -> float | None:
    """Return the pressure of the machine or of our own control group, whichever is higher."""
    files = [machine / name, *(group.path / f"{name}.pressure" for group in groups if group.version == 2)]
    return max((found for file in files if (found := _some(file)) is not None), default=None)


def _some(path: Path) -> float | None:
    try:
        found = _SOME.match(path.read_text())
    except OSError:  # not there, or there and switched off
        return None
    return float(found[1]) if found else None
