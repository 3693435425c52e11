"""Merging on objects alone: merge-tree, commit-tree, then a compare and swap of the release branch (facts: github)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from omni_tui.errors import ScmError
from omni_tui.plugins.gitcmd import Git, decode
from omni_tui.plugins.gitdir import view
from omni_tui.plugins.gitrefs import WritableRef
from omni_tui.plugins.scm.collect import resolve
from omni_tui.plugins.scm.conflicts import CONFLICT, MERGE, conflicting
from omni_tui.plugins.scm.protocol import Merge


class Author(NamedTuple):
    """Who commits."""

    name: str
    email: str

    @classmethod
    def parse(cls, text: str) -> Author:
        """Read `Name <email>`; raises `ScmError` on anything else."""
        match = re.fullmatch(r"([^<>\n]+) <([^<>\s]+)>", text)
        if match is None:
            raise ScmError(f"not an author: {text!r}", fix="write it as Name <email>")
        return cls(match[1], match[2])

    def variables(self, at: int) -> dict[str, str]:
        """Return what makes git commit as this author at `at`, UTC seconds."""
        date = f"@{at} +0000"
        return {
            f"GIT_{role}_{key}": value
            for role in ("AUTHOR", "COMMITTER")
            for key, value in (("NAME", self.name), ("EMAIL", self.email), ("DATE", date))
        }


def squash(bare: Git, release_ref: str, head: str, message: str, author: Author, now: Callable[[], float]) -> Merge:
    """Merge `head` onto the tip of `release_ref` as one commit that is on no branch yet, or say what conflicts.

    The commit is made even where its tree is the tip's own: what that means is the caller's to say.
    """
    tip, parent_time = bare.text("for-each-ref", "--format=%(objectname) %(committerdate:unix)", release_ref).split()
    with view(bare.git_dir) as objects:
        merged = objects.run(*MERGE, tip, head, accept=(0, CONFLICT))
        if merged.status == CONFLICT:
            return Merge(onto=tip, conflicts=conflicting(merged.out))
        tree = decode(merged.out).rstrip("\0")
        text = message.replace("\0", "").rstrip() + "\n"
        when = author.variables(max(int(now()), int(parent_time)))
        commit = objects.run("commit-tree", tree, "-p", tip, stdin=text.encode("utf-8", "replace"), extra_env=when).text
    return Merge(onto=tip, commit=commit, tree=tree)


def land(bare: Git, release: WritableRef, merge: Merge) -> bool:
    """Move `release` from `merge.onto` to `merge.commit`. False: it has moved on without that commit.

    Raises `ScmError` where git could not move it though it has not moved, as on a full disk.
    """
    if not merge.commit:
        raise ScmError("a merge with conflicts cannot land", where=release.name)
    try:
        bare.update_ref(release, merge.commit, merge.onto)
    except ScmError:
        tip = resolve(bare, release.name)
        if tip == merge.onto:
            raise
        return tip is not None and _is_ancestor(bare, merge.commit, tip)
    return True


def _is_ancestor(bare: Git, older: str, newer: str) -> bool:
    return bare.run("merge-base", "--is-ancestor", older, newer, accept=(0, 1)).status == 0
