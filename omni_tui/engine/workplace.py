"""A workplace: one workspace of a running fleet with the parts that were chosen for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from omni_tui.engine.flights import Flights
from omni_tui.model.attempt import AgentSpec
from omni_tui.model.confinement import Confinement, Passage
from omni_tui.model.flag import Flag, Flags
from omni_tui.model.frozen import FrozenPlan
from omni_tui.model.project_settings import WorkspaceSettings
from omni_tui.model.sandbox_settings import SandboxSettings
from omni_tui.plugins.agent.protocol import Agent
from omni_tui.plugins.scm.protocol import Scm
from omni_tui.plugins.source.protocol import Source
from omni_tui.plugins.tracker.protocol import Tracker
from omni_tui.plugins.workspace.protocol import Workspace
from omni_tui.policy.redaction import Secret
from omni_tui.store.paths import WorkspacePaths
from omni_tui.store.queue import Queue
from omni_tui.store.runs import Runs


class Ground(Protocol):
    """What a workspace's tasks build on."""

    def flags(self) -> Mapping[str, Flag]:
        """Read its feature flags. Raises `ConfigError`."""
        ...

    async def definitions(self, names: Collection[str]) -> Mapping[str, Sequence[str]]:
        """Return where the release branch defines each of `names` that it does, as `path:line`. Raises `ScmError`."""
        ...


@dataclass
class Workplace:
    """What is handed in for one workspace; only what has a default changes."""

    name: str
    settings: WorkspaceSettings
    paths: WorkspacePaths
    queue: Queue
    runs: Runs
    tracker: Tracker
    checkouts: Workspace
    scm: Scm
    agents: Callable[[], Sequence[AgentSpec]]
    """Reads the agents' directories: a new or changed agent counts from the next attempt on."""
    harness: Callable[[str], Agent]
    """Makes a fresh reader of an attempt's signals for a harness, by name."""
    ground: Ground
    secrets: Callable[[], Sequence[Secret]] = tuple
    """Reads what its agents get to see and nobody else may: the variables that they name, the files copied for them."""
    read_plan: Callable[[], FrozenPlan] = FrozenPlan
    """Reads the frozen plan; raises `ConfigError`."""
    sources: Sequence[Source] = ()
    """What refills its queue."""
    plan: FrozenPlan = field(default_factory=FrozenPlan)
    """The frozen plan in force."""
    landing: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One squash, check and landing at a time: the tested tree is the one that lands."""
    flights: Flights = field(default_factory=Flights)
    """The changes in flight."""
    spares_due: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a spare may have been used, the tip may have moved, or the settings have changed."""
    flags: Flags = field(default_factory=Flags)
    """Its feature flags in force; its premises keep them."""
    turn: int = 0
    """Whose turn it is among the agents."""
    base_tip: str = ""
    """The default branch's tip where the repository came from, as it was seen last; empty: not yet."""
    sound: set[str] = field(default_factory=set)
    """Commits on which the check has passed since the core began."""

    def confinement(
        self,
        checkout: Path,
        settings: SandboxSettings,
        *,
        read: Sequence[Path] = (),
        write: Sequence[Path] = (),
        net: bool,
        passage: Passage | None = None,
    ) -> Confinement:
        """Return what a program may see and change that works in `checkout`, beside what it needs itself.

        The bare repository's objects are there to be read, because a clone borrows them. A linked worktree keeps its
        index and its refs in it: then all of it but what git would run can be written.
        """
        repo, shared = self.paths.repo, self.checkouts.linked
        guarded = [repo / name for name in ("config", "hooks", "info")] if shared else [repo / "objects"]
        more = [Path(name).expanduser() for name in settings.read], [Path(name).expanduser() for name in settings.write]
        return Confinement(
            read=tuple(map(str, (*guarded, *read, *more[0]))),
            write=tuple(map(str, (*([repo] if shared else []), checkout, *write, *more[1]))),
            hide=(str(self.paths.fleet.root),),
            net=net,
            passage=passage,
        )
