"""The machine under the fleet: whether its disk has room for another attempt, and whether it has been asleep."""

from __future__ import annotations

from omni_tui.model.settings import LimitSettings
from omni_tui.model.space import Space
from omni_tui.policy.vitals import Moment

SLEEP_SECONDS = 30.0
"""Seconds that the wall clock must run ahead of the monotonic one to count as sleep; a clock is set by less."""


def shortage(space: Space | None, limits: LimitSettings) -> str:
    """Return what the disk has too little of for another start; empty: it has enough, or nobody has looked."""
    if space is None:
        return ""
    free = space.free_bytes / 1e9
    if free < limits.reserve_gb:
        return f"the disk has {free:.2f} GB free; {limits.reserve_gb:g} GB are kept in reserve"
    if space.free_inodes_percent < limits.reserve_inodes_percent:
        reserve = f"{limits.reserve_inodes_percent:g} % are kept in reserve"
        return f"the disk has {space.free_inodes_percent:.1f} % of its inodes free; {reserve}"
    return ""


def slept(before: Moment, after: Moment) -> float:
    """Return the seconds that the machine was suspended between two moments; 0: it was not.

    The monotonic clock stands still meanwhile (Linux, macOS), so every deadline on it has moved by as much already. A
    clock that is set ahead looks the same, which does no harm: nothing is ended for either.
    """
    ahead = (after.utc - before.utc) - (after.monotonic - before.monotonic)
    return ahead if ahead >= SLEEP_SECONDS else 0.0
