"""Mentions: where the tree of a branch holds a name, found by `git grep` on the objects of a bare repository."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from omni_tui.plugins.gitcmd import Git, decode
from omni_tui.plugins.gitrefs import require_branch

AT_ONCE = 200
"""Names that one git process looks for."""
MOST_BYTES = 8 << 20
"""Of an answer that are read: a name that is everywhere tells nothing."""

_WORD = re.compile(r"[A-Za-z_$][\w$]*")


class Mention(NamedTuple):
    """A line of a file that holds one of the names as a word of its own."""

    path: str
    line: int
    text: str


def branch_commit(repo: Path, branch: str) -> str:
    """Return the tip of a branch of a bare repository; of its HEAD where there is none; empty: of neither."""
    git = Git(git_dir=repo)
    for ref in (f"refs/heads/{require_branch(branch, 'release branch')}", "HEAD"):
        found = git.run("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}", accept=(0, 1)).text
        if found:
            return found
    return ""


def mentions(repo: Path, commit: str, names: Collection[str]) -> Iterator[Mention]:
    """Give the lines of a commit's tree that hold one of `names`. Blocks. Raises `ScmError`."""
    words = sorted(name for name in set(names) if _WORD.fullmatch(name))
    for start in range(0, len(words), AT_ONCE):
        patterns = [word for name in words[start : start + AT_ONCE] for word in ("-e", name)]
        options = ("-I", "-n", "-z", "--full-name", "--no-color", "--fixed-strings", "--word-regexp")
        answer = Git(git_dir=repo).run("grep", *options, *patterns, commit, accept=(0, 1), limit=MOST_BYTES)
        for line in decode(answer.out).split("\n"):
            tree_and_path, _, rest = line.partition("\0")
            number, _, text = rest.partition("\0")
            if number.isdigit():
                yield Mention(tree_and_path.partition(":")[2], int(number), text)
