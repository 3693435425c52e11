"""Touch points: what a task will touch, as far as that can be told before it begins, and the evidence."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

import msgspec


class PointKind(StrEnum):
    """What can be touched; in the order in which a tie is named by it."""

    LOCK = "lock"
    """What a task declares that only one may have."""
    MIGRATION = "migration"
    """A directory of migrations: each that is added goes on top of the last one."""
    SYMBOL = "symbol"
    """Something that the repository defines, by its name."""
    PATH = "path"
    """A file, a directory or a glob pattern."""


class TouchPoint(msgspec.Struct, frozen=True, gc=False):
    """One thing that a task will touch, in its workspace."""

    kind: PointKind
    name: str
    evidence: str
    """Why it is thought so, in words that complete "because ..."."""

    def __str__(self) -> str:
        return self.name if self.kind is PointKind.PATH else f"{self.kind} {self.name}"


class Mention(NamedTuple):
    """A line of a file that holds a name as a word of its own."""

    path: str
    line: int
    """From 1."""
    text: str
    """Its beginning, where it is long."""
    defines: tuple[str, ...] | None = None
    """The names that it defines, as a parser tells; None: none could read the file."""


class Companion(msgspec.Struct, frozen=True):
    """A file that has changed together with another one."""

    path: str
    together: int
    """Commits that changed both."""
    commits: int
    """Commits that changed the other one."""


class Knowledge(msgspec.Struct, frozen=True, kw_only=True):
    """What a repository tells of the words in its tasks. Without any, only what a task says itself counts."""

    paths: frozenset[str] = frozenset()
    """Every file of the base tree."""
    definitions: Mapping[str, tuple[str, ...]] = {}
    """The files that define a symbol, for those that tasks name."""
    companions: Mapping[str, tuple[Companion, ...]] = {}
    """What history says changes together with a file."""
