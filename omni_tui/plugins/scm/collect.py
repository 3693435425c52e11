"""Bringing an attempt's commits from its checkout into the repository, whatever the agent did to branch and HEAD.

The named branch counts. Where HEAD goes on from it (detached, or on another branch) HEAD counts, and also where the
branch has gone; where the two have parted, the named branch stays. Rebased and amended histories simply replace what
was there. What else the checkout holds of its own (other branches, a parted HEAD, the stash) is kept under
`refs/omni/kept/<task>/<attempt>/`, for a checkout is deleted after this.
"""

from __future__ import annotations

from pathlib import Path

from omni_tui.plugins.gitcmd import Git
from omni_tui.plugins.gitdir import view
from omni_tui.plugins.gitrefs import WritableRef
from omni_tui.plugins.scm.own import require_own

KEPT_LIMIT = 100
"""Refs of a checkout that are looked at."""
_UPLOAD = "--upload-pack=git-upload-pack"


def collect(bare: Git, worktree: Path, branch: WritableRef, tip: str) -> str | None:
    """Set `branch` in the repository to what its checkout holds and return it; None: nothing of it is anywhere.

    A checkout that has gone leaves what was collected earlier. Raises `ScmError` where git cannot read the checkout, or
    finds an object in it that is not sound.
    """
    ref = branch.name
    if not (worktree / ".git").exists():
        return resolve(bare, ref)
    admin = linked_git_dir(bare.git_dir, worktree)
    with view(bare.git_dir, refs={"refs/heads/tip": tip}) as objects:
        if admin is not None:
            found = {ref: resolve(bare, ref) or "", "HEAD": resolve(Git(git_dir=admin), "HEAD") or ""}
        else:
            require_own(worktree, bare.git_dir)
            found = remote_refs(objects, worktree)
            fetch(objects, worktree, set(found.values()))
        chosen = _choose(objects, found.get(ref) or None, found.get("HEAD") or None)
        others = sorted(set(found.values()) - {chosen, tip, ""})
        own = [other for other in others if not any(_contains(objects, it, other) for it in (chosen, tip) if it)]
    for commit in own:
        name = f"refs/omni/kept/{ref.removeprefix('refs/heads/omni/')}/{commit[:12]}"
        bare.update_ref(WritableRef(name), commit)
    if chosen is not None:
        bare.update_ref(branch, chosen)
    return chosen


def resolve(repo: Git, ref: str) -> str | None:
    """Return the commit that `ref` names; None: there is no such ref."""
    return repo.text("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}", accept=(0, 1)) or None


def linked_git_dir(repo: Path, worktree: Path) -> Path | None:
    """Return the git directory of a linked worktree of `repo`; None: the checkout is a repository of its own."""
    link = worktree / ".git"
    if link.is_symlink() or not link.is_file():
        return None
    target = Path(link.read_text(encoding="utf-8", errors="replace").removeprefix("gitdir:").strip())
    inside = target.is_dir() and target.resolve().parent == (repo / "worktrees").resolve()
    return target if inside else None


def remote_refs(objects: Git, worktree: Path) -> dict[str, str]:
    """Return HEAD, the branches and the stash of a checkout; their names are only compared, never used."""
    listing = objects.text("ls-remote", _UPLOAD, "--", str(worktree), "HEAD", "refs/heads/*", "refs/stash")
    pairs = (line.split("\t", 1) for line in listing.splitlines()[:KEPT_LIMIT])
    return {name: commit for commit, name in pairs}


def fetch(objects: Git, worktree: Path, commits: set[str]) -> None:
    """Bring commits over by id: no ref of ours moves, and what `upload-pack` sends is checked object by object."""
    if commits:
        quiet = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--no-auto-maintenance")
        objects.run("-c", "transfer.fsckObjects=true", "fetch", *quiet, _UPLOAD, "--", str(worktree), *sorted(commits))


def _choose(objects: Git, branch: str | None, head: str | None) -> str | None:
    if branch is None or head is None or branch == head:
        return branch or head
    return head if _contains(objects, head, branch) else branch


def _contains(objects: Git, newer: str, older: str) -> bool:
    return objects.run("merge-base", "--is-ancestor", older, newer, accept=(0, 1)).status == 0
