"""The machine's load: one sample of it, and what is made of many."""

from __future__ import annotations

import msgspec


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """The machine at a moment; None: it does not tell."""

    cpu_pressure: float | None = None
    """Share of time in which something waited for a processor, in percent (pressure stall information, 10 s)."""
    load_per_core: float | None = None
    memory_mb: float | None = None
    """What programs can still have, without swapping."""
    swap_percent: float | None = None
    """Share of the swap space in use; None also where there is none."""


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What the samples so far come to."""

    at: float
    """Monotonic seconds of the last sample."""
    last: Sample
    smooth: Sample
    over: frozenset[str] = frozenset()
    """The values of `Sample` that are over their limit, or were and have not eased enough since."""
