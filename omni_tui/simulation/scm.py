"""An scm plugin in memory, for tests and the simulated world."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import ClassVar

from omni_tui.errors import ScmError
from omni_tui.model.change import PATCH_LIMIT, Change, CommitSketch
from omni_tui.model.touch import Mention
from omni_tui.plugins.gitrefs import WritableRef, require_commit
from omni_tui.plugins.scm.protocol import Merge, Push, Rescue, ScmSpec
from omni_tui.simulation.repository import MemoryRepository, changed_files, digest, patch


class MemoryScm:
    """Works on a `MemoryRepository`; `origin` is another one, or None where it came from nowhere."""

    name: ClassVar[str] = "memory"

    def __init__(self, spec: ScmSpec, repository: MemoryRepository, origin: MemoryRepository | None = None) -> None:
        """Take the repository and where it came from; `origin.checkouts` holds the checkout that must not change."""
        self.spec = spec
        self.repository = repository
        self.origin = origin
        self.release_ref = f"refs/heads/{spec.release}"

    async def open(self) -> str:
        """Make the release branch if it is not there; return its tip."""
        protected = frozenset({self.spec.base or self.repository.default, self.repository.default})
        if self.spec.release in protected or self.spec.release.startswith("omni/"):
            raise ScmError(f"changes cannot land on {self.spec.release!r}")
        WritableRef(self.release_ref, self.spec.release, protected)
        base = self.repository.refs.get(f"refs/heads/{self.spec.base or self.repository.default}")
        if base is None:
            raise ScmError("there is no commit" if not self.repository.refs else f"no branch {self.spec.base!r}")
        return self.repository.refs.setdefault(self.release_ref, base)

    async def tip(self) -> str:
        """Return the release branch's tip."""
        if self.release_ref not in self.repository.refs:
            raise ScmError(f"the branch {self.spec.release!r} has gone")
        return self.repository.refs[self.release_ref]

    async def collect(self, worktree: Path, branch: str) -> str | None:
        """Set the branch to what its checkout holds; what was collected earlier stays where the checkout has gone."""
        ref = WritableRef(f"refs/heads/{branch}").name
        checkout = self.repository.checkouts.get(worktree)
        if checkout is not None:
            self.repository.refs[ref] = checkout.head
        return self.repository.refs.get(ref)

    async def commits(self, worktree: Path, branch: str, base: str, most: int) -> tuple[CommitSketch, ...]:  # noqa: ARG002
        """Return the newest commits of a checkout, oldest first; none while there are fewer than `most`."""
        checkout = self.repository.checkouts.get(worktree)
        if checkout is None:
            return ()
        old = set(self.repository.history(base))
        new = [name for name in self.repository.history(checkout.head) if name not in old][:most]
        return tuple(map(self._sketch, reversed(new))) if len(new) >= most else ()

    def _sketch(self, name: str) -> CommitSketch:
        commit = self.repository.commits[name]
        before = self.repository.tree(commit.parents[0]) if commit.parents else {}
        files = list(changed_files(before, commit.tree))
        return CommitSketch(
            subject=commit.message.partition("\n")[0],
            paths=frozenset(file.path for file in files),
            lines=sum(file.added + file.removed for file in files),
        )

    async def rescue(self, worktree: Path, head: str, ref: str) -> Rescue:
        """Keep what the checkout holds and `head` does not."""
        WritableRef(ref)
        checkout = self.repository.checkouts.get(worktree)
        if checkout is None:
            return Rescue()
        refs, new = self.repository.refs, checkout.files != self.repository.tree(head)
        earlier = refs.get(ref, "")
        since = earlier and self.repository.commits[earlier].parents == (head,)
        if since and not (new and checkout.files != self.repository.tree(earlier)):
            return Rescue(commit=earlier)
        message, now = f"Uncommitted work of {worktree.name}", self.spec.now()
        commit = self.repository.commit(checkout.files, (head,), message, self.spec.author, now) if new else ""
        if earlier:
            refs[f"{ref.replace('/rescue/', '/kept/')}/{earlier[:12]}"] = earlier
        if new or earlier:
            refs[ref] = commit or head
        return Rescue(commit=commit)

    async def change(self, head: str) -> Change:
        """Return what `head` adds to the release branch."""
        tip = await self.tip()
        old, new = self._sides(tip, head)
        landed = set(self.repository.history(tip))
        own = [name for name in self.repository.history(head) if name not in landed]
        text = patch(old, new)
        return Change(
            base=self.repository.merge_base(tip, head),
            head=head,
            commits=len(own),
            files=tuple(changed_files(old, new)),
            patch=text[:PATCH_LIMIT],
            truncated=len(text) > PATCH_LIMIT,
            subjects=tuple(self.repository.commits[name].message.partition("\n")[0] for name in reversed(own)),
        )

    async def additions(self, head: str) -> str | None:
        """Return the diff; every file here is text."""
        return patch(*self._sides(await self.tip(), head))

    async def squash(self, head: str, message: str) -> Merge:
        """Merge `head` onto the tip, file by file."""
        tip = await self.tip()
        self.repository.tree(require_commit(head))
        tree, conflicts = self.repository.merge(tip, head)
        if conflicts:
            return Merge(onto=tip, conflicts=conflicts)
        at = max(self.spec.now(), self.repository.commits[tip].at)
        commit = self.repository.commit(tree, (tip,), message, self.spec.author, at)
        return Merge(onto=tip, commit=commit, tree=digest(tree))

    async def paths(self, commit: str) -> frozenset[str]:
        """Return every file's path in a commit's tree."""
        return frozenset(self.repository.tree(require_commit(commit)))

    async def land(self, merge: Merge) -> bool:
        """Compare and swap the release branch."""
        if not merge.commit:
            raise ScmError("a merge with conflicts cannot land")
        tip = await self.tip()
        if tip == merge.onto:
            self.repository.refs[self.release_ref] = merge.commit
            return True
        return merge.commit in self.repository.history(tip)

    async def push(self) -> Push:
        """Copy the release branch to `origin`, forward only, and not where it is checked out."""
        tip = await self.tip()
        if self.origin is None:
            return Push(pushed=False, reason="the repository came from nowhere")
        if any(checkout.branch == self.spec.release for checkout in self.origin.checkouts.values()):
            return Push(pushed=False, reason=f"{self.spec.release} is checked out there")
        there = self.origin.refs.get(self.release_ref)
        if there is not None and there not in self.repository.history(tip):
            return Push(pushed=False, reason="rejected (non-fast-forward)")
        self.origin.commits |= {name: self.repository.commits[name] for name in self.repository.history(tip)}
        self.origin.refs[self.release_ref] = tip
        return Push(pushed=True)

    async def base_tip(self) -> str:
        """Return the default branch's tip in `origin`."""
        base = self.spec.base or self.repository.default
        return self.origin.refs.get(f"refs/heads/{base}", "") if self.origin is not None else ""

    async def holds(self, commit: str) -> bool:
        """Whether the release branch contains `commit`."""
        return commit in self.repository.history(await self.tip())

    async def origin_state(self) -> str:
        """Return a digest of the checkouts of `origin`."""
        if self.origin is None or not self.origin.checkouts:
            return ""
        return digest([(str(path), held) for path, held in sorted(self.origin.checkouts.items())])

    async def diff(self, head: str) -> str:
        """Return the unified diff of `head` against the release branch."""
        return patch(*self._sides(await self.tip(), head))[:PATCH_LIMIT]

    async def lines(self, commit: str, words: Collection[str]) -> tuple[Mention, ...]:
        """Return the lines of a commit's tree that hold one of `words`; nothing here parses them."""
        wanted = set(words)
        return tuple(
            Mention(path, number, line)
            for path, text in sorted(self.repository.tree(require_commit(commit)).items())
            for number, line in enumerate(text.splitlines(), 1)
            if wanted.intersection(re.findall(r"[A-Za-z_$][\w$]*", line))
        )

    async def head(self, worktree: Path, branch: str) -> str:
        """Return the head of a checkout; where it has gone, what was collected of it."""
        checkout = self.repository.checkouts.get(worktree)
        return checkout.head if checkout is not None else self.repository.refs.get(f"refs/heads/{branch}", "")

    async def touched(self, head: str) -> frozenset[str]:
        """Return the files that `head` changes."""
        return frozenset(file.path for file in changed_files(*self._sides(await self.tip(), head)))

    async def conflicts(self, one: str, other: str) -> tuple[str, ...]:
        """Merge two commits, file by file, and return the files that both changed differently."""
        return self.repository.merge(require_commit(one), require_commit(other))[1]

    async def landed_since(self, base: str, paths: Collection[str]) -> tuple[str, ...]:
        """Return the tasks that landed after `base` and changed one of `paths`, newest first."""
        old, wanted = set(self.repository.history(require_commit(base))), set(paths)
        found: dict[str, None] = {}
        for name in self.repository.history(await self.tip()):
            made = self.repository.commits[name]
            task = re.search(r"^Omni-Task: (\S+)$", made.message, re.MULTILINE)
            if name not in old and task is not None and made.parents:
                before = self.repository.tree(made.parents[0])
                if wanted.intersection(file.path for file in changed_files(before, made.tree)):
                    found[task[1]] = None
        return tuple(found)

    async def changes(self, commit: str, most: int) -> tuple[frozenset[str], ...]:
        """Return the files that each of the newest `most` commits changed."""
        found: list[frozenset[str]] = []
        for name in self.repository.history(require_commit(commit)):
            made = self.repository.commits[name]
            if len(made.parents) < 2 and len(found) < most:
                before = self.repository.tree(made.parents[0]) if made.parents else {}
                found.append(frozenset(file.path for file in changed_files(before, made.tree)))
        return tuple(found)

    def _sides(self, tip: str, head: str) -> tuple[dict[str, str], dict[str, str]]:
        require_commit(head)
        base = self.repository.merge_base(tip, head)
        return dict(self.repository.tree(base)), dict(self.repository.tree(head))
