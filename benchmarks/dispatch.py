"""Dispatch: from a task file that appears to an agent that runs, beside a bare `git worktree add` and `new-window`.

The agent is a shell script that writes down when it began, and the floor starts the very same script.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.fleet import PATIENCE, BenchFleet, Core, bare_tmux, headless, make_repository, wait_for_file
from benchmarks.measure import Result, median

SAMPLES = 5
COLD_LIMIT = 1.25
SPARE_LIMIT = 0.15
SIZES = {"large": 5000, "small": 50}
"""Files of the repositories."""


def run(directory: Path) -> list[Result]:
    """Measure cold and with a spare, in a large repository and in a small one."""
    results = []
    for size, files in SIZES.items():
        repository = directory / f"{size}.git"
        make_repository(repository, files)
        for spares in (False, True):
            where = directory / f"{size}-{'spare' if spares else 'cold'}"
            ours, floor = measure(where, repository, spares=spares)
            way = "with a spare" if spares else "cold"
            if spares and size == "small":
                continue  # no goal: what a spare saves is the checkout, and this one is tiny
            results.append(
                Result(
                    name=f"dispatch, {way}, {files:,} files",
                    unit="ms",
                    ours=median(ours) / 1e6,
                    floor=median(floor) / 1e6,
                    limit=SPARE_LIMIT if spares else COLD_LIMIT,
                    samples=SAMPLES,
                )
            )
    return results


def measure(where: Path, repository: Path, *, spares: bool) -> tuple[list[int], list[int]]:
    """Return our times and the floor's, in nanoseconds, taken in turn."""
    stamps = where / "stamps"
    stamps.mkdir(parents=True)
    script = f'date +%s%N >"{stamps}/$OMNI_TASK"\n'
    config = f"[scheduler]\nspares = {str(spares).lower()}\n[limits]\nattempts = 1\nrepairs = 0\n"
    fleet = BenchFleet(where / "fleet", repository, script=script, config=config)
    ours, floor = [], []
    with bare_tmux(where) as tmux, headless(fleet) as core:
        for number in range(SAMPLES + 1):
            bare = bare_start(repository, where / f"bare-{number}", tmux, stamps)
            if spares:
                wait_for_spare(fleet)
            began = fleet.drop(f"t{number}")
            started = int(wait_for_file(stamps / f"t{number}"))
            settle(core, f"t{number}")
            if number:  # the first one warms the caches up
                ours.append(started - began)
                floor.append(bare)
    return ours, floor


def bare_start(repository: Path, checkout: Path, tmux: Callable[..., None], stamps: Path) -> int:
    """Do what nobody can do without: a checkout and a window; return the nanoseconds until the script ran."""
    git = ("git", "-C", str(repository), "worktree")
    began = time.time_ns()
    subprocess.run((*git, "add", "--quiet", "-b", checkout.name, str(checkout), "main"), check=True)
    script = checkout.parent / "fleet" / "agent.sh"
    tmux("new-window", "-d", "-c", str(checkout), "-e", f"OMNI_TASK={checkout.name}", "/bin/sh", str(script))
    started = int(wait_for_file(stamps / checkout.name))
    subprocess.run((*git, "remove", "--force", str(checkout)), check=True)
    subprocess.run(("git", "-C", str(repository), "branch", "--quiet", "-D", checkout.name), check=True)
    return started - began


def settle(core: Core, task: str) -> None:
    """Wait until the task, whose agent commits nothing, has been put away."""
    core.wait_for(lambda event: event["event"] == "task.blocked" and event["task"] == task)


def wait_for_spare(fleet: BenchFleet) -> None:
    """Wait until a spare checkout is complete. Raises `TimeoutError`."""
    records = fleet.workspace / "worktrees" / ".records"
    deadline = time.monotonic() + PATIENCE
    while not any(records.glob(".spare*")):
        if time.monotonic() > deadline:
            raise TimeoutError("no spare was made")
        time.sleep(0.005)
