"""The other kind of checkout: a linked worktree of the bare repository.

Agents share the repository's configuration, refs and hooks then, which is why `clone` is the default. Adds are
serialised, for they race on the repository's lock files (facts: reliability). Files are filled through a git directory
of ours, so that a filter which an agent configured does not run.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import msgspec

from omni_tui.errors import ScmError
from omni_tui.plugins.gitcmd import Git
from omni_tui.plugins.gitdir import set_head, view
from omni_tui.plugins.gitrefs import WritableRef
from omni_tui.plugins.workspace.base import AGENT_EMAIL, AGENT_NAME, CheckoutWorkspace
from omni_tui.plugins.workspace.fill import fill
from omni_tui.plugins.workspace.protocol import WorkspaceSpec


class WorktreeWorkspace(CheckoutWorkspace):
    """Linked worktrees; see `protocol.Workspace`."""

    name: ClassVar[str] = "worktree"
    linked: ClassVar[bool] = True
    environment: ClassVar[Mapping[str, str]] = {
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", AGENT_NAME), ("EMAIL", AGENT_EMAIL))
    }

    def __init__(self, spec: WorkspaceSpec) -> None:
        """Take the project of `spec`; nothing is read or written yet."""
        super().__init__(spec)
        self._bare = Git(git_dir=spec.repo)
        self._books = threading.Lock()

    def _create(self, path: Path, branch: str, tip: str) -> None:
        if branch:
            self._require_free(branch, tip)  # a crash may have left it, with nothing on it
        try:
            self._add(path, tip)
        except ScmError:  # and in git's books a directory that has gone
            self._forget()
            self._add(path, tip)
        if branch:
            self._put_on(path, branch, tip)
        self._fill_files(path, tip)

    def _claim(self, spare: Path, base: str, path: Path, branch: str, tip: str) -> None:
        self._require_free(branch, tip)
        with self._books:
            self._bare.run("worktree", "move", "--", str(spare), str(path))
        self._put_on(path, branch, tip)
        if base != tip:
            self._fill_files(path, base, tip)

    def _move(self, path: Path, base: str, tip: str) -> None:
        self._fill_files(path, base, tip)
        set_head(_admin(path), tip)

    def _forget(self) -> None:
        with self._books:
            self._bare.run("worktree", "prune", "--expire=now")

    def _info_exclude(self, _path: Path) -> Path:
        """Linked worktrees share one (gitrepository-layout(5))."""
        return self.spec.repo / "info/exclude"

    def _add(self, path: Path, tip: str) -> None:
        with self._books:
            self._bare.run("worktree", "add", "--quiet", "--no-checkout", "--detach", "--", str(path), tip)

    def _put_on(self, path: Path, branch: str, tip: str) -> None:
        ref = WritableRef(f"refs/heads/{branch}")
        self.spec.fence.check()
        self._bare.update_ref(ref, tip)
        set_head(_admin(path), ref.name)

    def _fill_files(self, path: Path, *trees: str) -> None:
        self.spec.fence.check()
        with view(self.spec.repo, work_tree=path) as objects:
            fill(msgspec.structs.replace(objects, index=_admin(path) / "index"), *trees)

    def _require_free(self, branch: str, tip: str) -> None:
        """Refuse a branch that holds work: one left by a crash before its agent started holds none."""
        ref = f"refs/heads/{branch}"
        if not self._bare.text("for-each-ref", ref):
            return
        if self._bare.run("merge-base", "--is-ancestor", ref, tip, accept=(0, 1)).status != 0:
            raise ScmError(f"the branch {branch} holds commits already", where=str(self.spec.repo))


def _admin(path: Path) -> Path:
    """Return the directory that git keeps of a linked worktree which only we have touched."""
    return Path((path / ".git").read_text(encoding="utf-8").removeprefix("gitdir:").strip())
