"""Room on the disk, and a machine that slept."""

from __future__ import annotations

import pytest

from omni_tui.model.settings import LimitSettings
from omni_tui.model.space import Space
from omni_tui.model.task import Task
from omni_tui.policy.backlog import Backlog, Capacity
from omni_tui.policy.holds import HoldKind
from omni_tui.policy.machine import shortage, slept
from omni_tui.policy.scheduling import plan
from omni_tui.policy.vitals import Moment

LIMITS = LimitSettings(reserve_gb=1.0, reserve_inodes_percent=2.0)


@pytest.mark.parametrize(
    ("free_bytes", "inodes", "words"),
    [
        (1_000_000_000, 2.0, ""),
        (999_999_999, 2.0, "the disk has 1.00 GB free; 1 GB are kept in reserve"),
        (5_000_000, 50.0, "the disk has 0.01 GB free"),
        (1 << 50, 1.9, "the disk has 1.9 % of its inodes free; 2 % are kept in reserve"),
    ],
)
def test_shortage(free_bytes: int, inodes: float, words: str) -> None:
    space = Space(free_bytes=free_bytes, free_inodes_percent=inodes)
    assert shortage(space, LIMITS).startswith(words)
    assert bool(shortage(space, LIMITS)) == bool(words)
    assert shortage(space, LimitSettings(reserve_gb=0, reserve_inodes_percent=0)) == ""


@pytest.mark.parametrize(
    ("monotonic", "wall", "expected"),
    [
        pytest.param(30.0, 30.0, 0.0, id="awake"),
        pytest.param(30.0, 59.9, 0.0, id="a clock that is set right"),
        pytest.param(30.0, 3630.0, 3600.0, id="an hour of sleep"),
        pytest.param(30.0, -3600.0, 0.0, id="a clock set back"),
        pytest.param(900.0, 900.0, 0.0, id="a round that came late"),
    ],
)
def test_sleep(monotonic: float, wall: float, expected: float) -> None:
    before, after = Moment(monotonic=5.0, utc=1e9), Moment(monotonic=5.0 + monotonic, utc=1e9 + wall)
    assert slept(before, after) == expected


def test_a_full_disk_holds_every_start_and_is_looked_at_again() -> None:
    tasks = [Task(workspace="app", id=name, title=name) for name in ("a", "b")]
    backlog = Backlog(waiting=tasks, status_of={})
    decided = plan(backlog, Capacity(slots=2, now=100.0, short="the disk has 0.01 GB free"))
    assert decided.start == ()
    assert {(hold.kind, hold.message) for hold in decided.holds.values()} == {
        (HoldKind.DISK, "the disk has 0.01 GB free")
    }
    assert decided.wake_at == 130.0
    assert plan(backlog, Capacity(slots=2, now=100.0)).start == tuple(tasks)
