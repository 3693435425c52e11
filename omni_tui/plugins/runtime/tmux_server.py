"""The fleet's private tmux server: how it is set up, and the one control-mode client that we speak to it through.

Our client sits in a holder session of its own, which tmux destroys when the client goes. So a server with no agents
ends by itself, however we ended, and one with agents lives on: each has a session, where a person visits it alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
from pathlib import Path

from omni_tui.plugins.runtime.control_mode import ControlClient, TmuxGoneError
from omni_tui.plugins.runtime.protocol import RuntimeSpec

TERMINAL = "screen-256color"
"""What agents see as TERM; known to every terminfo, unlike tmux-256color."""

BACK_KEY = "F12"
"""Detaches a visitor, without a prefix: the prefix may be taken by a tmux around this one."""

_TRIES = 20
_TRY_SECONDS = 0.02

_OPTIONS = {
    "default-terminal": TERMINAL,
    "remain-on-exit": "on",
    "remain-on-exit-format": "",  # its text would become part of the agent's last screen
    "status": "off",
    "allow-rename": "off",
    "automatic-rename": "off",
    "allow-passthrough": "off",
    "set-clipboard": "off",  # agents write to nobody's clipboard
    "set-titles": "off",
    "bell-action": "none",
    "visual-activity": "off",
    "update-environment": "",
    "exit-empty": "on",
    "window-size": "latest",
    "escape-time": "10",
    "assume-paste-time": "0",  # else keys that come within a millisecond, as on a busy machine, go to the agent
}
_KEYS = (
    ("unbind-key", "-a", "-q", "-T", "prefix"),  # a visitor could close windows by accident
    ("bind-key", "-T", "prefix", "d", "detach-client"),
    ("bind-key", "-T", "prefix", "C-b", "send-prefix"),
    ("bind-key", "-T", "prefix", "[", "copy-mode"),
    ("bind-key", "-T", "prefix", "PPage", "copy-mode", "-u"),
    ("bind-key", "-n", BACK_KEY, "detach-client"),
)


class TmuxServer:
    """The server behind `socket`, started when first needed."""

    def __init__(self, program: str, socket: Path, spec: RuntimeSpec) -> None:
        self._program = program
        self._socket = socket
        self._history = spec.history_lines
        self._client: ControlClient | None = None
        self._pid = 0
        self._connecting = asyncio.Lock()

    async def client(self, *, start: bool = False) -> ControlClient:
        """Return the connected client; a lost one is replaced, and with `start` so is a lost server.

        Raises `TmuxGoneError` if there is no server and `start` is not given.
        """
        async with self._connecting:
            if self._client is None or not self._client.connected:
                self._client = await self._connect(start=start)
                [[pid]] = await self._client.run(("display-message", "-p", "#{pid}"))
                self._pid = int(pid)
            return self._client

    async def _connect(self, *, start: bool) -> ControlClient:
        """Connect; where a server may be started, again if we met one that was about to end."""
        for _ in range(_TRIES if start else 1):
            try:
                return await ControlClient.connect(self._command(start=start))
            except TmuxGoneError as error:
                gone = error
                await asyncio.sleep(_TRY_SECONDS)
        raise gone

    def _command(self, *, start: bool) -> list[str]:
        """Return the command line of a control client that sets the server up and attaches to a holder of its own."""
        options = {**_OPTIONS, "history-limit": str(self._history)}
        commands = [("set-option", "-gq", name, value) for name, value in options.items()]
        name = f"holder-{secrets.token_hex(8)}"
        holder = ("new-session", "-s", name, "-x", "20", "-y", "5", "-f", "no-output,ignore-size", "/bin/sh", "-c", ":")
        words = [word for command in (*commands, *_KEYS, holder) for word in (*command, ";")]
        vanish = ("set-option", "-t", f"={name}:", "destroy-unattached", "on")
        only_join = () if start else ("-N",)
        return [self._program, "-u", *only_join, "-S", str(self._socket), "-f", "/dev/null", "-C", *words, *vanish]

    def notice_exit(self) -> None:
        """Make the server look for ended children: it misses many an end, as libutempter takes its SIGCHLD."""
        if self._client is not None and self._client.connected:
            with contextlib.suppress(ProcessLookupError):  # it ended this very moment: nothing left to tell
                os.kill(self._pid, signal.SIGCHLD)

    async def close(self) -> None:
        """Let go of the server; it ends unless agents' sessions are left."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()
