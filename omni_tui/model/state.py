"""The fleet's state: what its owner says of it apart from the tasks; in `state.json`, so that it survives a restart."""

from __future__ import annotations

import msgspec

from omni_tui.model.course import Parked


class FleetState(msgspec.Struct, frozen=True, kw_only=True):
    """`frozen` and `throttled` are a person's wish and last until taken back."""

    frozen: bool = False
    throttled: bool = False
    unguarded: bool = False
    """Agents run without a sandbox, because the settings say that they may."""
    message: str = ""
    """The latest thing that a person should read, such as a refused configuration."""
    stopped: str = ""
    """Why the run was stopped by its own rules; empty: it goes on."""
    parked: dict[str, Parked] = msgspec.field(default_factory=dict)
    """Providers that get no new attempt for now."""
    pauses: tuple[str, ...] = ()
    """What is paused for a known cause, a sentence each."""
    near: tuple[str, ...] = ()
    """Which budgets are nearly used up, a sentence each."""
    holds: dict[str, str] = msgspec.field(default_factory=dict)
    """Why each waiting task waits; keys are `workspace/id`."""
