"""Agents on ptys of our own, for machines without tmux: they end when the orchestrator does.

Where that is killed, they lose their terminal; bubblewrap and the reaper shield them from the hang-up, so that in those
they go on without one until the next orchestrator adopts them.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

from omni_tui.errors import RuntimeFailedError
from omni_tui.model.text import clean
from omni_tui.plugins.runtime import liveness, records
from omni_tui.plugins.runtime.attach_server import AttachServer
from omni_tui.plugins.runtime.emulator import Emulator
from omni_tui.plugins.runtime.keyboard import Keyboard
from omni_tui.plugins.runtime.protocol import Exit, Handle, Launch, RuntimeSpec, Screen
from omni_tui.plugins.runtime.pty_session import OutputFile, PtySession
from omni_tui.plugins.runtime.sockets import socket_path
from omni_tui.plugins.runtime.wrapped import WrappedRuntime

TERMINAL = "xterm-256color"
_CLOSE_GRACE = 1.0
_TYPED_LOOK_SECONDS = 0.01


class _Agent:
    """A running agent of this process: its child, its pty and its socket."""

    def __init__(self, child: subprocess.Popen[bytes], session: PtySession, server: AttachServer) -> None:
        self.child = child
        self.session = session
        self.server = server
        self.ended = asyncio.Event()


class ProcessRuntime(WrappedRuntime):
    """The runtime `process`."""

    name: ClassVar[str] = "process"
    survives: ClassVar[bool] = False

    def __init__(self, spec: RuntimeSpec) -> None:
        super().__init__(spec)
        self._agents: dict[str, _Agent] = {}
        self._watches: set[asyncio.Task[None]] = set()

    @classmethod
    def find(cls) -> str | None:
        """Return the shell that starts agents; there is one on every POSIX system."""
        return "/bin/sh"

    async def start(self, launch: Launch) -> Handle:
        """Start `launch` on a pty; if `run_dir` shows that it was started before, return that handle.

        Raises `RuntimeFailedError` when the program cannot be started.
        """
        known = self.started(launch.name, launch.run_dir)
        if known is not None:
            return known
        self._prepare(launch, TERMINAL)
        session = PtySession(launch.run_dir, self._spec)
        child = _spawn(self._wrapper(launch, session.tty))
        try:
            handle = await self._recorded(launch)
        except RuntimeFailedError:
            child.kill()
            child.wait()
            session.close()
            raise
        agent = _Agent(child, session, AttachServer(session, _socket_of(handle)))
        await agent.server.open()
        self._agents[handle.run_dir] = agent
        watch = asyncio.create_task(self._watch(handle, agent))
        self._watches.add(watch)
        watch.add_done_callback(self._watches.discard)
        return handle

    async def _watch(self, handle: Handle, agent: _Agent) -> None:
        """When the agent ends, read the rest of its output and reap it."""
        await liveness.wait_until_dead(handle.pid, handle.process_started, handle.boot_id)
        agent.child.wait()
        agent.session.close()
        await agent.server.close()
        agent.ended.set()

    async def wait(self, handle: Handle) -> Exit:
        """Return when the agent has ended, at once if it already has. Costs nothing while it lives (pidfd)."""
        agent = self._agents.get(handle.run_dir)
        if agent is not None:
            await agent.ended.wait()
            return await super().wait(handle)
        ended = await super().wait(handle)
        # Its terminal went with the process that had started it: what it failed of after that is no fault of its own.
        return ended if ended.status == 0 else Exit(status=None, at=ended.at)

    async def _shown(self, handle: Handle) -> int:
        return self.printed(handle)

    def printed(self, handle: Handle) -> int:
        """Return the bytes that its terminal has taken so far; 0: it is another process's agent."""
        agent = self._agents.get(handle.run_dir)
        return 0 if agent is None else agent.session.printed

    async def screen(self, handle: Handle, *, history: int = 0) -> Screen:
        """Return what its terminal shows, with up to `history` lines above; the kept screen once it is released."""
        agent = self._agents.get(handle.run_dir)
        if agent is not None:
            await agent.session.emulator.catch_up()
            return self._seen(agent.session.emulator, history)
        emulator = await self._replay(Path(handle.run_dir))
        if emulator is not None and self.alive(handle):  # another process's agent: seen, and left alone
            return self._seen(emulator, history)
        await self._keep(handle)
        return self._last_screen(handle, history)

    def _seen(self, emulator: Emulator, history: int) -> Screen:
        columns, rows = emulator.size
        return Screen(lines=self._fit_to_show(emulator.lines(history)), columns=columns, rows=rows)

    async def _keep(self, handle: Handle) -> None:
        """Write `pane.log` from the output on disk, where an earlier process went without doing so."""
        run_dir = Path(handle.run_dir)
        emulator = None if self.alive(handle) else await self._replay(run_dir)
        if emulator is not None:
            self._write_log(run_dir, emulator)

    async def _replay(self, run_dir: Path) -> Emulator | None:
        """Return the terminal as the output on disk drew it; None: there is no output."""
        output = OutputFile.last(run_dir)
        if not output:
            return None
        emulator = Emulator(self._spec.columns, self._spec.rows, self._spec.history_lines, lambda _answer: None)
        emulator.feed(output)
        await emulator.catch_up()
        return emulator

    def _write_log(self, run_dir: Path, emulator: Emulator) -> None:
        records.write_log(run_dir, self._fit_to_show(emulator.lines(self._spec.history_lines)))
        (run_dir / "output").unlink(missing_ok=True)

    def _required(self, handle: Handle) -> PtySession:
        agent = self._agents.get(handle.run_dir)
        if agent is None or agent.ended.is_set():
            raise RuntimeFailedError("its terminal is gone", where=handle.name)
        return agent.session

    async def resize(self, handle: Handle, columns: int, rows: int) -> None:
        """Give its terminal another size."""
        self._required(handle).resize(columns, rows)

    async def send(self, handle: Handle, text: str, *, enter: bool = True) -> None:
        """Paste `text`, without control characters but newline and tab, then press Enter once it has arrived."""
        session = self._required(handle)

        async def look() -> object:
            await session.emulator.catch_up()
            return session.emulator.cursor, session.emulator.lines()

        async def paste() -> None:
            typed = clean(text).replace("\n", "\r").encode("utf-8", "replace")
            bracketed = session.emulator.has_mode(2004)
            session.write(b"\x1b[200~" + typed + b"\x1b[201~" if bracketed else typed)
            while session.unwritten and self.alive(handle):  # noqa: ASYNC110 (the kernel takes 4 KiB at a time)
                await asyncio.sleep(_TYPED_LOOK_SECONDS)

        async def press_enter() -> None:
            session.write(b"\r")

        await Keyboard(look, press_enter).type(paste, enter=enter)

    def attach_command(self, handle: Handle) -> tuple[str, ...]:
        """Return the command of the small client that visits its terminal."""
        return (sys.executable, "-m", "omni_tui.plugins.runtime.attach", str(_socket_of(handle)))

    async def release(self, handle: Handle) -> None:
        """Keep the end of what an ended agent showed in `pane.log`, and forget it."""
        self._require_ended(handle)
        await self._tidy(handle)
        agent = self._agents.get(handle.run_dir)
        if agent is None:
            await self._keep(handle)
            return
        await agent.ended.wait()
        await agent.session.emulator.catch_up()
        self._write_log(Path(handle.run_dir), agent.session.emulator)
        del self._agents[handle.run_dir]

    async def close(self) -> None:
        """End the agents, whose terminals go with us, and keep what they showed."""
        await asyncio.gather(*map(self._end, list(self._agents)))

    async def _end(self, run_dir: str) -> None:
        record = records.read_process(Path(run_dir))
        if record is not None:
            handle = records.handle_of(self.name, Path(run_dir).name, Path(run_dir), record)
            await self.kill(handle, grace=_CLOSE_GRACE)
            await self.release(handle)


def _spawn(argv: tuple[str, ...]) -> subprocess.Popen[bytes]:
    """Start the wrapper as the leader of a session without a terminal, so that the pty it opens becomes its own."""
    quiet = subprocess.DEVNULL
    return subprocess.Popen(argv, stdin=quiet, stdout=quiet, stderr=quiet, env={}, cwd="/", start_new_session=True)


def _socket_of(handle: Handle) -> Path:
    return socket_path(Path(handle.run_dir) / "attach.sock")
