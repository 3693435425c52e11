"""Lock files that outlived their owner are cleared, and no others."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import psutil
import pytest

from omni_tui.plugins.scm.locks import OLD_SECONDS, clear_stale_locks
from tests.support.benches import NOW, RELEASE, GitBench, make_bench
from tests.support.waiting import wait_for

REF = f"refs/heads/{RELEASE}"


@pytest.fixture
def bench(tmp_path: Path) -> GitBench:
    made = make_bench("clone", tmp_path)
    assert isinstance(made, GitBench)
    return made


def lock(bench: GitBench, name: str, at: float) -> Path:
    path = bench.repo / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.utime(path, (at, at))
    return path


async def test_a_lock_from_before_this_boot_does_not_stop_the_fleet(bench: GitBench) -> None:
    names = (REF, "packed-refs", "refs/heads/omni/t1/1", "refs/omni/rescue/t1/1")
    locks = [lock(bench, name, psutil.boot_time() - 10) for name in names]
    assert await bench.scm(now=psutil.boot_time).open() == bench.first
    assert not any(path.exists() for path in locks)


def test_a_young_lock_has_an_owner(bench: GitBench) -> None:
    path = lock(bench, REF, NOW - OLD_SECONDS + 5)
    assert clear_stale_locks(bench.repo, REF, NOW) == []
    assert path.exists()


def test_an_old_lock_stays_while_git_works_there(bench: GitBench) -> None:
    path = lock(bench, REF, NOW - OLD_SECONDS - 5)
    words = ["git", "cat-file", "--batch"]
    with subprocess.Popen(words, cwd=bench.repo, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        wait_for(lambda: psutil.Process(process.pid).name() == "git", "git runs")
        assert clear_stale_locks(bench.repo, REF, NOW) == []
    assert clear_stale_locks(bench.repo, REF, NOW) == [path]


def test_other_branches_locks_are_none_of_ours(bench: GitBench) -> None:
    path = lock(bench, "refs/heads/main", psutil.boot_time() - 10)
    assert clear_stale_locks(bench.repo, REF, NOW) == []
    assert path.exists()
