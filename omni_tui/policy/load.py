"""Load: whether the machine has enough left for another agent. It brakes starts; it does not size the fleet.

Values are smoothed (an exponentially weighted moving average over `SMOOTH_SECONDS`), and a limit once passed binds
until the value has eased to `EASE` of it: a start must not follow each breath of the machine. To wait for a processor,
a disk or memory slows agents down and no more, so those limits bind only beside an agent that runs: one at a time
always goes on. Memory that is gone is gone at once, so of it only what comes back is smoothed.
"""

from __future__ import annotations

import math

import msgspec

from omni_tui.model.load import Load, Sample
from omni_tui.model.settings import LoadSettings

SMOOTH_SECONDS = 20.0
EASE = 0.8
"""Share of a limit at which it binds no more; for what must not become too little, of the value."""

SLOWS = ("memory_pressure", "cpu_pressure", "io_pressure", "load_per_core")
"""Values above whose limit agents are slow; above the others' they die."""

NAMES = ("memory_mb", "swap_percent", "memory_pressure", "cpu_pressure", "io_pressure", "load_per_core")
"""What has a limit, by how much it matters."""

WORDS = {
    "cpu_pressure": ("CPU pressure is {:.0f} %", "{:g} %"),
    "memory_pressure": ("memory pressure is {:.0f} %", "{:g} %"),
    "io_pressure": ("disk pressure is {:.0f} %", "{:g} %"),
    "load_per_core": ("the load is {:.1f} per core", "{:g}"),
    "memory_mb": ("{:.0f} MB of memory are available", "{:g} MB"),
    "swap_percent": ("{:.0f} % of the swap space is used", "{:g} %"),
}
"""Each value in words, and its limit."""


def follow(before: Load | None, sample: Sample, at: float, settings: LoadSettings) -> Load:
    """Take in a sample of the moment `at`, monotonic seconds."""
    weight = 1.0 if before is None else 1 - math.exp(-max(0.0, at - before.at) / SMOOTH_SECONDS)
    mixed = {name: _mix(before, name, getattr(sample, name), weight) for name in NAMES}
    smooth = msgspec.structs.replace(sample, **mixed)
    was_over: frozenset[str] = before.over if before is not None else frozenset()
    over = frozenset(name for name in NAMES if _is_over(name, smooth, settings, was=name in was_over))
    return Load(at=at, last=sample, smooth=smooth, over=over)


def binds(load: Load | None, settings: LoadSettings, running: int) -> str:
    """Return which limit keeps another agent from starting beside so many, with value and limit; empty: none."""
    for name in NAMES:
        limit = _limit(name, settings)
        if load is not None and name in load.over and limit and (running or name not in SLOWS):
            return _said(name, load.smooth, settings)
    return ""


def told(sample: Sample, settings: LoadSettings) -> list[str]:
    """Return each value that is known, in words, with its limit."""
    return [_said(name, sample, settings) for name in NAMES if getattr(sample, name) is not None]


def _said(name: str, sample: Sample, settings: LoadSettings) -> str:
    words, bound = WORDS[name]
    limit = _limit(name, settings)
    told = f"limit {bound.format(limit)}" if limit else "no limit"
    return f"{words.format(getattr(sample, name))} ({told})"


def must_park(load: Load, settings: LoadSettings) -> str:
    """Return why the newest agent has to make room now; empty: it need not. The last sample alone counts."""
    available = load.last.memory_mb
    if not settings.park_memory_mb or available is None or available >= settings.park_memory_mb:
        return ""
    return f"memory is about to run out: {available:.0f} MB are available (limit {settings.park_memory_mb:g} MB)"


def _limit(name: str, settings: LoadSettings) -> float:
    """Return a limit; nothing starts where the newest agent would have to make room at once."""
    limit: float = getattr(settings, name)
    return max(limit, settings.park_memory_mb) if name == "memory_mb" else limit


def _mix(before: Load | None, name: str, value: float | None, weight: float) -> float | None:
    known: float | None = getattr(before.smooth, name) if before is not None else None
    if value is None or known is None or (name == "memory_mb" and value < known):
        return value
    return known + weight * (value - known)


def _is_over(name: str, smooth: Sample, settings: LoadSettings, *, was: bool) -> bool:
    value, limit = getattr(smooth, name), _limit(name, settings)
    if value is None or not limit:
        return False
    if name == "memory_mb":
        return bool(value < (limit / EASE if was else limit))
    return bool(value > (limit * EASE if was else limit))
