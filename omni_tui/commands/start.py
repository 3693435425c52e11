"""`omni-tui` without a command: the cockpit, or the headless core."""

from __future__ import annotations

from datetime import time

import msgspec

from omni_tui.commands.session import Session
from omni_tui.errors import UsageError


class StartOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The program's own options."""

    headless: bool
    until_idle: bool
    until: time | None
    lasting: float | None
    """Seconds."""
    slots: int | None
    stop_agents: bool


def start(session: Session, options: StartOptions) -> int:
    """Open the fleet's cockpit, or run the core without one. Returns the exit status."""
    session.command = "headless" if options.headless else "cockpit"
    root = session.root()
    raise UsageError(str(root))
