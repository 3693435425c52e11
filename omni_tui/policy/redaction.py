"""Redaction: no secret that the fleet holds leaves it, in whatever form it is written. Pure: text in, text out.

A value is found as it is, percent-encoded, escaped as in JSON, in hexadecimal digits, and inside base64 of anything
that holds it (three alignments, both alphabets, RFC 4648), also where it is coloured or runs over the end of a line.
What is found becomes as many asterisks, so that a screen keeps its shape. Beside held secrets, text that has the shape
of a well-known kind of secret is taken out; the shapes are handed in.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from typing import NamedTuple

import msgspec

Shape = tuple[str, re.Pattern[str]]
"""A well-known kind of secret, and how one looks."""

LEAST = 6
"""Characters of the shortest value that is looked for: a shorter one would take words out of everything."""

PIECE = 96
"""Characters of a long value that are looked for together, each piece for itself: one alone says too much."""

_LEAST_ENCODED = 10
_LEAST_SHAPED = 16
_BREAK = r"(?:\s|\x1b\[[0-9;:]*m|\\[nrt]|[│┃\x00]){0,200}"
"""What may stand between two characters of a secret on a screen or in a quoted text: a line's end, a colour, a border,
the other half of a character in UTF-16."""
_SPACE = r"(?:\s|\x1b\[[0-9;:]*m|\\[nrt]|[│┃\x00]|\+|%(?:25)?20){1,200}"
_BLANKS = " \t\r"
_KEPT = re.compile(r"(\x1b\[[0-9;:]*m|[\s│┃])|.", re.DOTALL)
_URL_ALPHABET = {"+": "+-", "/": "/_"}
_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.{0,20000}?(?:-----END|\Z)", re.DOTALL)


class Secret(msgspec.Struct, frozen=True):
    """A value that must not leave the fleet, and what it may be called where it was found."""

    name: str
    value: str


class Leak(NamedTuple):
    """A secret found in a text: what it is, never its value, and where."""

    what: str
    start: int
    end: int
    held: bool
    """Whether it is one of ours, and not only text of its shape."""


class Redactor:
    """Finds the secrets that it was made with. `shapes` are asked for at the first text long enough to have one."""

    def __init__(self, secrets: Iterable[Secret] = (), shapes: Callable[[], Sequence[Shape]] = tuple) -> None:
        self._secrets = tuple(secrets)
        self._shapes = shapes

    @cached_property
    def _held(self) -> list[tuple[str, re.Pattern[str]]]:
        return [(secret.name, pattern) for secret in self._secrets for pattern in _patterns(secret.value)]

    def __call__(self, text: str) -> str:
        """Return `text` with every secret masked."""
        for leak in self.find(text):  # a mask is as long as what it hides, so places stay true
            text = text[: leak.start] + mask(text[leak.start : leak.end]) + text[leak.end :]
        return text

    def find(self, text: str) -> list[Leak]:
        """Return every secret in a text."""
        return [*self._find_held(text), *self._find_shaped(text)]

    def _find_held(self, text: str) -> Iterator[Leak]:
        if len(text) >= LEAST:
            for name, pattern in self._held:
                yield from (Leak(name, *match.span(), held=True) for match in pattern.finditer(text))

    def _find_shaped(self, text: str) -> Iterator[Leak]:
        if len(text) >= _LEAST_SHAPED:
            for kind, pattern in (("private key", _PEM), *self._shapes()):
                yield from (Leak(kind, *match.span(), held=False) for match in pattern.finditer(text))


def mask(text: str) -> str:
    """Return asterisks for every character but line ends, colours and borders."""
    return _KEPT.sub(lambda match: match[1] or "*", text)


@lru_cache(maxsize=1024)
def _patterns(value: str) -> tuple[re.Pattern[str], ...]:
    """Return a pattern for each piece of a value, which finds it in every form. Each takes some 10 ms to make."""
    lines = [line.strip(_BLANKS) for line in value.split("\n")]
    pieces = [line[start : start + PIECE].strip(_BLANKS) for line in lines for start in range(0, len(line), PIECE)]
    return tuple(re.compile("|".join(_forms(piece))) for piece in pieces if len(piece) >= LEAST)


def _forms(piece: str) -> Iterator[str]:
    yield _SPACE.join(_BREAK.join(map(_written, word)) for word in re.split(f"[{_BLANKS}]+", piece))
    data = piece.encode("utf-8", "surrogatepass")
    yield _BREAK.join(map(_digits, data.hex()))
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + data).decode()
        # A character of base64 is six bits: those that are not wholly of the value depend on its neighbours.
        inner = encoded[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
        if len(inner) >= _LEAST_ENCODED:
            yield _BREAK.join(_any_of(_URL_ALPHABET.get(char, char)) for char in inner)


def _any_of(chars: str) -> str:
    return f"(?:{'|'.join(map(_written, chars))})" if len(chars) > 1 else _written(chars)


def _written(char: str) -> str:
    """Return a pattern for one character: plain, percent-encoded (also twice), or escaped as in JSON (also twice)."""
    if char.isascii() and char.isalnum():  # nothing encodes these
        return char
    utf8 = char.encode("utf-8", "surrogatepass")
    forms = [re.escape(char), "".join(f"%(?:25)?{_digits(f'{byte:02x}')}" for byte in utf8)]
    if ord(char) <= 0xFFFF:
        forms.append(rf"\\(?:\\)*u{_digits(f'{ord(char):04x}')}")
    if char in "\"\\/'":
        forms.append(rf"\\(?:\\)*{re.escape(char)}")
    return f"(?:{'|'.join(forms)})"


def _digits(digits: str) -> str:
    """Return a pattern for hexadecimal digits of either case."""
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in digits)
