"""Reading a unified diff as git writes it: which lines of which file went, and which came.

Hunks are read by the counts in their heads, so a removed line that looks like a head is still a line. Names are
unquoted as `core.quotePath` quotes them. The format: git-diff(1), "Generating patch text with -p".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

_HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)")
_LETTERS = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


class FilePatch(msgspec.Struct, kw_only=True):
    """One file of a diff. A path is empty where the file is absent on that side."""

    old_path: str = ""
    new_path: str = ""
    removed: list[str] = msgspec.field(default_factory=list)
    added: list[str] = msgspec.field(default_factory=list)
    numbers: list[int] = msgspec.field(default_factory=list)
    """Of each added line, in the new file."""

    @property
    def path(self) -> str:
        """The name to say: where the file was, or else is."""
        return self.old_path or self.new_path


def read_patch(patch: str) -> Iterator[FilePatch]:
    """Yield the files of a unified diff whose lines changed; those without hunks (modes, binaries) say nothing here."""
    current: FilePatch | None = None
    lines = iter(patch.split("\n"))
    for line in lines:
        if line.startswith("--- "):
            if current is not None:
                yield current
            current = FilePatch(old_path=_name(line[4:], "a/"))
        elif line.startswith("+++ ") and current is not None:
            current.new_path = _name(line[4:], "b/")
        elif line.startswith("@@ ") and current is not None:
            _read_hunk(line, lines, current)
    if current is not None:
        yield current


def _read_hunk(head: str, lines: Iterator[str], file: FilePatch) -> None:
    match = _HUNK.match(head)
    if match is None:
        return
    old, number, new = (1 if count is None else int(count) for count in match.groups())
    while old > 0 or new > 0:
        line = next(lines, None)
        if line is None:
            return
        text = line[1:].rstrip("\r")
        if line.startswith("-"):
            file.removed.append(text)
            old -= 1
        elif line.startswith("+"):
            file.added.append(text)
            file.numbers.append(number)
            number, new = number + 1, new - 1
        elif not line.startswith("\\"):
            old, number, new = old - 1, number + 1, new - 1


def _name(text: str, prefix: str) -> str:
    """Return the path of a `---` or `+++` line, unquoted, without its prefix; empty for `/dev/null`."""
    name = unquote(text.rstrip("\r").removesuffix("\t"))
    return "" if name == "/dev/null" else name.removeprefix(prefix)


def unquote(name: str) -> str:
    r"""Undo git's quoting of an unusual path, as in `"a/\303\244.py"`; a plain one is returned as it is."""
    if len(name) < 2 or not (name.startswith('"') and name.endswith('"')):
        return name
    raw = _ESCAPE.sub(lambda match: _unescaped(match.group(1)), name[1:-1].encode("utf-8", "surrogateescape"))
    return raw.decode("utf-8", "replace")


def _unescaped(code: bytes) -> bytes:
    return bytes([int(code, 8) & 0xFF]) if len(code) == 3 else _LETTERS.get(code, code)
