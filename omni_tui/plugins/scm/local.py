"""The built-in scm: the fleet's bare repository, worked on by objects and refs alone.

Each method does its work in one thread, with a few git processes; the modules beside this one hold what they do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from omni_tui.errors import ScmError
from omni_tui.model.change import Change, CommitSketch
from omni_tui.model.touch import Mention
from omni_tui.plugins.gitcmd import Git
from omni_tui.plugins.gitdir import read_loose_ref, sweep_views, view
from omni_tui.plugins.gitrefs import WritableRef, require_branch, require_commit
from omni_tui.plugins.mentions import Mentions
from omni_tui.plugins.scm.change import merge_base, read_additions, read_change, read_patch
from omni_tui.plugins.scm.collect import collect, resolve
from omni_tui.plugins.scm.commits import read_commits, read_head
from omni_tui.plugins.scm.conflicts import find_conflicts, read_landed, read_touched
from omni_tui.plugins.scm.fencing import put_up
from omni_tui.plugins.scm.history import read_changes
from omni_tui.plugins.scm.locks import clear_stale_locks
from omni_tui.plugins.scm.origin import branch_tip, origin_state, push
from omni_tui.plugins.scm.protocol import Merge, Push, Rescue, ScmSpec
from omni_tui.plugins.scm.rescue import rescue
from omni_tui.plugins.scm.squash import Author, land, squash

UNKNOWN_OBJECT = 128
"""git's exit status for a commit that it does not have."""


class LocalScm:
    """git on a bare repository of this machine; see `protocol.Scm` for what each method promises."""

    name: ClassVar[str] = "local"

    def __init__(self, spec: ScmSpec) -> None:
        """Take the repository of `spec`; nothing is read before `open`. Raises `ScmError` for names that cannot be."""
        self._spec = spec
        self._bare = Git(git_dir=spec.repo)
        self._mentions = Mentions(spec.repo)
        self._author = Author.parse(spec.author)
        self._release_ref = f"refs/heads/{require_branch(spec.release, 'release branch')}"

    async def open(self) -> str:
        """Make the release branch if it is not there; return its tip. Raises `ScmError` where that cannot be."""
        return await asyncio.to_thread(self._open)

    async def tip(self) -> str:
        """Return the release branch's tip; every start asks for it, so it is read without git where that can be."""
        loose = read_loose_ref(self._spec.repo, self._release_ref)
        return loose if loose is not None else await asyncio.to_thread(self._tip)

    async def collect(self, worktree: Path, branch: str) -> str | None:
        """Bring an attempt's branch into the repository; see `scm.collect` for what counts."""
        return await asyncio.to_thread(
            lambda: collect(self._bare, worktree, self._writable(f"refs/heads/{branch}"), self._tip())
        )

    async def commits(self, worktree: Path, branch: str, base: str, most: int) -> tuple[CommitSketch, ...]:
        """Return the newest commits of an attempt at work, oldest first; none while there are fewer than `most`."""
        require_commit(base)
        return await asyncio.to_thread(lambda: read_commits(self._bare, worktree, branch, base, most))

    async def rescue(self, worktree: Path, head: str, ref: str) -> Rescue:
        """Keep uncommitted work as a commit on `ref`; see `scm.rescue`."""
        require_commit(head)
        now = self._spec.now()
        return await asyncio.to_thread(
            lambda: rescue(self._bare, worktree, head, self._writable(ref), self._author, now)
        )

    async def change(self, head: str) -> Change:
        """Return what `head` adds to the release branch."""
        require_commit(head)
        return await asyncio.to_thread(self._change, head)

    async def additions(self, head: str) -> str | None:
        """Return the diff of `head` against the release branch, without context, every file taken as text."""
        require_commit(head)
        return await asyncio.to_thread(self._additions, head)

    async def squash(self, head: str, message: str) -> Merge:
        """Merge `head` onto the release branch's tip as one commit that is on no branch yet."""
        require_commit(head)
        return await asyncio.to_thread(
            squash, self._bare, self._release_ref, head, message, self._author, self._spec.now
        )

    async def paths(self, commit: str) -> frozenset[str]:
        """Return every file's path in a commit's tree."""
        require_commit(commit)
        return await asyncio.to_thread(self._paths, commit)

    async def land(self, merge: Merge) -> bool:
        """Move the release branch to `merge.commit`, compare and swap."""
        return await asyncio.to_thread(lambda: land(self._bare, self._writable_release, merge))

    async def push(self) -> Push:
        """Push the release branch to where the repository came from."""
        if not self._spec.origin:
            return Push(pushed=False, reason="the repository came from nowhere")
        return await asyncio.to_thread(lambda: push(self._bare, self._spec.origin, self._writable_release, self._tip()))

    async def base_tip(self) -> str:
        """Return the default branch's tip in the origin; empty where there is none, or no answer."""
        return await asyncio.to_thread(lambda: branch_tip(self._bare, self._spec.origin, f"refs/heads/{self._base}"))

    async def holds(self, commit: str) -> bool:
        """Whether the release branch contains `commit`; one that is not known here is none of its."""
        words = ("merge-base", "--is-ancestor", require_commit(commit))
        return await asyncio.to_thread(
            lambda: self._bare.run(*words, self._tip(), accept=(0, 1, UNKNOWN_OBJECT)).status == 0
        )

    async def origin_state(self) -> str:
        """Return a fingerprint of the origin's checkout."""
        return await asyncio.to_thread(origin_state, self._bare, self._spec.origin)

    async def diff(self, head: str) -> str:
        """Return the unified diff of `head` against the release branch, cut at `PATCH_LIMIT`."""
        require_commit(head)
        return await asyncio.to_thread(self._diff, head)

    async def lines(self, commit: str, words: Collection[str]) -> tuple[Mention, ...]:
        """Return the lines of a commit's tree that hold one of `words` and may define it."""
        return await asyncio.to_thread(self._mentions.find, require_commit(commit), words)

    async def head(self, worktree: Path, branch: str) -> str:
        """Return the head of an attempt's branch as it is at this moment; empty where it cannot be read."""
        return await asyncio.to_thread(read_head, self._bare, worktree, branch, await self.tip())

    async def touched(self, head: str) -> frozenset[str]:
        """Return the files that `head` changes, since it and the release branch parted."""
        require_commit(head)
        return await asyncio.to_thread(lambda: read_touched(self._bare, self._tip(), head))

    async def conflicts(self, one: str, other: str) -> tuple[str, ...]:
        """Return the files in which a merge of two commits conflicts."""
        return await asyncio.to_thread(find_conflicts, self._bare, require_commit(one), require_commit(other))

    async def landed_since(self, base: str, paths: Collection[str]) -> tuple[str, ...]:
        """Return the tasks that landed after `base` and changed one of `paths`."""
        require_commit(base)
        return await asyncio.to_thread(lambda: read_landed(self._bare, base, self._tip(), paths))

    async def changes(self, commit: str, most: int) -> tuple[frozenset[str], ...]:
        """Return the files that each of the newest `most` commits changed."""
        return await asyncio.to_thread(read_changes, self._bare, require_commit(commit), most)

    def _open(self) -> str:
        spec = self._spec
        if not (spec.repo / "HEAD").is_file():
            raise ScmError("not a git repository", where=str(spec.repo), fix="omni-tui workspace add NAME --repo …")
        release = self._writable_release
        clear_stale_locks(spec.repo, release.name, spec.now())
        sweep_views()
        self._bare = put_up(self._bare, spec.fence)
        tip = resolve(self._bare, release.name)
        if tip is not None:
            return tip
        base_ref = f"refs/heads/{self._base}"
        start = resolve(self._bare, base_ref)
        if start is None:
            raise self._no_base()
        self._bare.update_ref(release, start, "0" * len(start))
        return start

    def _additions(self, head: str) -> str | None:
        tip = self._tip()
        with view(self._spec.repo) as objects:
            return read_additions(objects, merge_base(objects, tip, head), head)

    def _no_base(self) -> ScmError:
        where = str(self._spec.repo)
        if not self._bare.text("for-each-ref", "--count=1", "refs/heads/"):
            return ScmError("the repository has no commit yet", where=where, fix="commit something on its base branch")
        return ScmError(f"there is no branch {self._base!r}", where=where, fix="set base in workspace.toml")

    def _tip(self) -> str:
        tip = resolve(self._bare, self._release_ref)
        if tip is None:
            raise ScmError(f"the branch {self._spec.release!r} has gone", where=str(self._spec.repo))
        return tip

    def _paths(self, commit: str) -> frozenset[str]:
        listing = self._bare.text("ls-tree", "-r", "-z", "--name-only", "--full-tree", commit)
        return frozenset(listing.split("\0")) - {""}

    def _change(self, head: str) -> Change:
        tip = self._tip()
        with view(self._spec.repo) as objects:
            return read_change(objects, tip, head)

    def _diff(self, head: str) -> str:
        tip = self._tip()
        with view(self._spec.repo) as objects:
            return read_patch(objects, merge_base(objects, tip, head), head)[0]

    @cached_property
    def _default(self) -> str:
        """The branch that the repository's HEAD names; empty where it stands on a commit."""
        return self._bare.text("symbolic-ref", "--quiet", "HEAD", accept=(0, 1)).removeprefix("refs/heads/")

    @property
    def _base(self) -> str:
        base = self._spec.base or self._default
        if not base:
            raise ScmError("no base branch is known", where=str(self._spec.repo), fix="set base in workspace.toml")
        return require_branch(base, "base branch")

    @cached_property
    def _writable_release(self) -> WritableRef:
        """The release branch, once it is sure that it is neither the base nor the default branch."""
        spec = self._spec
        if spec.release in {self._base, self._default} or spec.release.startswith("omni/"):
            raise ScmError(
                f"changes cannot land on {spec.release!r}: it is the base or default branch, or an attempt's",
                where=str(spec.repo),
                fix="set release in workspace.toml to a branch of its own, such as release/omni",
            )
        return WritableRef(self._release_ref, spec.release, self._protected)

    def _writable(self, ref: str) -> WritableRef:
        """Return an attempt's ref; raises `ScmError` for any other."""
        return WritableRef(ref, protected=self._protected)

    @property
    def _protected(self) -> frozenset[str]:
        """Branches that only a person writes."""
        return frozenset(filter(None, (self._spec.base, self._default)))
