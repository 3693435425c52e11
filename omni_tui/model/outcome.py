"""How a task ended, as whoever it came from is told."""

from __future__ import annotations

import msgspec


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a task ended, told to its tracker and to the source it came from."""

    landed: bool
    message: str
    commit: str = ""
