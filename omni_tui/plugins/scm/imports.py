"""Making the fleet's own repository from the one that it comes from."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from omni_tui.errors import ScmError
from omni_tui.plugins.gitcmd import NETWORK_SECONDS, Git, redact
from omni_tui.plugins.gitdir import make_git_dir, set_head
from omni_tui.plugins.scm.origin import local_path

_SHA256_LENGTH = 64
IMPORT_SECONDS = 3600.0
"""The longest that the first fetch of a repository may take."""
_BRANCHES = ("+refs/heads/*:refs/heads/*", "^refs/heads/omni/*")


async def import_repository(source: str, dest: Path) -> str:
    """Make the bare repository `dest` with all branches of `source`, a path or URL; return its default branch.

    Attempts' branches (`omni/*`) and other refs stay behind, and so do hooks and configuration. Objects are copied, not
    linked, so that nothing done to either side reaches the other. `dest` appears only when it is complete. Raises
    `ScmError` where `dest` is there already, `source` cannot be read, or holds no commit.
    """
    return await asyncio.to_thread(_import, source, dest)


def _import(source: str, dest: Path) -> str:
    if dest.exists():
        raise ScmError("there is a repository already", where=str(dest), fix="choose another workspace name")
    place = local_path(source)
    source = str(place) if place else source
    if source.startswith("-") or not source:
        raise ScmError(f"{source!r} is not a path or URL of a repository")
    part = dest.with_name(f"{dest.name}.part")
    shutil.rmtree(part, ignore_errors=True)  # what an earlier import left when it was ended
    try:
        default = _fill(part, source)
        part.rename(dest)
    finally:
        shutil.rmtree(part, ignore_errors=True)  # has become `dest` if all went well
    return default


def _fill(part: Path, source: str) -> str:
    """Make a bare repository at `part` with the branches of `source`; return its default branch."""
    shown = redact(source)
    make_git_dir(part, bare=True, head="refs/heads/main")
    repo = Git(git_dir=part, user_config=True, new=True)
    refs = repo.run("ls-remote", "--symref", "--", source, "HEAD", "refs/heads/*", seconds=NETWORK_SECONDS).text
    default, branches = _read_refs(refs)
    if not branches:
        raise ScmError("the repository has no commit on any branch", where=shown, fix="commit something there first")
    if len(next(iter(branches.values()))) == _SHA256_LENGTH:
        shutil.rmtree(part)
        make_git_dir(part, bare=True, head="refs/heads/main", sha256=True)
    words = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules")
    repo.run(*words, "--", source, *_BRANCHES, seconds=IMPORT_SECONDS)
    set_head(part, f"refs/heads/{default}")
    return default


def _read_refs(listing: str) -> tuple[str, dict[str, str]]:
    """Return the default branch and all branches with their commits, from `ls-remote --symref`."""
    default = ""
    branches: dict[str, str] = {}
    for line in listing.splitlines():
        value, _, name = line.partition("\t")
        if value.startswith("ref: ") and name == "HEAD":
            default = value.removeprefix("ref: refs/heads/")
        elif name.startswith("refs/heads/") and not name.startswith("refs/heads/omni/"):
            branches[name.removeprefix("refs/heads/")] = value
    if default not in branches:  # HEAD stands on a commit, or on a branch without one
        default = next((name for name in ("main", "master", *branches) if name in branches), "")
    return default, branches
