"""Agents in tmux: each in a session of its own on the fleet's private server, where they outlive the orchestrator.

The pane is a window to look through. Who lives and how it ended is known from the wrapper's records (`wrapped`).
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import ClassVar, TypeVar

import libtmux
from libtmux.common import has_gte_version

from omni_tui.errors import RuntimeFailedError
from omni_tui.model.text import clean
from omni_tui.plugins.runtime import liveness, records
from omni_tui.plugins.runtime.control_mode import ControlClient, TmuxGoneError, TmuxRefusedError
from omni_tui.plugins.runtime.keyboard import Keyboard
from omni_tui.plugins.runtime.line_drawing import draw_lines
from omni_tui.plugins.runtime.protocol import Exit, Handle, Launch, RuntimeSpec, Screen
from omni_tui.plugins.runtime.sockets import socket_path
from omni_tui.plugins.runtime.tmux_server import TERMINAL, TmuxServer
from omni_tui.plugins.runtime.wrapped import WrappedRuntime

T = TypeVar("T")

_OLDEST = "3.2"
"""The first with client flags (`no-output`) and `-N`."""
_UNSAFE_IN_NAME = re.compile(r"[^A-Za-z0-9_/-]+", re.ASCII)
_DEATH_SECONDS = 5.0
_DEATH_LOOK_SECONDS = 0.01


class TmuxRuntime(WrappedRuntime):
    """The runtime `tmux`. One server is enough: the scheduler has at most 64 slots, tmux is quick to some 100."""

    name: ClassVar[str] = "tmux"
    survives: ClassVar[bool] = True

    def __init__(self, spec: RuntimeSpec) -> None:
        super().__init__(spec)
        self._program = shutil.which("tmux") or "tmux"
        self._socket = socket_path(spec.root / "tmux.sock")
        self._server = TmuxServer(self._program, self._socket, spec)

    @classmethod
    def find(cls) -> str | None:
        """Return tmux's path; None: it is missing or older than 3.2."""
        program = shutil.which("tmux")
        return program if program is not None and has_gte_version(_OLDEST, tmux_bin=program) else None

    async def start(self, launch: Launch) -> Handle:
        """Start `launch` in a session of its own; if `run_dir` shows that it was started before, return that handle.

        Raises `RuntimeFailedError` when the program cannot be started.
        """
        try:
            return await self._start(launch)
        except TmuxGoneError:  # the server ended at this very moment: nothing runs yet, or it will be found
            return await self._start(launch)

    async def _start(self, launch: Launch) -> Handle:
        known = self.started(launch.name, launch.run_dir)
        if known is not None:
            return known
        client = await self._server.client(start=True)
        if records.start_was_interrupted(launch.run_dir) and await asyncio.to_thread(self._has_pane_of, launch.run_dir):
            return await self._recorded(launch)
        self._prepare(launch, TERMINAL)
        [[answer]] = await client.run(self._new_session(launch))
        pane, pid = answer.split()
        await self._count_output(client, pane, launch)
        started = liveness.start_time(int(pid))
        if started is None:  # over already: the record tells
            return await self._recorded(launch)
        return Handle(
            runtime=self.name,
            name=launch.name,
            run_dir=str(launch.run_dir),
            pid=int(pid),
            process_started=started,
            boot_id=liveness.boot_id(),
            pane=pane,
        )

    def _new_session(self, launch: Launch) -> tuple[str, ...]:
        size = ("-x", str(self._spec.columns), "-y", str(self._spec.rows))
        name = _UNSAFE_IN_NAME.sub("-", launch.name)  # tmux runs `#(…)` in a name
        answer = ("-P", "-F", "#{pane_id} #{pane_pid}")
        return ("new-session", "-d", *answer, *size, "-c", "/", "-n", name, "--", *self._wrapper(launch))

    async def _count_output(self, client: ControlClient, pane: str, launch: Launch) -> None:
        """Have the moment noted at which the pane has taken too much: tmux counts nothing.

        The counter is two processes that rest as long as the pane does, and end with it or at that moment. It goes on
        where we do not. tmux fills in `%` in such a command, too.
        """
        if not launch.output_bytes:
            return
        command = _literal(records.flood_counter(launch.run_dir, launch.output_bytes)).replace("%", "%%")
        with contextlib.suppress(TmuxRefusedError):  # it has ended already
            await client.run(("pipe-pane", "-O", "-t", pane, command))

    def printed(self, handle: Handle) -> int:
        """Return the bytes that its terminal has taken, once they are more than it may; 0 until then."""
        return records.read_flood(Path(handle.run_dir))

    def _has_pane_of(self, run_dir: Path) -> bool:
        """Whether a pane was made for `run_dir`. Asked only after a start that was cut off: it may cost a process."""
        server = libtmux.Server(socket_path=self._socket, tmux_bin=self._program)
        return any(f"claim {run_dir} " in (pane.pane_start_command or "").replace('"', "") for pane in server.panes)

    async def wait(self, handle: Handle) -> Exit:
        """Return when the agent has ended, at once if it already has. Costs nothing while it lives (pidfd)."""
        ended = await super().wait(handle)
        self._server.notice_exit()
        return ended

    async def _shown(self, handle: Handle) -> int:
        async def look(client: ControlClient) -> int:
            place = ("display-message", "-p", "-t", handle.pane, "#{cursor_x},#{cursor_y},#{history_size}")
            seen = await client.run(place, ("capture-pane", "-p", "-t", handle.pane))
            return zlib.crc32(repr(seen).encode())

        return await self._with_pane(handle, look) or 0

    async def screen(self, handle: Handle, *, history: int = 0) -> Screen:
        """Return what its pane shows, with up to `history` lines above; the kept screen once it is released."""
        seen = await self._with_pane(handle, lambda client: self._capture(client, handle, history))
        return seen or self._last_screen(handle, history)

    async def _with_pane(self, handle: Handle, act: Callable[[ControlClient], Awaitable[T]]) -> T | None:
        """Return what `act` does with the client of `handle`'s pane; None if that is gone, be it at this very moment.

        Where only our client went, it is done again.
        """
        client = await self._client_of(handle)
        try:
            return None if client is None else await act(client)
        except TmuxGoneError:
            client = await self._client_of(handle)
            return None if client is None else await act(client)

    async def _client_of(self, handle: Handle) -> ControlClient | None:
        """Return the client if the pane is `handle`'s: after a server's death its id may be another agent's."""
        for _ in range(2):  # the first time it may be our client only that is gone
            with contextlib.suppress(TmuxGoneError):
                client = await self._server.client()
                [answer] = await client.run(("display-message", "-p", "-t", handle.pane, "#{pane_id} #{pane_pid}"))
                return client if answer == [f"{handle.pane} {handle.pid}"] else None
        return None

    async def _required(self, handle: Handle) -> ControlClient:
        client = await self._client_of(handle)
        if client is None:
            raise RuntimeFailedError("its terminal is gone", where=handle.name)
        return client

    async def _capture(self, client: ControlClient, handle: Handle, history: int) -> Screen:
        start = f"-{history}" if history else "0"
        [size], lines = await client.run(
            ("display-message", "-p", "-t", handle.pane, "#{pane_width} #{pane_height}"),
            ("capture-pane", "-p", "-e", "-t", handle.pane, "-S", start),
        )
        columns, rows = map(int, size.split())
        return Screen(lines=self._fit_to_show(map(draw_lines, lines)), columns=columns, rows=rows)

    async def resize(self, handle: Handle, columns: int, rows: int) -> None:
        """Give its pane another size, until somebody visits it with a terminal of another."""
        client = await self._required(handle)
        await client.run(("resize-window", "-t", handle.pane, "-x", str(columns), "-y", str(rows)))

    async def send(self, handle: Handle, text: str, *, enter: bool = True) -> None:
        """Paste `text`, without control characters but newline and tab, then press Enter once it has arrived."""
        client = await self._required(handle)

        async def paste() -> None:
            await self._paste(client, handle, clean(text))

        async def look() -> object:
            return await client.run(
                ("display-message", "-p", "-t", handle.pane, "#{cursor_x},#{cursor_y},#{history_size}"),
                ("capture-pane", "-p", "-t", handle.pane),
            )

        async def press_enter() -> None:
            await client.run(("send-keys", "-t", handle.pane, "Enter"))

        await Keyboard(look, press_enter).type(paste, enter=enter)

    async def _paste(self, client: ControlClient, handle: Handle, text: str) -> None:
        """Hand `text` over in a file: a command line takes 16 KB, and typed keys would be looked up as names."""
        if not text:
            return
        path = Path(handle.run_dir) / "paste"
        buffer = f"omni-{handle.pid}"
        records.write_private(path, text.encode("utf-8", "replace"))
        try:
            await client.run(
                ("load-buffer", "-b", buffer, _literal(str(path))),
                ("paste-buffer", "-d", "-p", "-b", buffer, "-t", handle.pane),
            )
        finally:
            path.unlink()

    def attach_command(self, handle: Handle) -> tuple[str, ...]:
        """Return the tmux command that shows the agent's session; the window then follows the visitor's size."""
        follow = ("set-option", "-w", "-t", handle.pane, "window-size", "latest")
        attach = ("attach-session", "-t", handle.pane)
        return (self._program, "-S", str(self._socket), *follow, ";", *attach)

    async def release(self, handle: Handle) -> None:
        """Keep the end of what an ended agent showed in `pane.log`, and close its session."""
        self._require_ended(handle)

        async def keep(client: ControlClient) -> None:
            await self._all_shown(client, handle)
            screen = await self._capture(client, handle, self._spec.history_lines)
            records.write_log(Path(handle.run_dir), screen.lines)
            await client.run(("kill-pane", "-t", handle.pane))

        await self._with_pane(handle, keep)
        await self._tidy(handle)

    async def _all_shown(self, client: ControlClient, handle: Handle) -> None:
        """Wait, at most some seconds, until tmux knows of the end: only then has it read the last output."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _DEATH_SECONDS
        while loop.time() < deadline:
            self._server.notice_exit()
            [[dead]] = await client.run(("display-message", "-p", "-t", handle.pane, "#{pane_dead}"))
            if dead == "1":
                return
            await asyncio.sleep(_DEATH_LOOK_SECONDS)

    async def close(self) -> None:
        """Let go of the server. It goes on for as long as there are agents, ended or not, that were not released."""
        await self._server.close()


def _literal(text: str) -> str:
    """Return `text` as tmux leaves it alone where it would fill in `#{…}` and run `#(…)`."""
    return text.replace("#", "##")
