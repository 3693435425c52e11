"""A workspace plugin in memory, for tests and the simulated world."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from omni_tui.errors import ScmError, WorkspaceError
from omni_tui.model.refs import is_ref_name
from omni_tui.plugins.gitrefs import WritableRef, require_commit
from omni_tui.plugins.workspace.protocol import WorkspaceSpec, Worktree
from omni_tui.simulation.repository import MemoryCheckout, MemoryRepository, Tree


class MemoryWorkspace:
    """Keeps checkouts in a `MemoryRepository`.

    There are no copied files and no set-up commands here; a set-up that fails is `setup_failure`.
    """

    name: ClassVar[str] = "memory"
    linked: ClassVar[bool] = False
    environment: ClassVar[Mapping[str, str]] = {}

    def __init__(self, spec: WorkspaceSpec, repository: MemoryRepository) -> None:
        """Take the project of `spec`, whose content is `repository`."""
        self.spec = spec
        self.repository = repository
        self.setup_failure = ""

    async def prepare(self, name: str, branch: str, tip: str) -> Worktree:
        """Make a checkout on a new branch, or return the one that is there."""
        path = self._place(name)
        there = self.repository.checkouts.get(path)
        if there is None or there.branch != branch:
            try:
                WritableRef(f"refs/heads/{branch}")
            except ScmError as error:
                raise WorkspaceError(error.message) from error
            there = self._make(path, branch, tip)
            self._take_spare(tip)
        return Worktree(path=str(path), branch=branch, base=there.base)

    async def make_spares(self, tip: str, count: int) -> int:
        """Remember that `count` spares are ready at `tip`."""
        self._tree(tip)
        there = self.repository.spares.get(self.spec.worktrees, ())[:count]
        self.repository.spares[self.spec.worktrees] = (tip,) * count
        return count - there.count(tip)

    async def checkout(self, name: str, commit: str) -> Path:
        """Make a fresh, detached checkout."""
        path = self._place(name)
        self._make(path, "", commit)
        return path

    async def remove(self, path: Path) -> None:
        """Forget a checkout."""
        if path.parent != self.spec.worktrees or path.name == "..":
            raise WorkspaceError("not a checkout of this workspace", where=str(path))
        self.repository.checkouts.pop(path, None)

    def _make(self, path: Path, branch: str, commit: str) -> MemoryCheckout:
        if self.setup_failure:
            raise WorkspaceError(self.setup_failure)
        made = MemoryCheckout(branch=branch, base=commit, head=commit, files=dict(self._tree(commit)))
        self.repository.checkouts[path] = made
        return made

    def _tree(self, commit: str) -> Tree:
        try:
            return self.repository.tree(require_commit(commit))
        except ScmError as error:
            raise WorkspaceError(error.message) from error

    def _take_spare(self, tip: str) -> None:
        """Use one up, if there is one, rather one that is at `tip`."""
        ready = sorted(self.repository.spares.get(self.spec.worktrees, ()), key=lambda base: base != tip)
        self.repository.spares[self.spec.worktrees] = tuple(ready[1:])

    def _place(self, name: str) -> Path:
        if not is_ref_name(name) or "/" in name:
            raise WorkspaceError(f"{name[:80]!r} cannot name a checkout")
        return self.spec.worktrees / name
