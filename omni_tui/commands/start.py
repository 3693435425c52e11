"""`omni-tui` without a command: the cockpit, or the headless core."""

from __future__ import annotations

from datetime import time

import msgspec

from omni_tui.commands.session import Session
from omni_tui.errors import UsageError
from omni_tui.model.settings import Slots


class StartOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The program's own options."""

    headless: bool
    until_idle: bool
    until: time | None
    lasting: float | None
    """Seconds."""
    slots: Slots | None
    take_over: bool
    """Dispatch even where another process does."""
    stop_agents: bool


def start(session: Session, options: StartOptions) -> int:
    """Open the fleet's cockpit, or run the core without one. Returns the exit status."""
    session.command = "headless" if options.headless else "cockpit"
    root = session.root()
    if options.headless:
        from omni_tui.headless import HeadlessOptions
        from omni_tui.headless import run as run_headless

        chosen = {name: value for name, value in msgspec.structs.asdict(options).items() if name != "headless"}
        return run_headless(root, HeadlessOptions(json=session.json, **chosen))
    if session.json or options.until_idle or options.until or options.lasting:
        raise UsageError("--json, --until-idle, --until and --for are for the headless core", fix="add --headless")
    from omni_tui.cockpit.run import run as run_cockpit

    status: int = run_cockpit(root, slots=options.slots, take_over=options.take_over, stop_agents=options.stop_agents)
    return status
