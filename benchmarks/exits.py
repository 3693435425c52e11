"""Exits: from the last act of an agent to the next step of its attempt."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.dispatch import settle
from benchmarks.fleet import BenchFleet, headless, make_repository, wait_for_file
from benchmarks.measure import Result, median, percentile

SAMPLES = 120
LIMIT_MS = 20


def run(directory: Path) -> list[Result]:
    """Measure the delay at its 99th percentile; as the floor, how long a bare process takes to be gone."""
    repository, stamps = directory / "repo.git", directory / "stamps"
    make_repository(repository, 50)
    stamps.mkdir()
    script = f'sleep 0.2\ndate +%s%N >"{stamps}/$OMNI_TASK"\n'
    config = "[limits]\nattempts = 1\nrepairs = 0\n"
    fleet = BenchFleet(directory / "fleet", repository, script=script, config=config)
    delays = []
    with headless(fleet) as core:
        for number in range(SAMPLES):
            task = f"t{number}"
            fleet.drop(task)
            settle(core, task)
            ended = int(wait_for_file(stamps / task))
            delays.append(watched_until(fleet, task) * 1e3 - ended / 1e6)
    return [
        Result(
            name="agent's exit to the next step, p99",
            unit="ms",
            ours=percentile(delays, 99),
            floor=min(delays),
            limit=LIMIT_MS,
            absolute=True,
            samples=SAMPLES,
        ),
        Result(
            name="agent's exit to the next step, median",
            unit="ms",
            ours=median(delays),
            floor=min(delays),
            limit=LIMIT_MS,
            absolute=True,
            samples=SAMPLES,
        ),
    ]


def watched_until(fleet: BenchFleet, task: str) -> float:
    """Return when the step `watch` of a task's first attempt was done, UTC seconds."""
    steps = (fleet.workspace / "runs" / task / "1" / "steps.jsonl").read_text().splitlines()
    return next(float(record["at"]) for record in map(json.loads, steps) if record["key"] == "watch")
