"""What an scm plugin must do. Contract: `tests/contract/test_scm.py`."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import ClassVar, Protocol

import msgspec

from omni_tui.model.change import Change, CommitSketch
from omni_tui.model.fence import Fence
from omni_tui.model.touch import Mention


class ScmSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What the plugin is made with."""

    repo: Path
    """The bare repository that the fleet owns."""
    base: str
    """The default branch: read, never written. Empty: the one the repository's HEAD names."""
    release: str
    """The branch that changes land on."""
    author: str
    """`Name <email>` of landed commits."""
    origin: str = ""
    """Where the repository came from, a path or URL; empty: nowhere to push to."""
    now: Callable[[], float]
    """UTC seconds: the time of the commits that are made."""
    fence: Fence = Fence()
    """For whom refs are written, from `open` on: once the fleet is another's, none is."""


class Merge(msgspec.Struct, frozen=True, kw_only=True):
    """A squash that was tried on objects alone: either `commit` (not on any branch yet) or `conflicts`."""

    onto: str
    """The release branch's tip it was made for."""
    commit: str = ""
    tree: str = ""
    conflicts: tuple[str, ...] = ()


class Push(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a push to where the repository came from."""

    pushed: bool
    reason: str = ""


class Rescue(msgspec.Struct, frozen=True, kw_only=True):
    """What came of keeping uncommitted work; neither a commit nor anything left out: there was nothing to keep."""

    commit: str = ""
    """Holds the checkout's files; empty: they are what the head holds, but for `left_out`."""
    left_out: tuple[str, ...] = ()
    """Files that could not be taken, a hundred names at most: only the checkout has them, so it must stay."""


class Scm(Protocol):
    """git, on objects alone: no checkout that an agent wrote is ever added or checked out here."""

    name: ClassVar[str]

    async def open(self) -> str:
        """Make the release branch from the base branch if it is not there; return its tip."""
        ...

    async def tip(self) -> str:
        """Return the release branch's tip."""
        ...

    async def collect(self, worktree: Path, branch: str) -> str | None:
        """Bring an attempt's branch from its checkout into the repository; return its head, None if it has gone."""
        ...

    async def commits(self, worktree: Path, branch: str, base: str, most: int) -> tuple[CommitSketch, ...]:
        """Return the newest `most` commits of an attempt at work, oldest first; none while it has fewer.

        Its branch is collected for that, as far as the checkout can be read at this moment.
        """
        ...

    async def rescue(self, worktree: Path, head: str, ref: str) -> Rescue:
        """Keep uncommitted work: a commit on `ref` with the checkout's files, whose parent is `head`.

        What was kept on `ref` earlier is not lost: where it was only undone since, it is what is kept. Ignored files
        stay out, nothing that the checkout configures is run, and the checkout is not changed. Raises `ScmError` where
        the checkout cannot be read: nothing is known to be kept then.
        """
        ...

    async def change(self, head: str) -> Change:
        """Return what `head` adds to the release branch since they parted."""
        ...

    async def additions(self, head: str) -> str | None:
        """Return the diff of `change` without context and with every file, also a binary one, taken as text.

        None: it is longer than `ADDITIONS_LIMIT` bytes.
        """
        ...

    async def squash(self, head: str, message: str) -> Merge:
        """Merge `head` onto the release branch's tip as one commit, on objects alone; on no branch yet.

        `message` already holds the trailers. The commit's time is the later of now and its parent's.
        """
        ...

    async def paths(self, commit: str) -> frozenset[str]:
        """Return every file's path in a commit's tree."""
        ...

    async def land(self, merge: Merge) -> bool:
        """Move the release branch from `merge.onto` to `merge.commit`, compare and swap.

        True also if that commit is on the branch already. False: the branch moved, so begin again at `squash`.
        """
        ...

    async def push(self) -> Push:
        """Push the release branch, only that ref, to where the repository came from; never where it is checked out."""
        ...

    async def base_tip(self) -> str:
        """Return the default branch's tip where the repository came from; empty: nobody can tell at the moment."""
        ...

    async def holds(self, commit: str) -> bool:
        """Whether a commit, known here or not, is part of the release branch."""
        ...

    async def origin_state(self) -> str:
        """Return a fingerprint of the checkout that the repository came from, which must not change; empty: none."""
        ...

    async def diff(self, head: str) -> str:
        """Return the unified diff of a head against the release branch, for a person."""
        ...

    async def lines(self, commit: str, words: Collection[str]) -> tuple[Mention, ...]:
        """Return the lines of a commit's tree that hold one of `words` as a word and may define it.

        What cannot be one of a program's names is not looked for. Where they are more than anybody would read, some.
        """
        ...

    async def head(self, worktree: Path, branch: str) -> str:
        """Return the head of an attempt's branch as it is at this moment, also while its agent works in the checkout.

        Empty: it cannot be read just now, or there is none. No ref moves; its objects are in the repository then.
        """
        ...

    async def touched(self, head: str) -> frozenset[str]:
        """Return the files that `head` changes, since it and the release branch parted; a renamed one by both names."""
        ...

    async def conflicts(self, one: str, other: str) -> tuple[str, ...]:
        """Return the files in which a merge of two commits conflicts; empty: they merge. Nothing of it is kept."""
        ...

    async def landed_since(self, base: str, paths: Collection[str]) -> tuple[str, ...]:
        """Return the tasks, as `workspace/id`, that landed after `base` and changed one of `paths`, newest first."""
        ...

    async def changes(self, commit: str, most: int) -> tuple[frozenset[str], ...]:
        """Return the files that each of the newest `most` commits up to `commit` changed, newest first; no merges."""
        ...
