"""Spares of real git: one a slot, the nearest first, and no start ever waits for one."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from omni_tui.plugins.checkouts import read_record
from omni_tui.plugins.workspace.base import CheckoutWorkspace
from tests.support.benches import FILES, GitBench, make_bench, spec_of_workspace
from tests.support.git import git

WAIT_SECONDS = 20.0


@pytest.fixture(params=["clone", "worktree"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> GitBench:
    made = make_bench(request.param, tmp_path)
    assert isinstance(made, GitBench)
    return made


def plugin(bench: GitBench) -> CheckoutWorkspace:
    return bench.kind(spec_of_workspace(bench.root))


def spares(bench: GitBench) -> list[str]:
    return sorted(path.name for path in (bench.root / "worktrees").glob(".spare*"))


async def commit(bench: GitBench) -> str:
    """Bring a second commit into the repository."""
    path = Path((await bench.workspace().prepare("t0-1", "omni/t0/1", bench.first)).path)
    head = bench.commit(path, {"new.txt": "new\n"})
    await bench.scm().open()
    await bench.scm().collect(path, "omni/t0/1")
    return head


async def test_the_spare_at_the_tip_is_taken_before_another(bench: GitBench) -> None:
    workspace, head = plugin(bench), await commit(bench)
    await workspace.make_spares(head, 2)
    workspace._make_spare(bench.root / "worktrees/.spare-1", bench.first)
    made = await workspace.prepare("t1-1", "omni/t1/1", head)
    assert bench.read(Path(made.path)) == FILES | {"new.txt": "new\n"}
    assert spares(bench) == [".spare-1"]


async def test_surplus_spares_leave_nothing_on_the_disk(bench: GitBench) -> None:
    workspace = plugin(bench)
    await workspace.make_spares(bench.first, 3)
    await workspace.make_spares(bench.first, 1)
    assert spares(bench) == [".spare-1"]
    assert list((bench.root / "worktrees/.trash").iterdir()) == []
    await workspace.make_spares(bench.first, 0)
    assert list((bench.root / "worktrees/.records").iterdir()) == []
    assert ".spare" not in git(bench.repo, "worktree", "list")


async def test_a_start_never_waits_for_a_spare(bench: GitBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither where one is being made, nor where one is being moved: it takes another, or makes its own."""
    workspace, head = plugin(bench), await commit(bench)
    await workspace.make_spares(bench.first, 2)
    begun, go_on = threading.Event(), threading.Event()
    move = workspace._move

    def slow(path: Path, base: str, tip: str) -> None:
        begun.set()
        assert go_on.wait(WAIT_SECONDS)
        move(path, base, tip)

    monkeypatch.setattr(workspace, "_move", slow)
    moving = asyncio.ensure_future(workspace.make_spares(head, 2))
    assert await asyncio.to_thread(begun.wait, WAIT_SECONDS)
    for number in (1, 2):
        async with asyncio.timeout(WAIT_SECONDS / 2):
            made = await workspace.prepare(f"t{number}-1", f"omni/t{number}/1", head)
        assert bench.read(Path(made.path)) == FILES | {"new.txt": "new\n"}
    assert spares(bench) == [".spare-1"], "the first start took the other one"
    go_on.set()
    assert await moving == 2
    for name in (".spare-1", ".spare-2"):
        record = read_record(bench.root / "worktrees" / name)
        assert record is not None
        assert record.base == head
