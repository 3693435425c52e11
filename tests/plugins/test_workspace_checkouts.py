"""Checkouts of real git: copied files, set-up, what the agent finds, what a crash leaves."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from omni_tui.errors import WorkspaceError
from omni_tui.plugins.checkouts import drop_record
from tests.support.benches import FILES, RELEASE, GitBench, make_bench
from tests.support.git import git, write_files
from tests.support.waiting import wait_for_async

BRANCH = "omni/t1/1"


@pytest.fixture(params=["clone", "worktree"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> GitBench:
    made = make_bench(request.param, tmp_path)
    assert isinstance(made, GitBench)
    (tmp_path / "files").mkdir()
    return made


async def prepare(bench: GitBench, **changes: object) -> Path:
    return Path((await bench.workspace(**changes).prepare("t1-1", BRANCH, bench.first)).path)


@pytest.mark.parametrize("spare", [False, True])
async def test_the_agent_finds_a_clean_checkout_it_can_commit_in(bench: GitBench, spare: bool) -> None:
    if spare:
        await bench.workspace().make_spares(bench.first, 1)
    path = await prepare(bench)
    assert git(path, "symbolic-ref", "HEAD") == f"refs/heads/{BRANCH}"
    assert git(path, "status", "--porcelain") == ""
    assert git(path, "log", "--format=%s") == "first"
    git(path, "fsck", "--strict")
    bench.commit(path, {"a.txt": "1\n"})
    assert git(path, "log", "--format=%s") == "work\nfirst"
    assert "[" not in git(path, "status", "--short", "--branch"), "it tracks nothing"


async def test_a_clone_has_no_remote_and_shows_the_release_branch(tmp_path: Path) -> None:
    bench = make_bench("clone", tmp_path)
    path = Path((await bench.workspace().prepare("t1-1", BRANCH, bench.first)).path)
    assert git(path, "remote") == ""
    assert git(path, "rev-parse", f"origin/{RELEASE}") == bench.first
    assert git(path, "config", "user.email") == "agent@omni-tui.invalid"
    before = bench.refs()
    git(path, "branch", "mine")
    git(path, "config", "core.editor", "false")
    assert bench.refs() == before
    assert "editor" not in (tmp_path / "repo.git/config").read_text()


@pytest.mark.parametrize("stage", ["spare without record", "checkout without record", "record without checkout"])
async def test_what_a_crash_leaves_is_made_again(bench: GitBench, stage: str) -> None:
    workspace = bench.workspace()
    worktrees = bench.root / "worktrees"
    if stage == "spare without record":
        await workspace.make_spares(bench.first, 1)
        write_files(worktrees / ".spare-1", {"a.txt": "half\n"})
        drop_record(worktrees / ".spare-1")
    else:
        path = await prepare(bench)
        if stage == "checkout without record":
            write_files(path, {"a.txt": "half\n"})
            drop_record(path)
        else:
            path.rename(bench.root / "away")
    assert bench.read(await prepare(bench)) == FILES
    assert await bench.workspace().make_spares(bench.first, 1) == 1
    assert bench.read(worktrees / ".spare-1") == FILES


async def test_a_spare_that_somebody_touched_is_no_trouble(bench: GitBench) -> None:
    path = await prepare(bench)
    head = bench.commit(path, {"new.txt": "new\n", "a.txt": "1\n"})
    await bench.scm().open()
    await bench.scm().collect(path, BRANCH)
    await bench.workspace().make_spares(bench.first, 1)
    write_files(bench.root / "worktrees/.spare-1", {"new.txt": "in the way\n"})
    made = await bench.workspace().prepare("t2-1", "omni/t2/1", head)
    assert bench.read(Path(made.path)) == bench.tree(head)
    await bench.workspace().make_spares(bench.first, 1)
    write_files(bench.root / "worktrees/.spare-1", {"new.txt": "in the way\n"})
    assert await bench.workspace().make_spares(head, 1) == 1
    assert bench.read(bench.root / "worktrees/.spare-1") == bench.tree(head)


async def test_a_linked_worktree_never_takes_a_branch_with_work(tmp_path: Path) -> None:
    bench = make_bench("worktree", tmp_path)
    workspace = bench.workspace()
    path = Path((await workspace.prepare("t1-1", BRANCH, bench.first)).path)
    head = bench.commit(path, {"a.txt": "1\n"})
    await workspace.remove(path)
    for spare in (False, True):
        if spare:
            await workspace.make_spares(bench.first, 1)
        with pytest.raises(WorkspaceError, match="holds commits"):
            await workspace.prepare("t1-1", BRANCH, bench.first)
    assert bench.refs()[f"refs/heads/{BRANCH}"] == head


async def test_named_files_are_copied_with_their_modes(bench: GitBench) -> None:
    write_files(bench.root / "files", {".env": "KEY=1\n", "conf/local.toml": "x = 1\n"})
    (bench.root / "files/.env").chmod(0o600)
    path = await prepare(bench, copy=(".env", "conf/local.toml"))
    assert bench.read(path) == FILES | {".env": "KEY=1\n", "conf/local.toml": "x = 1\n"}
    assert (path / ".env").stat().st_mode & 0o777 == 0o600
    assert git(path, "status", "--porcelain") == "", "git add -A does not take them"


@pytest.mark.parametrize("name", ["missing", "/etc/hostname", "../source/a.txt", ".git/config", "link", "", "dir"])
async def test_a_file_that_cannot_be_copied_is_named(bench: GitBench, name: str) -> None:
    (bench.root / "files/link").symlink_to("/etc/hostname")
    (bench.root / "files/dir").mkdir()
    with pytest.raises(WorkspaceError) as caught:
        await prepare(bench, copy=(name,))
    assert name in str(caught.value)
    assert not (bench.root / "worktrees/t1-1").exists()


async def test_nothing_is_copied_through_a_link_of_the_repository(bench: GitBench) -> None:
    outside = bench.root / "outside"
    write_files(outside, {"victim": "untouched\n"})
    (bench.source / "conf").symlink_to(outside)
    (bench.source / ".env").symlink_to(outside / "victim")
    bench.first = bench.commit(bench.source, {})
    git(bench.repo, "fetch", "-q", str(bench.source), "main")
    write_files(bench.root / "files", {".env": "KEY=1\n", "conf/x": "x\n"})
    path = await prepare(bench, copy=(".env",))
    assert (path / ".env").read_text() == "KEY=1\n"
    assert (outside / "victim").read_text() == "untouched\n"
    with pytest.raises(WorkspaceError, match="out of the checkout"):
        await bench.workspace(copy=("conf/x",)).prepare("t2-1", "omni/t2/1", bench.first)
    assert not (outside / "x").exists()


async def test_the_set_up_command_runs_in_each_checkout_with_its_own_environment(bench: GitBench) -> None:
    setup = {
        "setup": 'echo "$COLOUR ${HOME-none} $(pwd)" > made.txt',
        "environment": {"PATH": os.environ["PATH"], "COLOUR": "green"},
    }
    await bench.workspace(**setup).make_spares(bench.first, 1)
    path = await prepare(bench, **setup)
    assert (path / "made.txt").read_text() == f"green none {path}\n"
    check = await bench.workspace(**setup).checkout("check", bench.first)
    assert (check / "made.txt").read_text() == f"green none {check}\n"


async def test_a_failing_set_up_is_a_failure_with_the_end_of_its_output(bench: GitBench) -> None:
    with pytest.raises(WorkspaceError) as caught:
        await prepare(bench, setup="yes filler | head -c 300000; echo the reason >&2; exit 3")
    assert "status 3" in str(caught.value)
    assert "the reason" in str(caught.value)
    assert len(str(caught.value)) < 20_000
    assert not (bench.root / "worktrees/t1-1").exists()
    assert bench.read(await prepare(bench)) == FILES


async def test_a_set_up_that_takes_too_long_is_ended_with_its_children(bench: GitBench) -> None:
    pid_file = bench.root / "child.pid"
    setup = f"sleep 300 & echo $! > {pid_file}; echo still waiting; wait"
    with pytest.raises(WorkspaceError, match="took longer than 1 s") as caught:
        await prepare(bench, setup=setup, setup_seconds=1.0)
    assert "still waiting" in str(caught.value)
    child = int(pid_file.read_text())
    await wait_for_async(lambda: not _lives(child), "the child of the set-up command has ended")


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or ") Z " not in stat.read_text()


async def test_a_set_up_that_leaves_a_process_behind_does_not_hold_us_up(bench: GitBench) -> None:
    pid_file = bench.root / "child.pid"
    await prepare(bench, setup=f"sleep 300 & echo $! > {pid_file}", setup_seconds=60.0)
    child = int(pid_file.read_text())
    assert _lives(child)
    os.kill(child, 9)


async def test_removing_takes_what_was_made_unreadable(bench: GitBench) -> None:
    workspace = bench.workspace()
    path = await prepare(bench)
    write_files(path, {"locked/deep/x": "x"})
    (path / "locked/deep").chmod(0o500)
    (path / "locked").chmod(0o000)
    await workspace.remove(path)
    assert [entry for entry in (bench.root / "worktrees").rglob("*") if entry.is_file()] == []
    assert "t1-1" not in git(bench.repo, "worktree", "list")
