"""Dispatch: from a task file that appears to an agent that runs, beside a bare `git worktree add` and `new-window`.

The agent is a shell script that writes down when it began, and the floor starts the very same script. Nothing is
removed before the end: an ext4 without a journal passes over the inodes of files deleted within the last minutes, and
a checkout of thousands of files then takes seconds in place of a fifth of one.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from benchmarks.fleet import PATIENCE, BenchFleet, bare_tmux, headless, make_repository, wait_for_file
from benchmarks.measure import Result, median

SAMPLES = 5
COLD_LIMIT = 1.25
SPARE_LIMIT = 0.15
LARGE, SMALL = 5000, 50
"""Files of the repositories."""


def run(directory: Path) -> list[Result]:
    """Measure cold and with a spare in a large repository, and cold in a small one."""
    large, small = directory / "large.git", directory / "small.git"
    make_repository(large, LARGE)
    make_repository(small, SMALL)
    with ExitStack() as fleets:
        return [
            measure(f"cold, {LARGE:,} files", large, directory / "large-cold", COLD_LIMIT, fleets),
            measure(f"with a spare, {LARGE:,} files", large, directory / "large-spare", SPARE_LIMIT, fleets),
            measure(f"cold, {SMALL} files", small, directory / "small-cold", COLD_LIMIT, fleets),
        ]


def measure(name: str, repository: Path, where: Path, limit: float, fleets: ExitStack) -> Result:
    """Take our time and the floor's in turn; the agents stay until `fleets` is closed."""
    stamps = where / "stamps"
    stamps.mkdir(parents=True)
    spares = limit == SPARE_LIMIT
    script = f'date +%s%N >"{stamps}/$OMNI_TASK"\nexec sleep 3600\n'
    config = f"[scheduler]\nslots = {SAMPLES + 1}\nspares = {str(spares).lower()}\n"
    fleet = BenchFleet(where / "fleet", repository, script=script, config=config)
    fleets.callback(end_agents, fleet)
    tmux = fleets.enter_context(bare_tmux(where))
    ours, floor = [], []
    with headless(fleet, stop_agents=False) as core:
        for number in range(SAMPLES + 1):
            if spares:
                wait_for_spares(fleet, SAMPLES + 1)  # as many as there are slots
            bare = bare_start(repository, where / f"{where.name}-{number}", tmux, stamps)
            began = fleet.drop(f"t{number}")
            started = int(wait_for_file(stamps / f"t{number}"))
            core.wait_for(lambda event: event["event"] == "attempt.phase" and event.get("phase") == "watch")
            if number:  # the first one warms the caches up
                ours.append((started - began) / 1e6)
                floor.append(bare / 1e6)
    return Result(
        name=f"dispatch, {name}", unit="ms", ours=median(ours), floor=median(floor), limit=limit, samples=SAMPLES
    )


def end_agents(fleet: BenchFleet) -> None:
    """End what still runs, by a core that adopts it and stops it."""
    with headless(fleet, stop_agents=True):
        pass


def bare_start(repository: Path, checkout: Path, tmux: Callable[..., None], stamps: Path) -> int:
    """Do what nobody can do without: a checkout and a window; return the nanoseconds until the script ran."""
    git = ("git", "-C", str(repository), "worktree")
    began = time.time_ns()
    subprocess.run((*git, "add", "--quiet", "-b", checkout.name, str(checkout), "main"), check=True)
    script = checkout.parent / "fleet" / "agent.sh"
    tmux("new-window", "-d", "-c", str(checkout), "-e", f"OMNI_TASK={checkout.name}", "/bin/sh", str(script))
    started = int(wait_for_file(stamps / checkout.name))
    return started - began


def wait_for_spares(fleet: BenchFleet, count: int) -> None:
    """Wait until `count` spare checkouts are complete. Raises `TimeoutError`."""
    records = fleet.workspace / "worktrees" / ".records"
    deadline = time.monotonic() + PATIENCE
    while sum(1 for _ in records.glob(".spare*")) < count:
        if time.monotonic() > deadline:
            raise TimeoutError("not all spares were made")
        time.sleep(0.005)
