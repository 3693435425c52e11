"""`omni-tui plan` as a person types it: 10,000 task files with three touch points each, read, judged and printed."""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks.fleet import BenchFleet, make_repository, omni
from benchmarks.measure import Result, median
from benchmarks.waves import PLAN_SECONDS, TASKS, heads
from omni_tui.model.taskfile import parse

FILES = 2_000
"""Of the repository that the tasks are for."""
SAMPLES = 5


def run(directory: Path) -> list[Result]:
    """Measure both forms; the floor is to read the same files' heads."""
    repository = directory / "repository"
    make_repository(repository, FILES)
    fleet = BenchFleet(directory / "fleet", repository, script="true\n", config="")
    todo = fleet.workspace / "queue" / "todo"
    for number, text in enumerate(heads(TASKS)):
        (todo / f"t{number}.md").write_bytes(text)
    floor = median([reading(todo) for _ in range(SAMPLES)])
    return [
        Result(
            name=f"the command `{' '.join(words)}`, 10,000 files",
            unit="s",
            ours=median([planning(fleet, *words) for _ in range(SAMPLES)]),
            floor=floor,
            limit=PLAN_SECONDS,
            absolute=True,
            samples=SAMPLES,
        )
        for words in (("plan", "--json"), ("plan",))
    ]


def reading(todo: Path) -> float:
    """Read every file's head; return the seconds."""
    began = time.perf_counter()
    for path in todo.iterdir():
        parse(path.read_bytes(), workspace="bench", stem=path.stem, created_at=0.0)
    return time.perf_counter() - began


def planning(fleet: BenchFleet, *words: str) -> float:
    """Have the command do its work; return the seconds from its start to its end."""
    began = time.perf_counter()
    omni("--fleet", str(fleet.root), *words)
    return time.perf_counter() - began
