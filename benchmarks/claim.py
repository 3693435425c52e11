"""The queue: what a durable claim costs, and what it costs to look at 10,000 waiting tasks once more."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

from benchmarks.measure import Result, median
from omni_tui.model.task import Status
from omni_tui.plugins.tracker.files import FilesTracker
from omni_tui.plugins.tracker.protocol import TrackerSpec
from omni_tui.store.paths import FleetPaths, WorkspacePaths
from omni_tui.store.queue import Queue

CLAIMS = 200
WAITING = 10_000
PICKS = 9


def run(directory: Path) -> list[Result]:
    """Measure both below `directory`."""
    return [claims(directory / "claims"), *asyncio.run(picks(directory / "picks"))]


def make_queue(directory: Path, count: int) -> tuple[WorkspacePaths, Queue]:
    """Make a workspace's queue with `count` tasks in `todo/`."""
    paths = FleetPaths(directory).workspace("bench")
    for status in Status:
        paths.queue(status).mkdir(parents=True)
    for number in range(count):
        text = f'+++\nid = "t{number}"\ntitle = "Task {number}"\npriority = {number % 7}\n+++\n\nDo it.\n'
        (paths.queue(Status.TODO) / f"t{number}-task.md").write_text(text)
    return paths, Queue(paths, time.time)


def claims(directory: Path) -> Result:
    """Claim tasks, each beside a bare rename with an fsync of both directories."""
    _, queue = make_queue(directory, CLAIMS)
    tasks = [queue.read(path) for path in queue.files(Status.TODO)]
    source, target = directory / "from", directory / "to"
    source.mkdir()
    target.mkdir()
    ours, floor = [], []
    for number, task in enumerate(tasks):
        (source / str(number)).touch()
        began = time.perf_counter()
        (source / str(number)).rename(target / str(number))
        sync(source)
        sync(target)
        floor.append(time.perf_counter() - began)
        began = time.perf_counter()
        if not queue.claim(task):
            raise AssertionError(f"{task.id} was not there to claim")
        ours.append(time.perf_counter() - began)
    return Result(
        name="claim, durable", unit="ms", ours=median(ours) * 1e3, floor=median(floor) * 1e3, limit=2, samples=CLAIMS
    )


def sync(directory: Path) -> None:
    """Make a directory's entries durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(descriptor)
    os.close(descriptor)


async def picks(directory: Path) -> list[Result]:
    """Look at all waiting tasks again after one has come and one has gone."""
    paths, queue = make_queue(directory, WAITING)
    todo = paths.queue(Status.TODO)
    tracker = FilesTracker(
        TrackerSpec(
            workspace="bench",
            todo=todo,
            read=queue.read_finished,
            taken=queue.taken,
            remark=queue.remark,
            now=time.time,
        )
    )
    began = time.perf_counter()
    await tracker.fetch()
    full = time.perf_counter() - began
    opened: set[str] = set()
    watching = True

    def audit(event: str, args: tuple[object, ...]) -> None:
        if watching and event == "open" and str(args[0]).startswith(str(todo)):
            opened.add(str(args[0]))

    sys.addaudithook(audit)
    again = []
    for number in range(PICKS):
        (todo / f"t{number}-task.md").unlink()
        (todo / f"n{number}-new.md").write_text(f'+++\ntitle = "New {number}"\n+++\n')
        opened.clear()
        began = time.perf_counter()
        intake = await tracker.fetch()
        again.append(time.perf_counter() - began)
        if len(intake.tasks) != WAITING:
            raise AssertionError(f"{len(intake.tasks)} tasks seen")
    reads = len(opened)
    watching = False
    return [
        Result(name="pick again of 10,000: files read", unit="files", ours=reads, floor=1, limit=1, samples=PICKS),
        Result(
            name="pick again of 10,000: time, to a full read",
            unit="ms",
            ours=median(again) * 1e3,
            floor=full * 1e3,
            limit=0.5,
            samples=PICKS,
        ),
    ]
