"""Crash points: whatever moment the dispatcher is killed at, a second start finishes the work, once.

`OMNI_TEST_CRASH_POINTS=all` tries every point of the delivery; without it, some of them, spread evenly.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from omni_tui.model.task import Status
from omni_tui.store.runs import Runs
from tests.support.fleets import AGENT, QUICK, TestFleet, git, make_fleet
from tests.support.leftovers import no_server_left, nothing_left
from tests.support.running import until_idle

POINTS = 180
"""At least as many as a delivery has; `test_the_points_are_all_there` holds it."""
STRIDE = 1 if os.environ.get("OMNI_TEST_CRASH_POINTS") == "all" else 9

SETTINGS = QUICK.replace("0.05", "5") + "[scheduler]\nspares = false\n"
FORGETS_FIRST = (
    AGENT
    + """
echo "$OMNI_ATTEMPT" >> "$OMNI_WORKTREE/../../../../starts"
say accepted
echo "done by $OMNI_TASK" > "$OMNI_TASK.txt"
[ "$OMNI_ATTEMPT" = 1 ] || commit "do it"
say finished
"""
)
"""Its first attempt commits nothing and is repaired by the second: both kinds of ending are on the way."""


async def fleet_with_a_task(directory: Path) -> TestFleet:
    fleet = await make_fleet(directory, settings=SETTINGS, workspace='check = "test -e README.md"\n')
    fleet.agent(FORGETS_FIRST)
    fleet.add("Survive")
    return fleet


def dispatch(fleet: TestFleet, *point: str) -> subprocess.CompletedProcess[str]:
    """Run a dispatcher of its own, which ends at `point`."""
    command = [sys.executable, "-m", "tests.support.crashing", str(fleet.root), *point]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


async def test_the_points_are_all_there(tmp_path: Path) -> None:
    fleet = await fleet_with_a_task(tmp_path)
    whole = dispatch(fleet)
    assert whole.returncode == 0, whole.stderr
    points = whole.stdout.splitlines()
    assert POINTS / 2 < len(points) <= POINTS, points
    for step in ("rename 0001-survive.md", "git update-ref", "start", "prepare", "sync steps.jsonl", "git push"):
        assert any(point.endswith(step) for point in points), f"{step} is in none of {points}"


@pytest.mark.parametrize("point", range(1, POINTS + 1, STRIDE))
async def test_killed_at_a_point_it_goes_on(tmp_path: Path, point: int) -> None:
    fleet = await fleet_with_a_task(tmp_path)
    first = dispatch(fleet, str(point))
    assert first.returncode in (-signal.SIGKILL, 0), first.stderr
    await until_idle(fleet)
    places = [status for status in Status if fleet.queue.files(status)]
    assert places == [Status.DONE], fleet.queue.note("0001")
    trailers = "--format=%(trailers:key=Omni-Task,valueonly,separator=)"
    assert git(fleet.paths.repo, "log", trailers, "main..release/omni").split() == ["app/0001"]
    assert Runs(fleet.paths).attempts("0001") == [1, 2]
    assert (fleet.root / "starts").read_text().split() == ["1", "2"]
    assert git(fleet.origin, "rev-parse", "release/omni") == git(fleet.paths.repo, "rev-parse", "release/omni")
    await nothing_left(fleet)
    await no_server_left(fleet)
