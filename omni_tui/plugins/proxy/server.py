"""The proxy: takes requests on sockets of the sandbox's network, and carries out those that the rules allow."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from omni_tui.plugins.proxy.head import BadRequestError, Request, parse_head
from omni_tui.plugins.proxy.refusals import Refusals
from omni_tui.plugins.proxy.rules import Place, Rules
from omni_tui.plugins.proxy.upstream import HEAD_LIMIT, ForbiddenAddressError, Streams, UnreachableError, Ways

CONNECTIONS = 128
"""Connections at once; who comes later is sent away."""
HEAD_SECONDS = 60.0
"""How long the head of a request may take."""
IDLE_SECONDS = 900.0
"""Silence in both directions after which a connection is ended: a model may think for minutes."""

UNLIMITED = sys.maxsize
"""Bytes of a tunnel."""

_PIECE = 64 * 1024
_FIX = "a person can add it to `hosts` under [sandbox] in config.toml"

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class _RefusedError(Exception):
    """An answer that ends the connection: status, its words, and the reason."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        text = f"omni-tui: {reason}\n".encode("latin-1", "replace")
        fields = f"Content-Type: text/plain\r\nContent-Length: {len(text)}\r\nConnection: close"
        self.answer = f"HTTP/1.1 {status}\r\n{fields}\r\n\r\n".encode() + text


class Proxy:
    """Serves one sandbox."""

    def __init__(self, rules: Rules, ways: Ways, refusals: Refusals) -> None:
        self._rules = rules
        self._ways = ways
        self._refusals = refusals
        self._busy = 0
        self._servers: list[asyncio.Server] = []

    async def listen(self, listeners: Sequence[socket.socket]) -> None:
        """Serve from here on: on the first socket as a proxy, on the others as the allowed ports of this machine."""
        await self._open(listeners[0], self._answer)
        for place, listener in zip(self._rules.local(), listeners[1:], strict=True):
            await self._open(listener, partial(self._forward, place))

    async def _open(self, listener: socket.socket, handle: Handler) -> None:
        async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await self._welcome(handle, reader, writer)
            finally:
                writer.close()

        self._servers.append(await asyncio.start_server(welcome, sock=listener, limit=HEAD_LIMIT))

    async def _welcome(self, handle: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Handle one connection. What fails on the way ends it, and it alone."""
        self._busy += 1
        try:
            await (handle if self._busy <= CONNECTIONS else _turn_away)(reader, writer)
        except _RefusedError as refused:
            writer.write(refused.answer)
            with contextlib.suppress(OSError):  # it went without waiting for the answer
                await writer.drain()
        except (OSError, EOFError):  # either end went, or both were silent for too long
            return
        finally:
            self._busy -= 1

    async def _forward(self, place: Place, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there = await self._ways.connect(place)
        except UnreachableError:
            return  # the port answers no more: as if there were none
        await _carry((reader, writer), there)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await _request(reader)
        if not self._rules.allow(request.place):
            raise self._refuse(request.place, "is not among the hosts that are allowed")
        try:
            if request.is_tunnel:
                there = await self._tunnel(request.place)
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await _carry((reader, writer), there)
            else:
                await _carry((reader, writer), await self._plain(request), request.length)
        except ForbiddenAddressError as error:
            raise self._refuse(request.place, "is allowed, but its name leads to this machine itself") from error
        except UnreachableError as error:
            raise _RefusedError("502 Bad Gateway", str(error)) from error

    def _refuse(self, place: Place, reason: str) -> _RefusedError:
        fix = _FIX
        try:
            self._refusals.tell(place, reason)
        except OSError as error:
            fix += f" (nobody else is told: {error.strerror})"
        return _RefusedError("403 Forbidden", f"{place} {reason}: {fix}")

    async def _tunnel(self, place: Place) -> Streams:
        upstream = self._ways.upstream(place, tunnel=True)
        return await (self._ways.connect(place) if upstream is None else self._ways.tunnel(upstream, place))

    async def _plain(self, request: Request) -> Streams:
        """Return a connection on which the request's head was sent."""
        upstream = self._ways.upstream(request.place, tunnel=False)
        if upstream is None:
            streams = await self._ways.connect(request.place)
            streams[1].write(request.head(absolute=False))
        else:
            streams = await self._ways.connect_to(upstream)
            streams[1].write(request.head(absolute=True, more=upstream.authorization))
        return streams


async def _turn_away(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    raise _RefusedError("503 Service Unavailable", f"more than {CONNECTIONS} connections at once")


async def _request(reader: asyncio.StreamReader) -> Request:
    try:
        async with asyncio.timeout(HEAD_SECONDS):
            return parse_head(await reader.readuntil(b"\r\n\r\n"))
    except BadRequestError as error:
        raise _RefusedError("400 Bad Request", str(error)) from error
    except asyncio.LimitOverrunError as error:
        raise _RefusedError("431 Request Header Fields Too Large", f"more than {HEAD_LIMIT} bytes") from error


async def _carry(here: Streams, there: Streams, length: int = UNLIMITED) -> None:
    """Carry up to `length` bytes there, and all that comes back, until there is no more to come back.

    Raises `OSError` when the connection there breaks off or both ends are silent for too long.
    """
    try:
        async with asyncio.timeout(IDLE_SECONDS) as idle:
            sending = asyncio.create_task(_send(here[0], there[1], idle, length))
            try:
                await _copy(there[0], here[1], idle)
            finally:
                sending.cancel()
    finally:
        there[1].close()


async def _send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, idle: asyncio.Timeout, length: int) -> None:
    """Carry what comes from inside. Where that breaks off nobody waits for an answer either."""
    try:
        await _copy(reader, writer, idle, length)
    except OSError:
        writer.transport.abort()


async def _copy(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, idle: asyncio.Timeout, length: int = UNLIMITED
) -> None:
    """Carry bytes one way, no faster than they are taken; then say that no more will come, if nothing was held back."""
    loop = asyncio.get_running_loop()
    left = length
    while left and (piece := await reader.read(min(_PIECE, left))):
        left -= len(piece)
        writer.write(piece)
        await writer.drain()
        idle.reschedule(loop.time() + IDLE_SECONDS)
    if left and writer.can_write_eof():
        writer.write_eof()
