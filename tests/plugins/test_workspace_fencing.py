"""Checkouts take long to make: once the fleet is another's, no more is done to what may be its checkout by now."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from functools import wraps
from pathlib import Path
from typing import Any

import pytest

from omni_tui.errors import LeaseLostError
from omni_tui.model.fence import Fence
from omni_tui.plugins.workspace import base, clone, worktree
from omni_tui.plugins.workspace.clone import CloneWorkspace
from omni_tui.plugins.workspace.protocol import Workspace
from omni_tui.plugins.workspace.worktree import WorktreeWorkspace
from omni_tui.store.lease import Lease
from tests.support.benches import GitBench

KINDS: dict[str, type[CloneWorkspace | WorktreeWorkspace]] = {"clone": CloneWorkspace, "worktree": WorktreeWorkspace}
BEGINNINGS = ((clone, "make_git_dir"), (WorktreeWorkspace, "_add"))
"""What begins a checkout: alone it does no harm."""
DEEDS = (
    (base.CheckoutWorkspace, "_discard"),
    (CloneWorkspace, "_put_on"),
    (WorktreeWorkspace, "_put_on"),
    (clone, "fill"),
    (worktree, "fill"),
    (base, "copy_files"),
    (base, "write_record"),
)
"""What only the owner may do to a checkout."""
MOST = 20
"""More than is done in any of the works."""


class Loss:
    """Has the lease taken away once so much has been done to checkouts."""

    def __init__(self, path: Path, after: int) -> None:
        self.lease = Lease.acquire(path, "headless", time.time)
        self.late: list[str] = []
        """What was done when it was another's."""
        self._left = after
        if not after:
            self._lose()

    @property
    def happened(self) -> bool:
        """Whether it has been taken away."""
        return not self._left

    def count(self, name: str, *, harmless: bool) -> None:
        """Hear of something that has been done."""
        if self.happened:
            self.late += [] if harmless else [name]
            return
        self._left -= 1
        if not self._left:
            self._lose()

    def _lose(self) -> None:
        Lease.acquire(self.lease.path, "headless", time.time, take_over=True).release()


def counted(loss: Loss, call: Callable[..., Any], *, harmless: bool) -> Callable[..., Any]:
    """Return a function that tells of what it has done."""

    @wraps(call)
    def counting(*arguments: object, **named: object) -> object:
        result = call(*arguments, **named)
        loss.count(call.__name__, harmless=harmless)
        return result

    return counting


Work = Callable[[Workspace, str, str], Awaitable[object]]
WORKS: dict[str, Work] = {
    "prepare from nothing": lambda workspace, old, _new: workspace.prepare("t1-1", "omni/t1/1", old),
    "prepare from a spare": lambda workspace, _old, new: workspace.prepare("t1-1", "omni/t1/1", new),
    "checkout": lambda workspace, old, _new: workspace.checkout("t1-1-check", old),
    "move a spare and make one": lambda workspace, _old, new: workspace.make_spares(new, 2),
    "remove": lambda workspace, _old, _new: workspace.remove(workspace.spec.worktrees / "t0-1"),  # type: ignore[attr-defined]
}


@pytest.mark.parametrize("name", WORKS)
@pytest.mark.parametrize("kind", KINDS)
async def test_stale_owner_does_no_more_to_a_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, name: str
) -> None:
    for after in range(MOST):
        (tmp_path / str(after)).mkdir()
        bench = GitBench(tmp_path / str(after), KINDS[kind])
        new = await _make_ready(bench, spares=name != "prepare from nothing")
        loss = Loss(bench.root / "lease", after)
        workspace = bench.workspace(copy=("env",), fence=Fence(epoch=loss.lease.epoch, check=loss.lease.check))
        with monkeypatch.context() as patch:
            for owner, attribute in (*BEGINNINGS, *DEEDS):
                harmless = (owner, attribute) in BEGINNINGS
                patch.setattr(owner, attribute, counted(loss, getattr(owner, attribute), harmless=harmless))
            try:
                await WORKS[name](workspace, bench.first, new)
            except LeaseLostError:
                assert loss.happened
        assert not loss.late, f"lost after {after}"
        if not loss.happened:
            loss.lease.release()
            assert after, "there was nothing to count"
            return
    pytest.fail("more is done than was thought")


async def _make_ready(bench: GitBench, *, spares: bool) -> str:
    """Have a checkout that can be removed, a file to copy and maybe a spare; return a commit that the spare lacks."""
    (bench.root / "files").mkdir()
    (bench.root / "files/env").write_text("x")
    workspace, scm = bench.workspace(), bench.scm()
    await scm.open()
    made = await workspace.prepare("t0-1", "omni/t0/1", bench.first)
    bench.commit(Path(made.path), {"a.txt": "changed\n"})
    new = await scm.collect(Path(made.path), made.branch)
    assert new is not None
    if spares:
        await workspace.make_spares(bench.first, 1)
    return new
