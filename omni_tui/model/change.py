"""A change: what an attempt made, as git tells it, never as the agent does."""

from __future__ import annotations

import msgspec


class FileChange(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a change. Modes are git's, as in `100644`; `000000` where the file is absent."""

    path: str
    status: str
    """git's letter: A added, M modified, D deleted, R renamed, C copied, T type changed."""
    added: int
    """Lines; 0 for a binary file."""
    removed: int
    old_mode: str = "100644"
    new_mode: str = "100644"
    old_path: str | None = None
    binary: bool = False


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """The difference from `base` (the merge base with the release branch) to `head` (the attempt's branch)."""

    base: str
    head: str
    commits: int
    """How many commits lie between; 0: nothing was committed."""
    files: tuple[FileChange, ...] = ()
    patch: str = ""
    """Unified diff; cut at `PATCH_LIMIT` bytes."""
    truncated: bool = False
    subjects: tuple[str, ...] = ()
    """The commits' first lines, oldest first."""

    @property
    def added(self) -> int:
        """Lines added in all files."""
        return sum(file.added for file in self.files)

    @property
    def removed(self) -> int:
        """Lines removed in all files."""
        return sum(file.removed for file in self.files)


PATCH_LIMIT = 4 << 20
"""Bytes of a patch that are kept for judging and showing."""

ADDITIONS_LIMIT = 32 << 20
"""Bytes of a change, binary files and all, that are searched for secrets."""


class CommitSketch(msgspec.Struct, frozen=True, kw_only=True):
    """As much of a commit as tells whether it is the like of another."""

    subject: str
    paths: frozenset[str]
    lines: int
    """Added and removed."""
