"""The machine's load: one sample of it, and what is made of many."""

from __future__ import annotations

import msgspec

from omni_tui.model.space import Space


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """The machine at a moment; None: it does not tell."""

    cpu_pressure: float | None = None
    """Share of time in which something waited for a processor, in percent (pressure stall information, 10 s)."""
    memory_pressure: float | None = None
    """The same for memory: something waited until the kernel had found some."""
    io_pressure: float | None = None
    """The same for the disks."""
    load_per_core: float | None = None
    memory_mb: float | None = None
    """What programs can still have, without swapping: of the machine, or of the container around us."""
    swap_percent: float | None = None
    """Share of the swap space in use; None also where there is none."""
    space: Space | None = None
    """What is free on the fleet's disk."""


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What the samples so far come to."""

    at: float
    """Monotonic seconds of the last sample."""
    last: Sample
    smooth: Sample
    over: frozenset[str] = frozenset()
    """The values of `Sample` that are over their limit, or were and have not eased enough since."""
