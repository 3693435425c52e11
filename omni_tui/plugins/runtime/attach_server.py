"""Shows a `PtySession` to visitors over a unix socket: frames of the emulated screen out, keys and sizes in.

What the program wrote never reaches a visitor's terminal as it is: frames hold text, colours and our cursor moves.
Messages in: `k`, two bytes of length, keys; `r`, two bytes of columns, two bytes of rows; numbers big-endian.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from pathlib import Path

from omni_tui.model.text import keep_sgr
from omni_tui.plugins.runtime.emulator import Emulator
from omni_tui.plugins.runtime.pty_session import PtySession

_FRAME_SECONDS = 0.05
_MIRRORED = (1, 2004)
"""Private modes that change what keys send, so that the visitor's terminal must have them too."""


class AttachServer:
    """Listens at `path` for as long as the session lives."""

    def __init__(self, session: PtySession, path: Path) -> None:
        self._session = session
        self._path = path
        self._visits: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Begin to listen; only the user may connect."""
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._welcome, self._path)
        self._path.chmod(0o600)

    async def close(self) -> None:
        """Send visitors away and stop listening."""
        if self._server is not None:
            self._server.close()
        for visit in list(self._visits):
            visit.cancel()
        await asyncio.gather(*self._visits, return_exceptions=True)
        self._path.unlink(missing_ok=True)

    def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visit = asyncio.create_task(self._visit(reader, writer))
        self._visits.add(visit)
        visit.add_done_callback(self._visits.discard)

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        changed = asyncio.Event()
        self._session.visitors.add(changed.set)
        frames = asyncio.create_task(self._show(writer, changed))
        try:
            await self._listen(reader, changed)
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # the visitor went
        finally:
            self._session.visitors.discard(changed.set)
            frames.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):  # it was told to, or nobody looks
                await frames
            writer.close()

    async def _listen(self, reader: asyncio.StreamReader, changed: asyncio.Event) -> None:
        while True:
            kind = await reader.readexactly(1)
            (number,) = struct.unpack(">H", await reader.readexactly(2))
            if kind == b"k":
                self._session.write(await reader.readexactly(number))
            else:
                (rows,) = struct.unpack(">H", await reader.readexactly(2))
                self._session.resize(max(1, number), max(1, rows))
                changed.set()

    async def _show(self, writer: asyncio.StreamWriter, changed: asyncio.Event) -> None:
        """Send what changed, at most 20 times a second, and no faster than the visitor reads."""
        shown: tuple[str, ...] = ()
        while True:
            await self._session.emulator.catch_up()
            lines = tuple(keep_sgr(line) for line in self._session.emulator.lines())
            writer.write(_frame(shown, lines, self._session.emulator).encode("utf-8", "replace"))
            await writer.drain()
            shown = lines
            await asyncio.sleep(_FRAME_SECONDS)
            await changed.wait()
            changed.clear()


def _frame(shown: tuple[str, ...], lines: tuple[str, ...], emulator: Emulator) -> str:
    """Return what turns `shown` into `lines` on the visitor's terminal."""
    whole = len(shown) != len(lines)
    drawn = [
        f"\x1b[{row};1H\x1b[0m{line}\x1b[0m\x1b[K"
        for row, line in enumerate(lines, 1)
        if whole or shown[row - 1] != line
    ]
    modes = (f"\x1b[?{mode}{'h' if emulator.has_mode(mode) else 'l'}" for mode in _MIRRORED)
    column, row = emulator.cursor
    clear = "\x1b[2J" if whole else ""
    return f"{clear}{''.join(drawn)}{''.join(modes)}\x1b[{row + 1};{column + 1}H"
