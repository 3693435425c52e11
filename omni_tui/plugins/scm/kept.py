"""Work that ended attempts left, brought back for a person: found by its refs, or checked out in a place of its own.

Nothing in the fleet's repository is written for that: a rescue stays what it is, however often it is looked at.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import msgspec

from omni_tui.errors import ScmError
from omni_tui.model.attempt import AttemptId
from omni_tui.model.task import TaskRef
from omni_tui.plugins.gitcmd import Git
from omni_tui.plugins.gitdir import is_sha256, make_git_dir
from omni_tui.plugins.gitrefs import WritableRef, require_commit


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What the fleet's repository holds of one attempt."""

    attempt: int
    ref: str
    """With everything: the rescue of what was not committed, else the attempt's branch."""
    commit: str
    beside: tuple[str, ...] = ()
    """Refs of what its checkout held besides: other branches, the stash."""


def find_kept(bare: Git, task: TaskRef) -> list[Kept]:
    """Return what is kept of a task's attempts, by their numbers."""
    roots = [f"refs/omni/rescue/{task.id}", f"refs/heads/omni/{task.id}", f"refs/omni/kept/{task.id}"]
    listing = bare.text("for-each-ref", "--format=%(refname) %(objectname)", *roots)
    refs = dict(line.split(" ", 1) for line in listing.splitlines())
    numbers = sorted({int(part) for ref in refs for part in ref.split("/")[4:5] if part.isdecimal()})
    return [found for number in numbers if (found := _of_attempt(refs, AttemptId(task, number)))]


def _of_attempt(refs: dict[str, str], attempt: AttemptId) -> Kept | None:
    ref = next((ref for ref in (attempt.rescue_ref, f"refs/heads/{attempt.branch}") if ref in refs), "")
    prefix = f"refs/omni/kept/{attempt.task.id}/{attempt.number}/"
    beside = tuple(other for other in refs if other.startswith(prefix))
    return Kept(attempt=attempt.number, ref=ref, commit=refs[ref], beside=beside) if ref else None


def check_out(repo: Path, commit: str, branch: WritableRef, directory: Path, origin: str) -> None:
    """Make a repository of its own at `directory`, with `commit` checked out on `branch`; `origin` is its remote.

    It borrows nothing, so it outlives the fleet. It appears in one rename, when it is complete. Raises `ScmError` where
    something is at `directory` already, or git fails.
    """
    if os.path.lexists(directory):
        raise ScmError("something is there already", where=str(directory), fix="name a directory that is not there yet")
    directory.parent.mkdir(parents=True, exist_ok=True)
    part = directory.with_name(f".{directory.name}.part")
    shutil.rmtree(part, ignore_errors=True)  # what an earlier one left when it was ended
    try:
        _fill(part, repo, require_commit(commit), branch, origin)
        part.rename(directory)
    finally:
        shutil.rmtree(part, ignore_errors=True)  # has become `directory` if all went well


def _fill(part: Path, repo: Path, commit: str, branch: WritableRef, origin: str) -> None:
    make_git_dir(part / ".git", bare=False, head=branch.name, sha256=is_sha256(repo))
    ours = Git(git_dir=part / ".git", work_tree=part, new=True)
    quiet = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules")
    ours.run("fetch", *quiet, "--", str(repo.resolve()), commit)
    ours.update_ref(branch, commit)
    ours.run("config", "remote.origin.url", origin or str(repo.resolve()))
    ours.run("config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*")
    ours.run("read-tree", "-m", "-u", commit)
