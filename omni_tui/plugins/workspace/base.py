"""What both kinds of checkout share: names, records, spares, copied files and set-up, and careful removal.

Under `worktrees/`: a directory for each checkout; `.spare-1` …, complete checkouts that nobody has touched;
`.records/`, which says what is complete (see `plugins.checkouts`); `.trash/`, what is being deleted; `.scratch/`, the
homes of set-up commands. Whatever a crash leaves half-made has no record, so it is made again.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from omni_tui.errors import ScmError, WorkspaceError
from omni_tui.model.refs import is_ref_name
from omni_tui.plugins.checkouts import CheckoutRecord, drop_record, read_record, write_record
from omni_tui.plugins.gitrefs import WritableRef, require_commit
from omni_tui.plugins.removal import remove_tree
from omni_tui.plugins.workspace.equip import copy_files, exclude, run_setup
from omni_tui.plugins.workspace.protocol import WorkspaceSpec, Worktree
from omni_tui.plugins.workspace.spares import Spares

AGENT_NAME, AGENT_EMAIL = "omni-tui agent", "agent@omni-tui.invalid"
"""What an agent commits as; the landed commit has the configured author."""

_TRASH = ".trash"
_SCRATCH = ".scratch"


class CheckoutWorkspace(ABC):
    """Checkouts on this machine; a subclass says how one is made, moved, and taken out of git's books."""

    name: ClassVar[str]
    linked: ClassVar[bool]
    environment: ClassVar[Mapping[str, str]] = {}

    def __init__(self, spec: WorkspaceSpec) -> None:
        """Take the project of `spec`; nothing is read or written yet."""
        self.spec = spec
        self._spares = Spares(spec.worktrees)

    async def prepare(self, name: str, branch: str, tip: str) -> Worktree:
        """Make the checkout `name` of `tip` on a new `branch`, or return the one that is there already."""
        path = self._place(name)
        there = read_record(path)
        if there is not None and there.branch == branch and path.is_dir():
            return Worktree(path=str(path), branch=branch, base=there.base)
        with _as_workspace_error(path):
            WritableRef(f"refs/heads/{branch}")
        return await self._make(path, branch, tip)

    async def checkout(self, name: str, commit: str) -> Path:
        """Make a fresh, detached checkout of `commit`; one that has this name already gives way."""
        return Path((await self._make(self._place(name), "", commit)).path)

    async def make_spares(self, tip: str, count: int) -> int:
        """Have `count` spares ready at `tip`, one after the other; return how many were made or moved."""
        with _as_workspace_error(self.spec.worktrees):
            require_commit(tip)
            surplus = self._spares.surplus(count)
            for spare in surplus:
                await asyncio.to_thread(self._drop_spare, spare)
            if surplus:
                await asyncio.to_thread(self._empty_trash)
            return sum([await asyncio.to_thread(self._make_spare, spare, tip) for spare in self._spares.wanted(count)])

    async def remove(self, path: Path) -> None:
        """Remove a checkout of ours, and what earlier removals left. Raises `WorkspaceError` for any other path."""
        if path.parent.resolve() != self.spec.worktrees.resolve():
            raise WorkspaceError("not a checkout of this workspace", where=str(path))
        await asyncio.to_thread(self._discard, self._place(path.name))
        await asyncio.to_thread(self._empty_trash)

    @abstractmethod
    def _create(self, path: Path, branch: str, tip: str) -> None:
        """Make a checkout of `tip` at `path`, on a new `branch` or, where that is empty, detached."""

    @abstractmethod
    def _claim(self, spare: Path, base: str, path: Path, branch: str, tip: str) -> None:
        """Make a spare, whose files are those of `base`, the checkout of `tip` at `path` on a new `branch`."""

    @abstractmethod
    def _move(self, path: Path, base: str, tip: str) -> None:
        """Move a detached, untouched checkout from `base` to `tip`."""

    @abstractmethod
    def _forget(self) -> None:
        """Take checkouts whose directory has gone out of git's books."""

    @abstractmethod
    def _info_exclude(self, path: Path) -> Path:
        """Return the file with what git leaves alone in the checkout at `path`."""

    async def _make(self, path: Path, branch: str, commit: str) -> Worktree:
        """Fill, equip and record a checkout; a failure leaves nothing of it."""
        spec = self.spec
        try:
            with _as_workspace_error(path):
                await _to_its_end(asyncio.to_thread(self._fill, path, branch, require_commit(commit)))
            if spec.setup:
                await self._set_up(path)
        except (WorkspaceError, asyncio.CancelledError):
            await asyncio.to_thread(self._discard, path)
            raise
        self._record(path, CheckoutRecord(branch=branch, base=commit, copied=spec.copy))
        return Worktree(path=str(path), branch=branch, base=commit)

    async def _set_up(self, path: Path) -> None:
        spec, scratch = self.spec, self._scratch(path)
        try:
            await run_setup(spec.setup, path, spec.environment, spec.setup_seconds, spec.confine(path, scratch))
        finally:
            await asyncio.to_thread(remove_tree, scratch)

    def _fill(self, path: Path, branch: str, commit: str) -> None:
        """Have the files of `commit`, and the copied ones, at `path`, on a new `branch` or, without one, detached."""
        self._discard(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        if not (branch and self._claim_spare(path, branch, commit)):
            self._create(path, branch, commit)
        self.spec.fence.check()
        if self.spec.copy:
            copy_files(self.spec.copy_from, self.spec.copy, path)
            exclude(self._info_exclude(path), self.spec.copy)

    def _claim_spare(self, path: Path, branch: str, commit: str) -> bool:
        """Use a spare that is complete and that nobody is busy with, if there is one."""
        for spare in self._spares.nearest(commit):
            with self._spares.hold(spare, wait=False) as held:
                record = read_record(spare) if held else None
                if record is not None and spare.is_dir():
                    return self._claimed(spare, record.base, path, branch, commit)
        return False

    def _claimed(self, spare: Path, base: str, path: Path, branch: str, commit: str) -> bool:
        drop_record(spare)
        try:
            self._claim(spare, base, path, branch, commit)
        except ScmError:  # a spare is a saving, not a need: without it the checkout is made from nothing
            self._discard(path)
            self._discard(spare)
            return False
        return True

    def _make_spare(self, spare: Path, tip: str) -> bool:
        """Have one spare ready at `tip`; False: it is there already."""
        with self._spares.hold(spare, wait=True):
            record = read_record(spare)
            if record is not None and record.base == tip and spare.is_dir():
                return False
            self.spec.fence.check()
            drop_record(spare)
            if record is None or not self._moved(spare, record.base, tip):
                self._discard(spare)
                spare.parent.mkdir(parents=True, exist_ok=True)
                self._create(spare, "", tip)
            self._record(spare, CheckoutRecord(branch="", base=tip))
            return True

    def _moved(self, spare: Path, base: str, tip: str) -> bool:
        try:
            self._move(spare, base, tip)
        except ScmError:  # somebody has been in it: it is made anew
            return False
        return True

    def _record(self, path: Path, record: CheckoutRecord) -> None:
        """Say that a checkout is complete, unless the path is a successor's by now: to make one may take long."""
        self.spec.fence.check()
        write_record(path, record)

    def _drop_spare(self, spare: Path) -> None:
        with self._spares.hold(spare, wait=True):
            self._discard(spare)

    def _place(self, name: str) -> Path:
        if not is_ref_name(name) or "/" in name:
            raise WorkspaceError(f"{name[:80]!r} cannot name a checkout", where=str(self.spec.worktrees))
        return self.spec.worktrees / name

    def _scratch(self, path: Path) -> Path:
        """Return where the set-up of the checkout at `path` keeps what is its own, in the sandbox."""
        return self.spec.worktrees / _SCRATCH / path.name

    def _discard(self, path: Path) -> None:
        """Take a checkout away in one rename, so that none is ever half there; its files go with the trash."""
        self.spec.fence.check()
        drop_record(path)
        remove_tree(self._scratch(path))
        if not os.path.lexists(path):
            return
        trash = self.spec.worktrees / _TRASH
        trash.mkdir(exist_ok=True)
        path.rename(Path(tempfile.mkdtemp(prefix=f"{path.name}-", dir=trash)) / "checkout")
        self._forget()

    def _empty_trash(self) -> None:
        for entry in (self.spec.worktrees / _TRASH).glob("*"):
            remove_tree(entry)


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Do a thread's `work`, which nobody can end: who gives up waits for it, or it would go on behind them."""
    doing = asyncio.ensure_future(work)
    try:
        await asyncio.shield(doing)
    except asyncio.CancelledError:
        await asyncio.wait((doing,))
        raise


@contextlib.contextmanager
def _as_workspace_error(path: Path) -> Iterator[None]:
    """Tell what git refused as this slot's error."""
    try:
        yield
    except ScmError as error:
        raise WorkspaceError(f"no checkout could be made: {error.message}", where=str(path), fix=error.fix) from error
