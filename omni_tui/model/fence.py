"""The fence: what a plugin needs to keep a stale owner of the fleet from changing anything."""

from __future__ import annotations

from collections.abc import Callable

import msgspec


def _pass() -> None:
    """Let everybody through: who owns nothing has lost nothing."""


class Fence(msgspec.Struct, frozen=True, kw_only=True):
    """Whose deeds these are."""

    epoch: str = ""
    """Unique to the owner; empty: nobody's, as of a command that only looks."""
    check: Callable[[], None] = _pass
    """Raises `LeaseLostError` once the fleet is another's; asked right before what outlives the process."""
