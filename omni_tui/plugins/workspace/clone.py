"""The default kind of checkout: an own repository that borrows the bare one's objects.

It has its own refs, configuration and hooks, so no agent can touch another's or ours; it has no remote, so there is
nowhere to push to. The git directory is written by hand, and one git process fills the files (facts: limits, agents).
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from omni_tui.plugins.gitcmd import Git
from omni_tui.plugins.gitdir import is_sha256, make_git_dir, set_head, set_refs
from omni_tui.plugins.workspace.base import AGENT_EMAIL, AGENT_NAME, CheckoutWorkspace
from omni_tui.plugins.workspace.fill import fill

AGENT_CONFIG = f"[user]\n\tname = {AGENT_NAME}\n\temail = {AGENT_EMAIL}\n[push]\n\tdefault = nothing\n"


class CloneWorkspace(CheckoutWorkspace):
    """Checkouts with repositories of their own; see `protocol.Workspace`."""

    name: ClassVar[str] = "clone"
    linked: ClassVar[bool] = False

    def _create(self, path: Path, branch: str, tip: str) -> None:
        repo = self.spec.repo
        git_dir = path / ".git"
        sha256 = is_sha256(repo)
        make_git_dir(git_dir, bare=False, head=tip, sha256=sha256, borrow=repo, config=AGENT_CONFIG)
        self._put_on(git_dir, branch, tip)
        self.spec.fence.check()
        fill(Git(git_dir=git_dir, work_tree=path), tip)

    def _claim(self, spare: Path, base: str, path: Path, branch: str, tip: str) -> None:
        spare.rename(path)
        self._put_on(path / ".git", branch, tip)
        if base != tip:
            self.spec.fence.check()
            fill(Git(git_dir=path / ".git", work_tree=path), base, tip)

    def _move(self, path: Path, base: str, tip: str) -> None:
        fill(Git(git_dir=path / ".git", work_tree=path), base, tip)
        set_head(path / ".git", tip)

    def _forget(self) -> None:
        """Nothing: the bare repository does not know its borrowers."""

    def _info_exclude(self, path: Path) -> Path:
        return path / ".git/info/exclude"

    def _put_on(self, git_dir: Path, branch: str, tip: str) -> None:
        """Put the checkout on a new branch, and show the agent what it starts from as its release branch."""
        self.spec.fence.check()
        seen = {f"refs/remotes/origin/{self.spec.release}": tip} if self.spec.release else {}
        if branch:
            set_refs(git_dir, {f"refs/heads/{branch}": tip} | seen)
            set_head(git_dir, f"refs/heads/{branch}")
