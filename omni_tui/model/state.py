"""The fleet's state: what its owner says of it apart from the tasks; in `state.json`, so that it survives a restart."""

from __future__ import annotations

import msgspec

from omni_tui.model.brakes import Brakes
from omni_tui.model.course import Parked
from omni_tui.model.effective import Effective
from omni_tui.model.sourced import SourceNote


class PublishedHold(msgspec.Struct, frozen=True, kw_only=True):
    """Why a waiting task does not start now, as the fleet's owner says."""

    kind: str
    """A word of `policy.holds.HoldKind`; a `str`, so that another version's state can be read."""
    message: str
    remedy: str = ""
    """What would lift it; completes "it is lifted ..."."""
    until: float | None = None
    """When it ends by itself, UTC seconds; None: nobody can tell."""


class FleetState(msgspec.Struct, frozen=True, kw_only=True):
    """`brakes` are a person's wish and last until taken back."""

    brakes: Brakes = Brakes()
    """Put on by commands and keys."""
    files: Brakes = Brakes()
    """Put on by files in `control/`, as they were seen last."""
    unguarded: bool = False
    """Agents run without a sandbox, because the settings say that they may."""
    load: str = ""
    """Which limit of the machine's load binds, with value and limit; empty: none, or nobody looks."""
    effective: Effective | None = None
    """How many may run at once, and what binds that; None: nobody has looked yet."""
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
    sources: tuple[SourceNote, ...] = ()
    """What the sources say that refill the queues."""
    holds: dict[str, PublishedHold] = msgspec.field(default_factory=dict, name="held")
    """Why each waiting task waits; keys are `workspace/id`. Earlier versions wrote words alone, as `holds`."""
    line: tuple[str, ...] = ()
    """Who is next in line: the tasks that only want of room holds, `workspace/id`, in the order in which they start."""

    @property
    def in_force(self) -> Brakes:
        """All brakes that are on."""
        return self.brakes.and_those(self.files)

    @property
    def frozen(self) -> bool:
        """Whether the whole fleet is frozen."""
        return self.in_force.frozen
