"""Which hosts may be reached: the one judgement of the proxy. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

PORTS = (443, 80)
"""What a host without a port stands for."""

LOCAL = ("127.0.0.1", "localhost", "[::1]")
"""This machine, as it is named where one of its own ports is allowed."""

UNPRIVILEGED = 1024
"""The first port that anybody may listen on."""

_RULE = re.compile(r"((?:\*\.)?[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?|\[[0-9a-f:.]+\])(?::([1-9]\d{0,4}))?", re.ASCII)
_HOST = re.compile(r"[a-z0-9._-]+|\[[0-9a-f:.]+\]", re.ASCII)


class Place(NamedTuple):
    """A host, in lower case and without a final dot, IPv6 in brackets, and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Rule(NamedTuple):
    """One entry of the list: a name, `*.` and the end of names, or an address; `ports` are those that it opens."""

    host: str
    ports: tuple[int, ...]

    def allows(self, place: Place) -> bool:
        """Whether `place` falls under it. `*.name` is what lies below `name`, not `name` itself."""
        named = place.host.endswith(self.host[1:]) if self.host.startswith("*.") else place.host == self.host
        return named and place.port in self.ports


def parse_rule(text: str) -> Rule:
    """Read `name`, `*.name`, `127.0.0.1` or `[::1]`, each with `:port` or for ports 443 and 80.

    Raises `ValueError`.
    """
    match = _RULE.fullmatch(text.lower())
    if match is None or int(match[2] or 1) > 65535:
        raise ValueError(f"{text!r} names no host: it is `name`, `*.name` or an address, with `:port` or without")
    return Rule(match[1], (int(match[2]),) if match[2] else PORTS)


def parse_place(text: str, default_port: int = 0) -> Place | None:
    """Read `host:port` as a request has it; without a default the port must be there. None: it is no such thing."""
    host, colon, port = text.lower().rpartition(":")
    if not colon or text.endswith("]"):
        host, port = text.lower(), str(default_port)
    host = host.removesuffix(".")
    if not _HOST.fullmatch(host) or not re.fullmatch(r"\d{1,5}", port, re.ASCII) or not 0 < int(port) < 65536:
        return None
    return Place(host, int(port))


class Rules:
    """The list of what is allowed. What is not in it is refused, by whatever name it is called."""

    def __init__(self, hosts: Iterable[str]) -> None:
        self._rules = tuple(map(parse_rule, hosts))

    def allow(self, place: Place) -> bool:
        """Whether `place` may be reached."""
        return any(rule.allows(place) for rule in self._rules)

    def local(self) -> tuple[Place, ...]:
        """Return the ports of this machine that are allowed one by one, each once.

        A program inside calls them by the same name: no proxy lies on the way to 127.0.0.1. Below 1024 nobody inside
        may listen; there the proxy alone leads.
        """
        return tuple(dict.fromkeys(self._local()))

    def _local(self) -> Iterator[Place]:
        for rule in self._rules:
            if rule.host in LOCAL and len(rule.ports) == 1 and rule.ports[0] >= UNPRIVILEGED:
                yield Place(rule.host, rule.ports[0])
