"""What every workspace plugin must do, its fake included; see `plugins.workspace.protocol`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from omni_tui.errors import WorkspaceError
from omni_tui.plugins.workspace.protocol import Worktree
from tests.support.benches import BENCHES, FILES, Bench, make_bench


@pytest.fixture(params=BENCHES)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    return make_bench(request.param, tmp_path)


@pytest.fixture
async def second(bench: Bench) -> str:
    """Land a second commit on the release branch."""
    scm = bench.scm()
    await scm.open()
    made = await bench.workspace().prepare("t0-1", "omni/t0/1", bench.first)
    bench.commit(Path(made.path), {"a.txt": "changed\n", "new.txt": "new\n"})
    head = await scm.collect(Path(made.path), "omni/t0/1")
    assert head is not None
    await scm.land(await scm.squash(head, "second"))
    return await scm.tip()


SECOND = FILES | {"a.txt": "changed\n", "new.txt": "new\n"}


async def test_a_checkout_holds_the_tip_on_its_own_branch(bench: Bench, second: str) -> None:
    made = await bench.workspace().prepare("t1-1", "omni/t1/1", second)
    assert made == Worktree(path=str(bench.root / "worktrees/t1-1"), branch="omni/t1/1", base=second)
    assert bench.read(Path(made.path)) == SECOND


async def test_preparing_again_returns_what_is_there(bench: Bench, second: str) -> None:
    workspace = bench.workspace()
    made = await workspace.prepare("t1-1", "omni/t1/1", bench.first)
    bench.write(Path(made.path), {"a.txt": "the agent's work\n"})
    assert await workspace.prepare("t1-1", "omni/t1/1", second) == made
    assert bench.read(Path(made.path))["a.txt"] == "the agent's work\n"


async def test_a_later_start_knows_what_an_earlier_one_made(bench: Bench) -> None:
    made = await bench.workspace().prepare("t1-1", "omni/t1/1", bench.first)
    bench.write(Path(made.path), {"mine.txt": "x"})
    assert await bench.workspace().prepare("t1-1", "omni/t1/1", bench.first) == made
    assert "mine.txt" in bench.read(Path(made.path))


@pytest.mark.parametrize("later", [False, True], ids=["at the tip", "behind the tip"])
async def test_the_spare_becomes_the_checkout(bench: Bench, second: str, later: bool) -> None:
    workspace = bench.workspace()
    assert await workspace.make_spares(bench.first, 1) == 1
    assert await workspace.make_spares(bench.first, 1) == 0
    tip = second if later else bench.first
    made = await workspace.prepare("t1-1", "omni/t1/1", tip)
    assert bench.read(Path(made.path)) == (SECOND if later else FILES)
    assert (made.branch, made.base) == ("omni/t1/1", tip)
    assert await workspace.make_spares(tip, 1) == 1, "the spare is used up"


async def test_each_slot_has_its_spare(bench: Bench, second: str) -> None:
    workspace = bench.workspace()
    assert await workspace.make_spares(bench.first, 3) == 3
    made = [await workspace.prepare(f"t{n}-1", f"omni/t{n}/1", bench.first) for n in (1, 2)]
    assert [bench.read(Path(one.path)) for one in made] == [FILES, FILES]
    assert await workspace.make_spares(bench.first, 3) == 2, "two are used up"
    assert await workspace.make_spares(second, 3) == 3, "all are moved"
    assert await workspace.make_spares(second, 3) == 0


async def test_surplus_spares_go_and_the_others_stay(bench: Bench) -> None:
    workspace = bench.workspace()
    await workspace.make_spares(bench.first, 3)
    assert await workspace.make_spares(bench.first, 1) == 0
    assert await workspace.make_spares(bench.first, 3) == 2, "two had gone"
    assert await workspace.make_spares(bench.first, 0) == 0
    assert await workspace.make_spares(bench.first, 2) == 2, "all had gone"


async def test_spares_of_a_commit_that_is_not_there_are_a_failure(bench: Bench) -> None:
    with pytest.raises(WorkspaceError):
        await bench.workspace().make_spares("0" * 40, 1)


async def test_the_spare_moves_to_the_newest_tip_and_back(bench: Bench, second: str) -> None:
    workspace = bench.workspace()
    await workspace.make_spares(bench.first, 1)
    assert await workspace.make_spares(second, 1) == 1
    assert await workspace.make_spares(bench.first, 1) == 1
    made = await workspace.prepare("t1-1", "omni/t1/1", bench.first)
    assert bench.read(Path(made.path)) == FILES


async def test_many_at_once_each_get_their_own(bench: Bench, second: str) -> None:
    workspace = bench.workspace()
    await workspace.make_spares(bench.first, 3)
    jobs = [workspace.prepare(f"t{n}-1", f"omni/t{n}/1", second) for n in range(1, 9)]
    made, _ = await asyncio.gather(asyncio.gather(*jobs), workspace.make_spares(second, 3))
    assert len({one.path for one in made}) == 8
    assert all(bench.read(Path(one.path)) == SECOND for one in made)


async def test_a_checkout_for_the_check_is_fresh_each_time(bench: Bench, second: str) -> None:
    workspace = bench.workspace()
    path = await workspace.checkout("check-t1", bench.first)
    assert bench.read(path) == FILES
    bench.write(path, {"left.pyc": "x"})
    assert await workspace.checkout("check-t1", second) == path
    assert bench.read(path) == SECOND


async def test_removing_takes_it_away_and_missing_is_fine(bench: Bench) -> None:
    workspace = bench.workspace()
    path = Path((await workspace.prepare("t1-1", "omni/t1/1", bench.first)).path)
    await workspace.remove(path)
    await workspace.remove(path)
    assert bench.read(path) == {}


async def test_only_checkouts_of_this_workspace_are_removed(bench: Bench) -> None:
    for path in (bench.root / "source", bench.root / "worktrees/..", bench.root / "worktrees/t1-1/sub"):
        with pytest.raises(WorkspaceError):
            await bench.workspace().remove(path)


@pytest.mark.parametrize("name", ["", "..", "a/b", ".spare-1", "-x", "a\nb"])
async def test_a_name_that_is_no_name_is_refused(bench: Bench, name: str) -> None:
    with pytest.raises(WorkspaceError):
        await bench.workspace().prepare(name, "omni/t1/1", bench.first)


@pytest.mark.parametrize("branch", ["main", "release/omni", "omni/../main", "-f", "omni/a b"])
async def test_only_branches_of_attempts_are_made(bench: Bench, branch: str) -> None:
    before = bench.refs()
    with pytest.raises(WorkspaceError):
        await bench.workspace().prepare("t1-1", branch, bench.first)
    assert bench.refs() == before


@pytest.mark.parametrize("tip", ["main", "", "--output=x", "0" * 40])
async def test_a_tip_that_is_no_commit_is_a_failure(bench: Bench, tip: str) -> None:
    with pytest.raises(WorkspaceError):
        await bench.workspace().prepare("t1-1", "omni/t1/1", tip)
    assert bench.read(bench.root / "worktrees/t1-1") == {}
