"""A machine in memory, and a runtime that starts scripted agents on it.

The machine outlives the runtime, as tmux does: a second `FakeRuntime` on it adopts what the first one started.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import Context
from pathlib import Path
from typing import ClassVar

from omni_tui.errors import RuntimeFailedError
from omni_tui.model.footprint import TreeUse
from omni_tui.model.pulse import Pulse
from omni_tui.model.text import clean, keep_sgr
from omni_tui.plugins.runtime.protocol import Exit, Handle, KillReceipt, Launch, RuntimeSpec, Screen

_BOOT = "simulated-boot"
_TERMINATED, _KILLED, _KILLED_STATUS = 143, 137, None


class OverCapError(Exception):
    """The kernel ends a process because its tree is at its cap of memory."""


class FakeAgent:
    """A scripted agent's own view: what it was started with, its terminal, its keys."""

    def __init__(self, pid: int, launch: Launch, columns: int, rows: int) -> None:
        self.pid = pid
        self.launch = launch
        self.columns = columns
        self.rows = rows
        self.stubborn = False
        """Whether it ignores the polite signal."""
        self.lines: list[str] = []
        self.typed: asyncio.Queue[str] = asyncio.Queue()
        self.task: asyncio.Task[int] | None = None
        self.ended: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
        self.released = False
        self.going = asyncio.Event()
        """Set but while it is suspended."""
        self.going.set()
        self.cpu_seconds = 0.0
        """What it has used of the CPU, as its script says."""
        self.memory_mb = 20.0
        self.children = 0
        self.printed = 0
        """Bytes that its terminal has taken."""

    def show(self, text: str) -> None:
        """Print `text` on its terminal."""
        lines = [keep_sgr(line) for line in text.split("\n")]
        self.lines += lines
        self.pour(sum(len(line) + 1 for line in lines))

    def take(self, memory_mb: float, children: int = 0) -> None:
        """Hold so much memory, and so many processes more. Raises `OverCapError`, which ends it, beyond its cap."""
        if 0 < self.launch.caps.memory_mb < memory_mb:
            raise OverCapError
        self.memory_mb, self.children = memory_mb, children

    def pour(self, size: int) -> None:
        """Print `size` bytes that nobody will look at."""
        self.printed += size


Program = Callable[[FakeAgent], Awaitable[int]]
"""What an agent does; returns its exit status. It is cancelled when it is killed."""


class FakeMachine:
    """Holds processes. `programs` are known by the first word of a launch; `now` gives UTC seconds."""

    def __init__(self, programs: Mapping[str, Program], now: Callable[[], float]) -> None:
        self.programs = dict(programs)
        self.now = now
        self.agents: dict[str, FakeAgent] = {}
        """By run directory."""
        self._pids = itertools.count(1000)

    def start(self, launch: Launch, columns: int, rows: int) -> FakeAgent:
        """Start the program of `launch` as a process of this machine."""
        agent = FakeAgent(next(self._pids), launch, columns, rows)
        self.agents[str(launch.run_dir)] = agent
        run = self._run(agent)
        agent.task = asyncio.get_running_loop().create_task(run, context=Context())  # it belongs to nobody else
        return agent

    async def _run(self, agent: FakeAgent) -> int:
        try:
            status, over = await self.programs[agent.launch.argv[0]](agent), 0.0
        except OverCapError:
            status, over = _KILLED, agent.launch.caps.memory_mb
        self.end(agent, status, over)
        return status

    def end(self, agent: FakeAgent, status: int | None, over_mb: float = 0.0) -> None:
        """End a process with `status`, now."""
        if not agent.ended.done():
            agent.ended.set_result(Exit(status=status, at=self.now(), over_mb=over_mb))
            if agent.task is not None:
                agent.task.cancel()

    def crash(self) -> None:
        """Lose every process at once, as a reboot does; nobody records an exit."""
        for agent in self.agents.values():
            self.end(agent, None)


class FakeRuntime:
    """Implements `Runtime` on a `FakeMachine`."""

    name: ClassVar[str] = "fake"
    survives: ClassVar[bool] = True

    def __init__(self, spec: RuntimeSpec, machine: FakeMachine) -> None:
        self._spec = spec
        self._machine = machine

    @classmethod
    def find(cls) -> str | None:
        """Return why it can be used: it always can."""
        return "simulated"

    async def start(self, launch: Launch) -> Handle:
        """Start `launch`, once for each `run_dir`. Raises `RuntimeFailedError` for a program that the machine lacks."""
        agent = self._machine.agents.get(str(launch.run_dir))
        if agent is None:
            if launch.argv[0] not in self._machine.programs:
                raise RuntimeFailedError(f"there is no program {launch.argv[0]!r}", where=launch.name)
            agent = self._machine.start(launch, self._spec.columns, self._spec.rows)
        return self._handle(launch.name, agent)

    def started(self, name: str, run_dir: Path) -> Handle | None:
        """Return the handle of what was started in a run's directory; None: nothing was."""
        agent = self._machine.agents.get(str(run_dir))
        return None if agent is None else self._handle(name, agent)

    def _handle(self, name: str, agent: FakeAgent) -> Handle:
        return Handle(
            runtime=self.name,
            name=name,
            run_dir=str(agent.launch.run_dir),
            pid=agent.pid,
            process_started=float(agent.pid),
            boot_id=_BOOT,
        )

    def _agent(self, handle: Handle) -> FakeAgent | None:
        agent = self._machine.agents.get(handle.run_dir)
        identity = (handle.pid, handle.process_started, handle.boot_id)
        return agent if agent is not None and identity == (agent.pid, float(agent.pid), _BOOT) else None

    def _required(self, handle: Handle) -> FakeAgent:
        agent = self._agent(handle)
        if agent is None or agent.released or agent.ended.done():
            raise RuntimeFailedError("its terminal is gone", where=handle.name)
        return agent

    def alive(self, handle: Handle) -> bool:
        """Whether the very process of `handle` lives."""
        agent = self._agent(handle)
        return agent is not None and not agent.ended.done()

    async def wait(self, handle: Handle) -> Exit:
        """Return when the agent has ended."""
        agent = self._agent(handle)
        if agent is None:
            return Exit(status=None, at=self._machine.now())
        return await asyncio.shield(agent.ended)

    async def pulse(self, handle: Handle) -> Pulse:
        """Look at its CPU time and how much it has printed."""
        agent = self._agent(handle)
        if agent is None or agent.ended.done():
            return Pulse(cpu_seconds=0.0, shown=0)
        return Pulse(cpu_seconds=agent.cpu_seconds, shown=self.printed(handle))

    async def measure(self, handles: Sequence[Handle]) -> Mapping[str, TreeUse]:
        """Look at what their scripts say that they take."""
        agents = [agent for handle in handles if (agent := self._agent(handle)) is not None and not agent.ended.done()]
        return {
            str(agent.launch.run_dir): TreeUse(
                cpu_seconds=agent.cpu_seconds, memory_mb=agent.memory_mb, processes=1 + agent.children
            )
            for agent in agents
        }

    async def sweep(self) -> None:
        """Remove nothing: agents leave nothing on a simulated machine."""

    def printed(self, handle: Handle) -> int:
        """Return the bytes that it has printed."""
        agent = self._agent(handle)
        return 0 if agent is None else agent.printed

    async def screen(self, handle: Handle, *, history: int = 0) -> Screen:
        """Return the last lines that it printed."""
        agent = self._agent(handle)
        if agent is None:
            return Screen(lines=(), columns=self._spec.columns, rows=self._spec.rows)
        return Screen(lines=tuple(agent.lines[-(agent.rows + history) :]), columns=agent.columns, rows=agent.rows)

    async def resize(self, handle: Handle, columns: int, rows: int) -> None:
        """Give its terminal another size."""
        agent = self._required(handle)
        agent.columns, agent.rows = columns, rows

    async def send(self, handle: Handle, text: str, *, enter: bool = True) -> None:
        """Type `text`, and a newline for Enter."""
        self._required(handle).typed.put_nowait(clean(text) + ("\n" if enter else ""))

    def attach_command(self, handle: Handle) -> tuple[str, ...]:
        """Return a command that names the agent; there is nothing to run."""
        return ("fake-attach", handle.run_dir)

    async def suspend(self, handle: Handle) -> None:
        """Have it stand still: its script waits where it looks next."""
        if (agent := self._agent(handle)) is not None:
            agent.going.clear()

    async def resume(self, handle: Handle) -> None:
        """Have it go on."""
        if (agent := self._agent(handle)) is not None:
            agent.going.set()

    async def kill(self, handle: Handle, *, grace: float) -> KillReceipt:
        """End it: at once if it minds the polite signal, else after `grace` seconds."""
        agent = self._agent(handle)
        if agent is None or agent.ended.done():
            return KillReceipt(method="gone", seconds=0.0)
        if not agent.stubborn:
            self._machine.end(agent, _TERMINATED)
            return KillReceipt(method="namespace", seconds=0.0)
        await asyncio.sleep(grace)
        self._machine.end(agent, _KILLED_STATUS)
        return KillReceipt(method="namespace", seconds=grace)

    async def release(self, handle: Handle) -> None:
        """Forget an ended agent; its screen stays. Raises `RuntimeFailedError` if it lives."""
        if self.alive(handle):
            raise RuntimeFailedError("the agent still runs", where=handle.name, fix="kill it before it is released")
        agent = self._agent(handle)
        if agent is not None:
            agent.released = True

    async def close(self) -> None:
        """Let go; the machine and its processes go on."""
