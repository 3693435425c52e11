"""Paths of a repository: what a pattern names, and the paths that a text mentions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import PurePosixPath

_WILD = re.compile(r"[*?\[]")
_QUOTED = re.compile(r"`([^`\n]{1,200})`")
_FILE_NAME = re.compile(r"[\w@+-][\w.@+-]*\.[A-Za-z][A-Za-z0-9]{0,9}")
_LINE_SUFFIX = re.compile(r"(?:::.*|:\d+(?:[:-]\d+)*)$")


def normal(path: str) -> str:
    """Return a path or pattern without `./` before it, `/` around it, or a `::test` or `:line` behind it."""
    return _LINE_SUFFIX.sub("", path.strip()).removeprefix("./").strip("/")


def is_plain(pattern: str) -> bool:
    """Whether it is a path, not a pattern."""
    return _WILD.search(pattern) is None


def matches(pattern: str, path: str) -> bool:
    """Whether `pattern` names `path`: as a glob (`**` spans directories), as the path, or as a directory above it."""
    return _compiled(pattern).match(path) is not None


def any_matches(patterns: Iterable[str], path: str) -> bool:
    """Whether one of the patterns names `path`."""
    return any(matches(pattern, path) for pattern in patterns)


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    r"""Compile a pattern as it is written; `(?:/|\Z)` behind it takes in what lies below a directory that it names."""
    pattern = normal(pattern)
    if pattern in {"", "."}:
        return re.compile("")
    try:
        return re.compile(_translated(re.sub(r"(?:\*\*/)+", "**/", pattern)) + r"(?:/|\Z)", re.DOTALL)
    except re.error:  # a class such as `[z-a]`: no glob, so it is taken literally
        return re.compile(re.escape(pattern) + r"(?:/|\Z)")


def _translated(pattern: str) -> str:
    pieces: list[str] = []
    at = 0
    while at < len(pattern):
        piece, at = _piece(pattern, at)
        pieces.append(piece)
    return "".join(pieces)


def _piece(pattern: str, at: int) -> tuple[str, int]:
    """Return one piece of a glob as a regular expression, and where the next one begins."""
    if pattern.startswith("**/", at) and (at == 0 or pattern[at - 1] == "/"):
        return "(?:[^/]+/)*", at + 3
    if pattern.startswith("**", at):
        return ".*", at + 2
    if pattern[at] == "*":
        return "[^/]*", at + 1
    if pattern[at] == "?":
        return "[^/]", at + 1
    end = pattern.find("]", at + 2) if pattern[at] == "[" else -1
    if end > 0 and pattern[at + 1 : end] not in {"!", "^"}:
        return _character_class(pattern[at + 1 : end]), end + 1
    return re.escape(pattern[at]), at + 1


def _character_class(inner: str) -> str:
    negated = inner[0] in "!^"
    escaped = re.sub(r"([\\\[\]^&~|])", r"\\\1", inner[1:] if negated else inner)
    return f"(?!/)[{'^' if negated else ''}{escaped}]"


def mentioned(text: str) -> list[str]:
    """Return the repository paths that a text names between backticks, in order, each once.

    A word counts if it has a slash or looks like a file's name; options, URLs and absolute paths do not.
    """
    words = (
        normal(match.group(1)) for match in _QUOTED.finditer(text) if not match.group(1).startswith(("/", "-", "~"))
    )
    return list(dict.fromkeys(word for word in words if _is_path(word)))


def _is_path(word: str) -> bool:
    if not word or "://" in word or ".." in PurePosixPath(word).parts or re.search(r"[\s()<>|$&;\"'=,{}]", word):
        return False
    return "/" in word or _FILE_NAME.fullmatch(word) is not None


def is_there(path: str, tree: Iterable[str]) -> bool:
    """Whether a plain path is a file of the tree, or a directory with something in it."""
    below = path + "/"
    return any(name == path or name.startswith(below) for name in tree)
