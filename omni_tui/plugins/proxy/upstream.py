"""How the proxy itself gets to a place: directly, or through the proxy that this machine has to use."""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import re
import socket
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from omni_tui.plugins.proxy.rules import Place

HEAD_LIMIT = 64 * 1024
"""Bytes that the head of a request or of an answer may have."""
CONNECT_SECONDS = 30.0

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class UnreachableError(Exception):
    """A place that is allowed did not answer; says why."""


class ForbiddenAddressError(Exception):
    """A name that is allowed leads to this machine itself, or to none: an address that only a person can name."""


class Upstream(NamedTuple):
    """Another proxy, by its URL."""

    place: Place
    tls: bool
    authorization: bytes
    """The header line that logs in there; empty: none."""


class Ways:
    """Reaches places as the variables say that every program knows (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`)."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        """Take the environment; what it says is looked at when it is needed."""
        self._tunnel = _value(variables, "https_proxy") or _value(variables, "all_proxy")
        self._plain = _value(variables, "http_proxy") or _value(variables, "all_proxy")
        self._without = [entry.lower() for entry in re.split(r"[,\s]+", _value(variables, "no_proxy")) if entry]

    def upstream(self, place: Place, *, tunnel: bool) -> Upstream | None:
        """Return the proxy on the way to `place`; None: there is none. Raises `UnreachableError` for a wrong one."""
        url = self._tunnel if tunnel else self._plain
        return None if not url or any(_covers(entry, place) for entry in self._without) else _upstream(url)

    async def connect(self, place: Place) -> Streams:
        """Connect to `place` itself. Raises `UnreachableError` and `ForbiddenAddressError`."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return await _connect(place)
        except (OSError, UnicodeError) as error:  # also a time-out; a name that is too long for DNS
            raise UnreachableError(f"{place} cannot be reached: {error or 'it does not answer'}") from error

    async def connect_to(self, upstream: Upstream) -> Streams:
        """Connect to another proxy, wherever it is. Raises `UnreachableError`."""
        name, port = upstream.place.host.strip("[]"), upstream.place.port
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return await asyncio.open_connection(name, port, ssl=upstream.tls or None, limit=HEAD_LIMIT)
        except (OSError, UnicodeError) as error:
            where = f"the proxy of this machine, {upstream.place},"
            raise UnreachableError(f"{where} cannot be reached: {error or 'it does not answer'}") from error

    async def tunnel(self, upstream: Upstream, place: Place) -> Streams:
        """Have another proxy connect to `place`. Raises `UnreachableError`."""
        reader, writer = await self.connect_to(upstream)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                request = b"CONNECT %(place)b HTTP/1.1\r\nHost: %(place)b\r\n" % {b"place": str(place).encode()}
                writer.write(request + upstream.authorization + b"\r\n")
                answer = await reader.readuntil(b"\r\n\r\n")
        except (OSError, EOFError, asyncio.LimitOverrunError) as error:
            writer.close()
            raise UnreachableError(f"the proxy of this machine, {upstream.place}, gave no answer") from error
        first = answer.partition(b"\r\n")[0]
        if not re.match(rb"HTTP/1\.[01] 2\d\d\b", first):
            writer.close()
            said = first.decode("latin-1")[:200]
            raise UnreachableError(f"the proxy of this machine, {upstream.place}, answered: {said}")
        return reader, writer


def _value(variables: Mapping[str, str], name: str) -> str:
    return (variables.get(name) or variables.get(name.upper()) or "").strip()


def _upstream(url: str) -> Upstream:
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise UnreachableError("the proxy of this machine is named by what is no URL") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UnreachableError("the proxy of this machine is named otherwise than `http://host:port`")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    login = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    encoded = base64.b64encode(login.encode()) if parts.username else b""
    return Upstream(
        place=Place(host, port),
        tls=parts.scheme == "https",
        authorization=b"Proxy-Authorization: Basic " + encoded + b"\r\n" if encoded else b"",
    )


def _covers(entry: str, place: Place) -> bool:
    """Whether an entry of NO_PROXY names `place`: `*`, a host or the end of one, with a port or without."""
    name, colon, port = entry.rpartition(":")
    if colon and port.isdigit() and not entry.endswith("]") and name.count(":") == 0:
        entry = name
        if int(port) != place.port:
            return False
    end = entry.removeprefix("*").removeprefix(".")
    return entry == "*" or (end != "" and (place.host.strip("[]") == end or place.host.endswith(f".{end}")))


async def _connect(place: Place) -> Streams:
    """Try the addresses of `place` in turn. Only what was looked at is connected to: the name is not asked again."""
    name = place.host.strip("[]")
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(name, place.port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
    if not place.host.startswith("[") and name not in {*addresses, "localhost"}:  # a name, not an address
        addresses = [address for address in addresses if not is_own(address)]
        if not addresses:
            raise ForbiddenAddressError(f"{name} leads to this machine itself")
    failures = []
    for address in addresses:
        try:
            return await asyncio.open_connection(address, place.port, limit=HEAD_LIMIT)
        except OSError as error:
            failures.append(error)
    raise failures[0]


def is_own(address: str) -> bool:
    """Whether an address is of this machine, or of none: no name may lead there, whoever answers for it."""
    return any(
        each.is_loopback or each.is_link_local or each.is_unspecified or each.is_multicast
        for each in _meant(address.partition("%")[0])
    )


def _meant(address: str) -> Iterator[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """Yield the address and the one of IPv4 that it stands for."""
    parsed = ipaddress.ip_address(address)
    yield parsed
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        yield parsed.ipv4_mapped
