"""A pulse: what the machine itself tells of an agent's process tree, when its own signals have gone silent."""

from __future__ import annotations

import msgspec


class Pulse(msgspec.Struct, frozen=True, kw_only=True):
    """One look at a tree; what counts is the difference between two."""

    cpu_seconds: float
    """CPU time of all its processes so far."""
    shown: int
    """Differs from an earlier look's once the terminal has shown anything new; otherwise without meaning."""
