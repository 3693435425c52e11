"""The machine's load as it tells it: a few small files, read in well under a millisecond. Nothing is judged here."""

from __future__ import annotations

import os
import re
from pathlib import Path

import psutil

from omni_tui.model.load import Sample

PRESSURE = Path("/proc/pressure/cpu")
_SOME = re.compile(r"some avg10=(\d+(?:\.\d+)?)")


def sample(pressure: Path = PRESSURE) -> Sample:
    """Look once; `pressure` is where the kernel tells of pressure stalls, on Linux from 4.20 where it is built in."""
    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    return Sample(
        cpu_pressure=_pressure(pressure),
        load_per_core=os.getloadavg()[0] / (os.cpu_count() or 1),
        memory_mb=memory.available / 1e6,
        swap_percent=swap.percent if swap.total else None,
    )


def _pressure(path: Path) -> float | None:
    try:
        found = _SOME.match(path.read_text())
    except OSError:  # not there, or there and switched off
        return None
    return float(found[1]) if found else None
