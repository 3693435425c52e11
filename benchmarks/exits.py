"""Exits: from the last act of an agent to the next step of its attempt, beside a parent that waits for its child."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

from benchmarks.fleet import BenchFleet, headless, make_repository, wait_for_file
from benchmarks.measure import Result, median, percentile

SAMPLES = 120
LIMIT_MS = 20


def run(directory: Path) -> list[Result]:
    """Measure the delay, at its 99th percentile and in the middle."""
    repository, stamps = directory / "repo.git", directory / "stamps"
    make_repository(repository, 50)
    stamps.mkdir()
    script = f'sleep 0.2\ndate +%s%N >"{stamps}/$OMNI_TASK"\n'
    config = "[limits]\nattempts = 1\nrepairs = 0\n"
    fleet = BenchFleet(directory / "fleet", repository, script=script, config=config)
    delays, bare = [], []
    with headless(fleet, stop_agents=True) as core:
        for number in range(SAMPLES):
            task = f"t{number}"
            fleet.drop(task)
            core.wait_for(lambda event: event["event"] == "task.blocked")  # it commits nothing
            ended = int(wait_for_file(stamps / task))
            delays.append(watched_until(fleet, task) * 1e3 - ended / 1e6)
            bare.append(bare_exit(stamps / f"bare-{number}"))
    return [
        result("p99", percentile(delays, 99), percentile(bare, 99)),
        result("median", median(delays), median(bare)),
    ]


def result(which: str, ours: float, floor: float) -> Result:
    """Return one of the two results, in milliseconds."""
    name = f"agent's exit to the next step, {which}"
    return Result(name=name, unit="ms", ours=ours, floor=floor, limit=LIMIT_MS, absolute=True, samples=SAMPLES)


def bare_exit(stamp: Path) -> float:
    """Return the milliseconds until a parent knows of the end of a child that writes down its last act."""
    subprocess.run(("/bin/sh", "-c", f'date +%s%N >"{stamp}"'), check=True)
    return (time.time_ns() - int(stamp.read_text())) / 1e6


def watched_until(fleet: BenchFleet, task: str) -> float:
    """Return when the step `watch` of a task's first attempt was done, UTC seconds."""
    steps = (fleet.workspace / "runs" / task / "1" / "steps.jsonl").read_text().splitlines()
    return next(float(record["at"]) for record in map(json.loads, steps) if record["key"] == "watch")
