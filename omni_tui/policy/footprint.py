"""Footprints: what looks at an agent's tree come to, and which of them are worth writing down."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from omni_tui.model.footprint import Footprint, TreeUse

NOTABLE_PERCENT = 5.0
"""A change of CPU use, in percent of one processor, that is told."""
NOTABLE_SHARE = 0.1
"""A change of memory that is told, as a share of it, and at least `NOTABLE_MB`."""
NOTABLE_MB = 5.0


def weigh(before: Footprint, uses: Sequence[tuple[float, TreeUse]]) -> Footprint:
    """Return a footprint after the last of `uses`; with their monotonic times, at most the last two are needed."""
    at, last = uses[-1]
    percent = before.cpu_percent
    if len(uses) > 1:
        since, earlier = uses[-2]
        percent = 100 * max(0.0, last.cpu_seconds - earlier.cpu_seconds) / (at - since) if at > since else percent
    return Footprint(
        cpu_percent=percent,
        cpu_seconds=max(before.cpu_seconds, last.cpu_seconds),
        memory_mb=last.memory_mb,
        peak_mb=max(before.peak_mb, last.memory_mb),
        processes=last.processes,
        killed=max(before.killed, last.killed),
        uncapped=last.uncapped,
    )


def at_rest(footprint: Footprint) -> Footprint:
    """Return the footprint of a tree that has ended."""
    return msgspec.structs.replace(footprint, cpu_percent=0.0, memory_mb=0.0, processes=0)


def is_news(told: Footprint, now: Footprint) -> bool:
    """Whether a footprint differs enough from the one told last: twenty quiet agents must not cost twenty writes."""
    if (told.processes, told.killed, told.uncapped) != (now.processes, now.killed, now.uncapped):
        return True
    memory = abs(now.memory_mb - told.memory_mb)
    if memory >= max(NOTABLE_MB, NOTABLE_SHARE * told.memory_mb):
        return True
    return abs(now.cpu_percent - told.cpu_percent) >= NOTABLE_PERCENT
