"""Leasing: whether somebody is there who dispatches. Without a dispatcher nothing starts, whatever else is free."""

from __future__ import annotations

from omni_tui.model.view import Owner
from omni_tui.policy.holds import Hold, HoldKind

COMMAND = "command"
"""The mode of an owner that carries out one request, and dispatches nothing."""


def lease_hold(owner: Owner | None) -> Hold | None:
    """Return what holds everything because of who owns the fleet; None: a dispatcher does."""
    if owner is None:
        return Hold(kind=HoldKind.LEASE, message="nobody dispatches this fleet")
    if owner.mode == COMMAND:
        words = f"a command owns the fleet for a moment (pid {owner.pid} on {owner.host}), and dispatches nothing"
        return Hold(kind=HoldKind.LEASE, message=words, remedy="once that command has ended")
    return None
