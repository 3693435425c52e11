"""The parts of a dispatcher's world: the fakes of runtime, scm and checkouts, with steps where a process can die.

Each operation takes a moment, in which others go on; before and after it its process may die. The oracle hears of it.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random

from omni_tui.errors import RuntimeFailedError, SourceError
from omni_tui.model.outcome import Outcome
from omni_tui.model.pulse import Pulse
from omni_tui.plugins.runtime.protocol import Handle, KillReceipt, Launch, RuntimeSpec
from omni_tui.plugins.scm.protocol import Merge, Push, Rescue, ScmSpec
from omni_tui.plugins.source.protocol import Poll, SourceSpec
from omni_tui.plugins.workspace.protocol import WorkspaceSpec, Worktree
from omni_tui.simulation.conditions import Conditions
from omni_tui.simulation.life import KilledError, Life
from omni_tui.simulation.oracle import Oracle
from omni_tui.simulation.repository import MemoryRepository
from omni_tui.simulation.runtime import FakeMachine, FakeRuntime
from omni_tui.simulation.scm import MemoryScm
from omni_tui.simulation.service import PREFLIGHT
from omni_tui.simulation.source import MemoryRemote, MemorySource
from omni_tui.simulation.workspace import MemoryWorkspace

FAILING_SHARE = 0.5
"""Of launches and of what is asked of a source, while they fail."""


class Steps:
    """How one process reaches the world: step by step, each a moment long."""

    def __init__(self, life: Life, chance: Random, conditions: Conditions, oracle: Oracle) -> None:
        self.conditions = conditions
        self.oracle = oracle
        self._life = life
        self._chance = chance

    def act(self, name: str) -> None:
        """Take a step that takes no time."""
        self._life.act(name)

    async def take(self, name: str, least: float, most: float) -> None:
        """Take a step of so many seconds. Raises `KilledError` if the process does not live to its end."""
        self._life.act(name)
        await asyncio.sleep(self._chance.uniform(least, most))
        if not self._life.alive:
            raise KilledError(name)


class SteppedRuntime(FakeRuntime):
    """Starts and ends scripted agents."""

    def __init__(self, spec: RuntimeSpec, machine: FakeMachine, steps: Steps) -> None:
        super().__init__(spec, machine)
        self._steps = steps

    async def start(self, launch: Launch) -> Handle:
        """Start an agent or a check. Raises `RuntimeFailedError` while nothing can be started."""
        await self._steps.take("start", 0.1, 0.8)
        known = str(launch.run_dir) in self._machine.agents
        conditions = self._steps.conditions
        if not known and conditions.launches_fail and conditions.hits("launch", FAILING_SHARE):
            raise RuntimeFailedError("no new terminal can be had", where=launch.name)
        if not known and not launch.env.get("OMNI_TASK", PREFLIGHT).startswith(PREFLIGHT):
            self._steps.oracle.starting(launch)
        handle = await super().start(launch)
        self._steps.act("started")
        return handle

    async def pulse(self, handle: Handle) -> Pulse:
        """Look at a process tree."""
        self._steps.act("pulse")
        return await super().pulse(handle)

    async def kill(self, handle: Handle, *, grace: float) -> KillReceipt:
        """End a process tree."""
        await self._steps.take("kill", 0.01, 0.1)
        receipt = await super().kill(handle, grace=grace)
        self._steps.act("killed")
        return receipt

    async def release(self, handle: Handle) -> None:
        """Forget a process."""
        self._steps.act("release")
        await super().release(handle)


class SteppedScm(MemoryScm):
    """Works on the repository."""

    def __init__(self, spec: ScmSpec, repository: MemoryRepository, origin: MemoryRepository, steps: Steps) -> None:
        super().__init__(spec, repository, origin)
        self._steps = steps

    async def open(self) -> str:
        """Make the release branch."""
        await self._steps.take("open", 0.01, 0.1)
        tip = await super().open()
        self._steps.oracle.look_at_refs()
        return tip

    async def collect(self, worktree: Path, branch: str) -> str | None:
        """Bring in a branch."""
        await self._steps.take("collect", 0.02, 0.3)
        head = await super().collect(worktree, branch)
        self._steps.oracle.look_at_refs()
        self._steps.act("collected")
        return head

    async def rescue(self, worktree: Path, head: str, ref: str) -> Rescue:
        """Keep what is not committed."""
        await self._steps.take("rescue", 0.02, 0.5)
        rescue = await super().rescue(worktree, head, ref)
        self._steps.oracle.look_at_refs()
        self._steps.act("rescued")
        return rescue

    async def squash(self, head: str, message: str) -> Merge:
        """Make the commit that would land."""
        await self._steps.take("squash", 0.02, 0.3)
        return await super().squash(head, message)

    async def head(self, worktree: Path, branch: str) -> str:
        """Look how far an attempt is."""
        await self._steps.take("head", 0.01, 0.2)
        return await super().head(worktree, branch)

    async def conflicts(self, one: str, other: str) -> tuple[str, ...]:
        """Try whether two changes merge."""
        await self._steps.take("conflicts", 0.01, 0.2)
        return await super().conflicts(one, other)

    async def land(self, merge: Merge) -> bool:
        """Move the release branch."""
        await self._steps.take("land", 0.01, 0.1)
        before = await self.tip()
        landed = await super().land(merge)
        if await self.tip() != before:
            self._steps.oracle.landed(merge.commit)
        self._steps.oracle.look_at_refs()
        self._steps.act("landed")
        return landed

    async def push(self) -> Push:
        """Push the release branch."""
        await self._steps.take("push", 0.1, 2.0)
        push = await super().push()
        self._steps.act("pushed")
        return push


class SteppedSource(MemorySource):
    """Asks and tells the remote, which fails now and then."""

    def __init__(self, spec: SourceSpec, remote: MemoryRemote, steps: Steps) -> None:
        super().__init__(spec, remote)
        self._steps = steps

    async def poll(self, cursor: str) -> Poll:
        """Ask for what is offered."""
        await self._steps.take("poll", 0.1, 5.0)
        self._fail("poll")
        poll = await super().poll(cursor)
        self._steps.act("polled")
        return poll

    async def tell(self, key: str, outcome: Outcome) -> None:
        """Say how a task ended."""
        await self._steps.take("tell", 0.1, 2.0)
        self._fail("tell")
        await super().tell(key, outcome)
        self._steps.act("told")

    def _fail(self, kind: str) -> None:
        if self._steps.conditions.remote_fails and self._steps.conditions.hits(kind, FAILING_SHARE):
            raise SourceError("the remote is out of order", retry_after=90.0)


class SteppedWorkspace(MemoryWorkspace):
    """Makes and removes checkouts."""

    def __init__(self, spec: WorkspaceSpec, repository: MemoryRepository, steps: Steps) -> None:
        super().__init__(spec, repository)
        self._steps = steps

    async def prepare(self, name: str, branch: str, tip: str) -> Worktree:
        """Make a checkout for an agent."""
        await self._steps.take("prepare", 0.1, 3.0)
        worktree = await super().prepare(name, branch, tip)
        self._steps.act("prepared")
        return worktree

    async def checkout(self, name: str, commit: str) -> Path:
        """Make a checkout for a check."""
        await self._steps.take("checkout", 0.1, 2.0)
        return await super().checkout(name, commit)

    async def remove(self, path: Path) -> None:
        """Remove a checkout."""
        await self._steps.take("remove", 0.01, 0.3)
        self._steps.oracle.removing(path)
        await super().remove(path)
        self._steps.act("removed")

    async def make_spares(self, tip: str, count: int) -> int:
        """Have spares ready."""
        await self._steps.take("spares", 0.1, 2.0)
        return await super().make_spares(tip, count)
