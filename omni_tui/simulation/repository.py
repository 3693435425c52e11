"""A repository in memory: commits, refs, checkouts, a file-wise merge; what the fakes of `scm` and `workspace` share.

Ids look like git's and depend on content alone, so that the same seed gives the same night.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from omni_tui.errors import ScmError
from omni_tui.model.change import FileChange

Tree = Mapping[str, str]


class MemoryCommit(msgspec.Struct, frozen=True, kw_only=True):
    """One commit: a whole tree, text files by path."""

    tree: Tree
    parents: tuple[str, ...]
    message: str
    author: str
    at: float


class MemoryCheckout(msgspec.Struct, kw_only=True):
    """A checkout: what is in it, its branch (empty: detached) and the commit that HEAD stands on."""

    branch: str
    base: str
    head: str
    files: dict[str, str]


class MemoryRepository:
    """Commits by id, refs by full name, checkouts by path."""

    def __init__(self, files: Tree, branch: str = "main") -> None:
        """Start with one commit on the default `branch`; with no files there is no commit."""
        self.default = branch
        self.commits: dict[str, MemoryCommit] = {}
        self.refs: dict[str, str] = {}
        self.checkouts: dict[Path, MemoryCheckout] = {}
        self.spares: dict[Path, tuple[str, ...]] = {}
        """For each directory of checkouts, the commits that its spares are at."""
        if files:
            self.refs[f"refs/heads/{branch}"] = self.commit(files, (), "first")

    def commit(
        self, tree: Tree, parents: tuple[str, ...], message: str, author: str = "A Person <a@b.c>", at: float = 0.0
    ) -> str:
        """Store a commit and return its id; it is on no branch."""
        made = MemoryCommit(tree=dict(tree), parents=parents, message=message, author=author, at=at)
        name = digest(made)
        self.commits[name] = made
        return name

    def commit_in(self, path: Path, files: Tree, message: str = "work") -> str:
        """Do as an agent does: write `files` in the checkout at `path` and commit all that is in it."""
        checkout = self.checkouts[path]
        checkout.files |= files
        checkout.head = self.commit(checkout.files, (checkout.head,), message)
        return checkout.head

    def tree(self, commit: str) -> Tree:
        """Return a commit's files; raises `ScmError` where there is no such commit."""
        if commit not in self.commits:
            raise ScmError(f"not a commit: {commit[:80]!r}")
        return self.commits[commit].tree

    def history(self, commit: str) -> Iterator[str]:
        """Yield a commit and all that it came from, newest first."""
        seen: set[str] = set()
        waiting = [commit]
        while waiting:
            name = waiting.pop(0)
            if name not in seen:
                seen.add(name)
                yield name
                waiting += self.commits[name].parents

    def merge_base(self, one: str, other: str) -> str:
        """Return the newest commit that both came from; `one` itself where there is none."""
        ours = set(self.history(one))
        return next((name for name in self.history(other) if name in ours), one)

    def merge(self, ours: str, theirs: str) -> tuple[dict[str, str], tuple[str, ...]]:
        """Merge file by file: return the tree, and the files that both sides changed differently."""
        base = self.tree(self.merge_base(ours, theirs))
        one, other = self.tree(ours), self.tree(theirs)
        merged: dict[str, str] = {}
        conflicts = []
        for name in sorted({*base, *one, *other}):
            was, here, there = base.get(name), one.get(name), other.get(name)
            if here not in {was, there} and there != was:
                conflicts.append(name)
            kept = there if here == was else here
            if kept is not None:
                merged[name] = kept
        return merged, tuple(conflicts)


def digest(value: object) -> str:
    """Return 40 hexadecimal digits that name a value."""
    return hashlib.sha1(msgspec.json.encode(value, order="sorted"), usedforsecurity=False).hexdigest()


def changed_files(old: Tree, new: Tree) -> Iterator[FileChange]:
    """Yield what differs between two trees, by path."""
    for path in sorted({*old, *new}):
        before, after = old.get(path), new.get(path)
        if before == after:
            continue
        lines = list(_diff(path, before, after))[2:]
        yield FileChange(
            path=path,
            status="A" if before is None else "D" if after is None else "M",
            added=sum(line.startswith("+") for line in lines),
            removed=sum(line.startswith("-") for line in lines),
            old_mode="000000" if before is None else "100644",
            new_mode="000000" if after is None else "100644",
        )


def patch(old: Tree, new: Tree) -> str:
    """Return the unified diff between two trees."""
    paths = (path for path in sorted({*old, *new}) if old.get(path) != new.get(path))
    return "".join(line for path in paths for line in _diff(path, old.get(path), new.get(path)))


def _diff(path: str, before: str | None, after: str | None) -> Iterable[str]:
    names = (f"a/{path}" if before is not None else "/dev/null", f"b/{path}" if after is not None else "/dev/null")
    return difflib.unified_diff((before or "").splitlines(True), (after or "").splitlines(True), *names)
