"""The repository that the fleet's came from: pushing the release branch to it, and seeing whether its checkout changed.

Whose code may run there? None of a developer's checkout: its hooks are switched off for our push, and it is only looked
at with plumbing that runs nothing. A bare repository, local or remote, is a server: its hooks are its owner's rules,
and they decide about our push as about anyone's.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

from omni_tui.errors import ScmError
from omni_tui.plugins.gitcmd import NETWORK_SECONDS, Git, redact
from omni_tui.plugins.gitdir import view
from omni_tui.plugins.gitrefs import WritableRef
from omni_tui.plugins.scm.protocol import Push

_RECEIVE = "git -c core.hooksPath=/dev/null -c core.fsmonitor=false -c receive.denyCurrentBranch=refuse receive-pack"
_REASON_BYTES = 2000
_SCAN_SECONDS = 60.0


def push(bare: Git, origin: str, release: WritableRef, commit: str) -> Push:
    """Push `commit` to the branch `release` of `origin`, never by force; any refusal is an answer, not an error.

    It runs from a git directory of its own, so that no configuration of the fleet's repository (which linked worktrees
    share with agents) meets the user's credentials.
    """
    if origin.startswith("-"):
        return Push(pushed=False, reason=f"{origin!r} is not a path or URL")
    place = local_path(origin)
    git_dir = checkout_git_dir(place) if place else None
    if place is not None and release.name in _checked_out(git_dir or place):
        return Push(pushed=False, reason=f"{release.name.removeprefix('refs/heads/')} is checked out in {place}")
    options = () if git_dir is None else (f"--receive-pack={_RECEIVE}",)
    with view(bare.git_dir) as objects:
        ours = msgspec.structs.replace(objects, user_config=True)
        try:
            said = ours.push(origin, commit, release, *options, accept=(0, 1))
        except ScmError as error:
            return Push(pushed=False, reason=redact(error.message)[-_REASON_BYTES:])
    if said.status == 0:
        return Push(pushed=True)
    refused = [line for line in said.text.splitlines() if line.startswith("!")]
    return Push(pushed=False, reason=redact("\n".join([*refused, said.err]))[-_REASON_BYTES:])


def branch_tip(bare: Git, origin: str, ref: str) -> str:
    """Return the commit that `ref` holds in `origin`; empty where there is no such origin or branch, or no answer."""
    if not origin or origin.startswith("-"):
        return ""
    with view(bare.git_dir) as objects:
        ours = msgspec.structs.replace(objects, user_config=True)
        try:
            said = ours.run("ls-remote", "--", origin, ref, seconds=NETWORK_SECONDS).text
        except ScmError:  # asked again after the next landing; a push that fails is told by itself
            return ""
    return next((line.split("\t")[0] for line in said.splitlines() if line.endswith(f"\t{ref}")), "")


def local_path(origin: str) -> Path | None:
    """Return the directory that `origin` names on this machine; None: it is empty, a URL elsewhere, or not there."""
    if origin.startswith("file://"):
        origin = unquote(urlsplit(origin).path)
    path = Path(origin).expanduser()
    return path.resolve() if origin and path.is_dir() else None


def checkout_git_dir(place: Path) -> Path | None:
    """Return the git directory of the checkout at `place`; None: it is bare, or no repository."""
    entry = place / ".git"
    if entry.is_dir():
        return entry
    if not entry.is_file():
        return None
    text = entry.read_text(encoding="utf-8", errors="replace")
    return (place / text.removeprefix("gitdir:").strip()).resolve()


def origin_state(bare: Git, origin: str) -> str:
    """Return a fingerprint of the checkout at `origin`: HEAD, and name, kind, size, inode and times of each file.

    Ignored files do not count. Empty where there is no such checkout.
    """
    place = local_path(origin)
    git_dir = checkout_git_dir(place) if place else None
    if place is None or git_dir is None:
        return ""
    digest = hashlib.sha256(_head(git_dir).encode())
    own_excludes = git_dir / "info/exclude"
    also = (f"--exclude-from={own_excludes}",) if own_excludes.is_file() else ()
    with view(bare.git_dir, work_tree=place) as objects:
        ours = msgspec.structs.replace(objects, user_config=True)  # for the user's own list of ignored files
        scan = ("ls-files", "-z", "--others", "--exclude-standard", *also)
        listed = ours.run(*scan, seconds=_SCAN_SECONDS).out
    root = os.fsencode(place)
    for path in sorted(filter(None, listed.split(b"\0"))):
        digest.update(path + _stamp(root + b"/" + path))
    return digest.hexdigest()


def _stamp(full: bytes) -> bytes:
    try:
        info = os.lstat(full)
    except (FileNotFoundError, NotADirectoryError):
        return b"\0gone\0"
    return f"\0{info.st_mode} {info.st_size} {info.st_ino} {info.st_mtime_ns}\0".encode()


def _head(git_dir: Path) -> str:
    """Return the branch and commit that a git directory's HEAD stands for."""
    words = ("rev-parse", "--verify", "--quiet", "HEAD")
    commit = Git(git_dir=git_dir).text(*words, accept=(0, 1))
    return f"{(git_dir / 'HEAD').read_text(encoding='utf-8', errors='replace')} {commit}"


def _checked_out(git_dir: Path) -> set[str]:
    """Return the full names of the branches that are checked out in any worktree of a repository."""
    listing = Git(git_dir=git_dir).text("worktree", "list", "--porcelain").split("\n\n")
    worktrees = [block.splitlines() for block in listing if "\nbare" not in block]
    return {line.removeprefix("branch ") for block in worktrees for line in block if line.startswith("branch ")}
