"""Reading what an agent at work has committed so far, to see whether it goes in circles.

Only objects of the repository are read; nothing of it moves, and whatever the checkout configures does not count.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from omni_tui.errors import ScmError
from omni_tui.model.change import CommitSketch
from omni_tui.plugins.gitcmd import Git, decode
from omni_tui.plugins.gitdir import view
from omni_tui.plugins.scm.collect import fetch, linked_git_dir, remote_refs, resolve
from omni_tui.plugins.scm.own import require_own

_SUBJECT_WIDTH = 200
_LOG = ("log", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color", "--numstat")


def read_commits(bare: Git, worktree: Path, branch: str, base: str, most: int) -> tuple[CommitSketch, ...]:
    """Return the newest `most` commits of `branch` beyond `base`, oldest first; none where there are fewer.

    A checkout that cannot be read just now, because its agent is in the middle of something, has none.
    """
    try:
        with view(bare.git_dir, refs={"refs/heads/base": base}) as objects:
            head = _head(bare, objects, worktree, f"refs/heads/{branch}")
            found = [] if head is None else list(_sketches(objects, base, head, most))
    except ScmError:
        return ()
    return tuple(reversed(found)) if len(found) >= most else ()


def read_head(bare: Git, worktree: Path, branch: str, tip: str) -> str:
    """Return the commit that an attempt's branch is at, with its objects in the repository; empty: nobody can tell.

    Where the checkout has gone, that is what was collected of it. `tip` is what need not be fetched again.
    """
    ref = f"refs/heads/{branch}"
    try:
        if not (worktree / ".git").exists():
            return resolve(bare, ref) or ""
        with view(bare.git_dir, refs={"refs/heads/tip": tip}) as objects:
            return _head(bare, objects, worktree, ref) or ""
    except (ScmError, OSError):  # its agent is in the middle of something, or has put something else there
        return ""


def _head(bare: Git, objects: Git, worktree: Path, ref: str) -> str | None:
    """Return the commit of an attempt's branch, with its objects in the repository."""
    if linked_git_dir(bare.git_dir, worktree) is not None:
        return resolve(bare, ref)
    require_own(worktree, bare.git_dir)
    head = remote_refs(objects, worktree).get(ref)
    if head is not None:
        fetch(objects, worktree, {head})
    return head


def _sketches(objects: Git, base: str, head: str, most: int) -> Iterator[CommitSketch]:
    """Yield the newest commits first."""
    shown = f"--format=%x00%<({_SUBJECT_WIDTH},trunc)%s"
    output = decode(objects.run(*_LOG, shown, f"--max-count={most}", f"{base}..{head}").out)
    for record in output.split("\0")[1:]:
        subject, *rest = record.split("\n")
        files = [line.split("\t", 2) for line in rest if line]
        lines = sum(int(count) for added, removed, _ in files for count in (added, removed) if count != "-")
        yield CommitSketch(subject=subject.rstrip(), paths=frozenset(path for *_, path in files), lines=lines)
