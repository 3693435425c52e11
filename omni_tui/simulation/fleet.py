"""A fleet in the simulated world: the real engine, policy and store; all that touches the world is simulated."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from omni_tui.engine.held import Held
from omni_tui.fleet import Fleet
from omni_tui.model.load import Sample
from omni_tui.model.project_settings import WorkspaceSettings
from omni_tui.model.settings import PluginSettings, Settings
from omni_tui.model.space import Space
from omni_tui.plugins.notifier.protocol import NotifierSpec
from omni_tui.plugins.runtime.protocol import RuntimeSpec
from omni_tui.plugins.scm.protocol import ScmSpec
from omni_tui.plugins.source.protocol import SourceSpec
from omni_tui.plugins.workspace.protocol import WorkspaceSpec
from omni_tui.policy.redaction import Secret
from omni_tui.simulation.agent import SimulatedAgent
from omni_tui.simulation.clock import LifeClock
from omni_tui.simulation.disk import SimulatedDisk
from omni_tui.simulation.life import Life
from omni_tui.simulation.notifier import MemoryNotifier
from omni_tui.simulation.parts import SteppedRuntime, SteppedScm, SteppedSource, SteppedWorkspace, Steps
from omni_tui.simulation.watching import SimulatedBackend
from omni_tui.simulation.world import SECRET, World
from omni_tui.store.lease import Lease, Process
from omni_tui.store.paths import WorkspacePaths
from omni_tui.store.watch import TreeWatch

ROOMY = Space(free_bytes=1 << 40, free_inodes_percent=90.0)
FULL = Space(free_bytes=0, free_inodes_percent=90.0)


class SimulatedFleet(Fleet):
    """What one dispatcher is made of."""

    def __init__(self, world: World, life: Life) -> None:
        disk = SimulatedDisk(life, world.conditions, block=world.loop.block, tell=world.tell, moved=world.oracle.moved)
        self.simulated_disk = disk
        self.backend = SimulatedBackend(world.conditions)
        self.life_clock = LifeClock(world.time, life, lambda: bool(world.machine.living()))
        super().__init__(world.paths.root, clock=self.life_clock, disk=disk)
        self._world = world
        self._life = life
        self._steps = Steps(life, world.chance, world.conditions, world.oracle)
        self.runtime = SteppedRuntime(RuntimeSpec(root=world.paths.root), world.machine, self._steps)
        self.held = Held([Secret("SIMULATED_TOKEN", SECRET)])

    def _load(self) -> Settings:
        """Return the world's settings; of the plugins that they choose only those are taken that touch nothing."""
        settings = self._world.settings
        return msgspec.structs.replace(settings, plugins=PluginSettings(reactions=settings.plugins.reactions))

    def take_lease(self, mode: str) -> Lease:
        """Become the one dispatcher; nobody waits for another's look at the lease."""
        process = Process(
            pid=self._life.pid, host="simulated", boot_id=f"{self._world.seed:08d}-simulated", started=self.clock.now()
        )
        path, now = self.paths.lease, self.clock.now
        return Lease.acquire(path, mode, now, process=lambda: process, pause=lambda _: None, disk=self.disk)

    def watch(self) -> TreeWatch:
        """Return what tells of changes in the tree."""
        return TreeWatch(self.backend)

    def load(self) -> Sample:
        """Return the simulated machine's load; of its disk all is free, or nothing."""
        space = FULL if self._world.conditions.disk_full else ROOMY
        return msgspec.structs.replace(self._world.conditions.load, space=space)

    async def sample(self) -> Sample:
        """Return the same; on no thread, for a simulated night must be the same again."""
        return self.load()

    def notifiers(self) -> Sequence[MemoryNotifier]:
        """Return what hears of everything and tells nobody."""
        return [MemoryNotifier(NotifierSpec(root=self.paths.root))]

    def harness(self, name: str) -> SimulatedAgent:  # noqa: ARG002 - there is one
        """Return a reader of the scripted agents' signals."""
        return SimulatedAgent()

    def secrets(self, name: str) -> Sequence[Secret]:  # noqa: ARG002 - they have none of their own
        """Return what agents get to see: nothing."""
        return ()

    def sources(self, name: str) -> Sequence[SteppedSource]:
        """Return the one that the world's tasks come from, where they come from one."""
        remote = self._world.remote
        if remote is None:
            return ()
        spec = SourceSpec(
            workspace=name, folder=self.paths.workspace(name).root, settings={}, variables={}, now=self.clock.now
        )
        return [SteppedSource(spec, remote, self._steps)]

    def scm_in(self, paths: WorkspacePaths, settings: WorkspaceSettings) -> SteppedScm:
        """Return the scm on the world's repository."""
        spec = ScmSpec(
            repo=paths.repo,
            base=settings.base,
            release=settings.release,
            author=self.settings.merge.author,
            origin="origin",
            now=self.clock.now,
        )
        return SteppedScm(spec, self._world.repository, self._world.origin, self._steps)

    def _checkouts(self, settings: WorkspaceSettings, paths: WorkspacePaths) -> SteppedWorkspace:  # noqa: ARG002
        spec = WorkspaceSpec(name=paths.name, repo=paths.repo, worktrees=paths.worktrees, copy_from=None)
        return SteppedWorkspace(spec, self._world.repository, self._steps)
