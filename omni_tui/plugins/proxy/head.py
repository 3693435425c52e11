"""The head of a request to the proxy, read strictly: what could be read in two ways is no request (RFC 9112)."""

from __future__ import annotations

import re
from typing import NamedTuple

from omni_tui.plugins.proxy.rules import Place, parse_place

_FIRST = re.compile(rb"([A-Z]{1,20}) ([\x21-\x7e]+) HTTP/1\.[01]")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*")
_ABSOLUTE = re.compile(rb"http://([^/?#@\\]+)((?:/|\?)[^#]*)?", re.IGNORECASE)
_LENGTH = re.compile(rb"\d{1,15}")

_OF_THIS_HOP = (
    b"connection",
    b"host",
    b"keep-alive",
    b"proxy-authorization",
    b"proxy-connection",
    b"te",
    b"trailer",
    b"upgrade",
)
"""Fields that are not passed on, or are written anew."""


class BadRequestError(Exception):
    """What came is no request that a proxy carries out; says why."""


class Request(NamedTuple):
    """A request: where it goes, and for plain HTTP what is passed on. `length` are the bytes of its body."""

    place: Place
    method: bytes = b""
    """Empty: a tunnel (CONNECT)."""
    path: bytes = b""
    fields: bytes = b""
    length: int = 0

    @property
    def is_tunnel(self) -> bool:
        """Whether bytes are carried as they are from here on."""
        return not self.method

    def head(self, *, absolute: bool, more: bytes = b"") -> bytes:
        """Return the head to pass on, for one request on a connection of its own.

        `absolute`: to another proxy, which gets the fields `more`.
        """
        authority = str(self.place).removesuffix(":80").encode()
        target = b"http://" + authority + self.path if absolute else self.path
        first = self.method + b" " + target + b" HTTP/1.1\r\nHost: " + authority + b"\r\n"
        return first + more + self.fields + b"Connection: close\r\n\r\n"


def parse_head(head: bytes) -> Request:
    """Read a request's head, up to and with its empty line. Raises `BadRequestError`."""
    first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    match = _FIRST.fullmatch(first)
    if match is None:
        raise BadRequestError("this is no request of HTTP/1")
    fields = [_field(line) for line in lines]
    if match[1] == b"CONNECT":
        return Request(_place(match[2], 0))
    target = _ABSOLUTE.fullmatch(match[2])
    if target is None:
        raise BadRequestError("a proxy takes `CONNECT host:port` and `http://host/path`")
    path = target[2] or b"/"
    return Request(
        place=_place(target[1], 80),
        method=match[1],
        path=path if path.startswith(b"/") else b"/" + path,
        fields=b"".join(name + b": " + value + b"\r\n" for name, value in fields if name.lower() not in _OF_THIS_HOP),
        length=_length(fields),
    )


def _field(line: bytes) -> tuple[bytes, bytes]:
    match = _FIELD.fullmatch(line)
    if match is None:
        raise BadRequestError("a header line is none")
    return match[1], match[2]


def _place(authority: bytes, default_port: int) -> Place:
    place = parse_place(authority.decode("latin-1"), default_port)
    if place is None:
        raise BadRequestError("the address is none")
    return place


def _length(fields: list[tuple[bytes, bytes]]) -> int:
    """Return the length of the body. It must be said, and once: or the next request could hide in it."""
    names = [name.lower() for name, _ in fields]
    said = [value for name, value in fields if name.lower() == b"content-length"]
    if b"transfer-encoding" in names or len(said) > 1 or not all(map(_LENGTH.fullmatch, said)):
        raise BadRequestError("a body needs one Content-Length")
    return int(said[0]) if said else 0
