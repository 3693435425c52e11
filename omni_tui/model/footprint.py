"""A footprint: what an agent's tree of processes takes of the machine, and what it may take."""

from __future__ import annotations

import msgspec


class TreeUse(msgspec.Struct, frozen=True, kw_only=True):
    """One look at a tree."""

    cpu_seconds: float
    """CPU time of all its processes so far, the ended ones included."""
    memory_mb: float
    """What they hold in memory. Where their control group does not tell, what they share counts for each."""
    processes: int
    killed: int = 0
    """Processes of it that the kernel ended so far because it was at its cap of memory."""
    uncapped: bool = False
    """It was to be capped, and could not be."""


class Footprint(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an attempt's tree by all looks so far."""

    cpu_percent: float = 0.0
    """Of one processor, between the last two looks."""
    cpu_seconds: float = 0.0
    memory_mb: float = 0.0
    peak_mb: float = 0.0
    """The most memory at any look."""
    processes: int = 0
    killed: int = 0
    """Processes of it that the kernel ended because it was at its cap of memory."""
    uncapped: bool = False
    """It was to be capped, and could not be."""


class Caps(msgspec.Struct, frozen=True, kw_only=True):
    """What a tree may take at most; 0: any amount."""

    memory_mb: float = 0.0
    processes: int = 0
    cpus: float = 0.0
    """Processors' worth of time."""

    @property
    def any(self) -> bool:
        """Whether anything is capped."""
        return bool(self.memory_mb or self.processes or self.cpus)
