"""What a workspace plugin must do. Contract: `tests/contract/test_workspace.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Protocol

import msgspec

from omni_tui.model.fence import Fence


class WorkspaceSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What the plugin is made with: one project's directories and its set-up."""

    name: str
    repo: Path
    """The bare repository."""
    worktrees: Path
    """Checkouts are made in here; on the same file system as `repo`."""
    release: str = ""
    """The release branch: an agent in a clone sees what it started from as `origin/<release>`; empty: it does not."""
    copy_from: Path | None
    """Where the files named by `copy` are taken from."""
    copy: tuple[str, ...] = ()
    """Relative paths, such as `.env`, that git does not hold and the work needs."""
    setup: str = ""
    """A shell command run in a fresh checkout; empty: none."""
    setup_seconds: float = 300.0
    environment: dict[str, str] = msgspec.field(default_factory=dict)
    """The whole environment of the set-up command."""
    fence: Fence = Fence()
    """For whom checkouts are made: once the fleet is another's, so are they."""
    confine: Callable[[Path, Path], Sequence[str]] = lambda _checkout, _scratch: ()
    """Returns the words before the set-up command that start it in the sandbox, where it works in a checkout and keeps
    what is its own in another directory; none: it runs as we do."""


class Worktree(msgspec.Struct, frozen=True, kw_only=True):
    """A checkout on its own branch; plain data, so that it survives in `steps.jsonl`."""

    path: str
    branch: str
    base: str
    """The commit that it starts from."""


class Workspace(Protocol):
    """Makes and removes checkouts."""

    name: ClassVar[str]
    linked: ClassVar[bool]
    """Whether a checkout keeps its refs and index in the bare repository, so that its agent has to write there."""
    environment: ClassVar[Mapping[str, str]]
    """Variables that an agent needs to work there, such as who it commits as where the checkout does not say so."""

    async def prepare(self, name: str, branch: str, tip: str) -> Worktree:
        """Make a checkout called `name` of commit `tip` on a new branch, from a spare if one is ready.

        The files to copy are in it and the set-up command has run. Calling it again for a `name` and `branch` that
        exist returns what is there. Raises `WorkspaceError` with the end of the output when anything fails.
        """
        ...

    async def make_spares(self, tip: str, count: int) -> int:
        """Have `count` untouched checkouts ready at `tip`: make them, move them there, drop those beyond `count`.

        One at a time, in the background of starts: a `prepare` at the same time takes one that is ready or makes its
        own, and waits for none. Returns how many were made or moved.
        """
        ...

    async def checkout(self, name: str, commit: str) -> Path:
        """Make a fresh, detached checkout of `commit` that no agent has touched, for the check command.

        The files to copy are in it and the set-up command has run, as for an agent.
        """
        ...

    async def remove(self, path: Path) -> None:
        """Remove a checkout that this plugin made; the caller has kept what was in it. Missing is fine."""
        ...
