"""Races: many processes claim the same tasks; and owners that are stopped past their lease go on when it is another's.

Of the first each task has to be claimed exactly once. Of the second nothing may change any more what the tree and the
repository say. An owner is stopped right before the call that changes something, after every look at the lease: once
before each call of a stretch of an owner's work. Its successor takes the lease over and looks on, or works itself.

`python -m tests.torture.races POINT SUCCESSOR` plays one stop again; SUCCESSOR: `looks` or `works`.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple, TypeVar

from omni_tui.errors import LeaseLostError, OmniError
from omni_tui.model.task import Status, Task
from omni_tui.store.layout import create_fleet, create_workspace
from omni_tui.store.lease import Lease
from omni_tui.store.paths import FleetPaths
from omni_tui.store.queue import Queue
from tests.support.waiting import wait_for
from tests.torture import labour
from tests.torture.figure import Figure, again
from tests.torture.scratch import copy_tree, scratch
from tests.torture.stopping import stop_before
from tests.torture.workers import WORKERS, spread

T = TypeVar("T")

RACERS = 16
TASKS = 20_000
WORKSPACES = 20
"""Each with as many tasks: who comes too late looks through a folder, which is not what is tried here."""
LEAST_STOPS = 100
MOST_STOPS = 10_000
LONG = 20
"""So often every point is tried where it may take long: what an owner has open, and when, is never quite the same."""
SUCCESSORS = ("looks", "works")


# -- claims ----------------------------------------------------------------------------------------------------------


class Racer(NamedTuple):
    """One of the processes that claim all they can get."""

    number: int
    root: Path


def race(racer: Racer) -> list[str]:
    """Claim every task that is still there, in the same order as all others; return what was got."""
    (racer.root / f"ready-{racer.number}").touch()
    wait_for(lambda: len(list(racer.root.glob("ready-*"))) == RACERS, "every racer", 120)
    got = []
    paths = FleetPaths(racer.root)
    for name in paths.workspace_names():
        queue = Queue(paths.workspace(name), time.time)
        for path in queue.files(Status.TODO):
            try:
                task = queue.read(path)
            except FileNotFoundError:
                continue
            if queue.claim(task):
                got.append(str(task.ref))
    return got


def run_race() -> tuple[int, list[str]]:
    """Return how many tasks were claimed, and what is wrong."""
    with scratch() as root:
        paths = create_fleet(root, "")
        for number in range(WORKSPACES):
            place = paths.workspace(f"app-{number:02d}")
            create_workspace(place)
            draft = Task(workspace=place.name, id="", title="Claim me")
            Queue(place, time.time).add_all([draft] * (TASKS // WORKSPACES))
        claims = Counter(ref for got in spread(race, [Racer(n, root) for n in range(RACERS)], RACERS) for ref in got)
        places = {
            status: sum(len(Queue(paths.workspace(name), time.time).files(status)) for name in paths.workspace_names())
            for status in Status
        }
    bad = [f"{ref} was claimed {times} times" for ref, times in claims.items() if times != 1]
    if places != {**dict.fromkeys(Status, 0), Status.DOING: TASKS}:
        bad.append(f"the tasks are in {places}")
    return len(claims), bad


# -- stale owners ----------------------------------------------------------------------------------------------------


class Stops(NamedTuple):
    """The stops of one worker: every so many of the points."""

    first: int
    stride: int


class Stop(NamedTuple):
    """What came of one stop."""

    where: str
    """What the owner was about to do; empty: it was done with its work before."""
    bad: str = ""


def stop_all(stops: Stops) -> list[Stop]:
    """Stop an owner at each of the points, until its work is over before it comes to one."""
    made: list[Stop] = []
    with scratch() as directory:
        template = labour.make_tree(directory / "template")
        for point in range(stops.first, MOST_STOPS, stops.stride):
            for successor in SUCCESSORS:
                root = directory / f"{point}-{successor}"
                copy_tree(template, root)
                made.append(stop_once(root, point, successor))
            if not made[-1].where:
                break
    return [stop for stop in made if stop.where or stop.bad]


def stop_once(root: Path, point: int, successor: str) -> Stop:
    """Stop an owner before its call number `point`, take over, let it go on; compare what was with what is."""
    told, tells = os.pipe()
    owner = os.fork()
    if owner == 0:
        os._exit(_own(root, point, tells))
    os.close(tells)
    _, status = os.waitpid(owner, os.WUNTRACED)
    if not os.WIFSTOPPED(status):
        os.close(told)
        return Stop("", "" if status == 0 else f"an owner that nobody stopped ended with {status}")
    where = os.read(told, 1000).decode()
    lease = Lease.acquire(FleetPaths(root).lease, "headless", time.time, pause=lambda _: None)
    work = labour.Labour(FleetPaths(root), lease)
    if successor == "works":
        work.finish()
    before = labour.seen(root)
    os.kill(owner, signal.SIGCONT)
    _, status = os.waitpid(owner, 0)
    words = os.read(told, 1000).decode()
    os.close(told)
    bad = [f"{name} was changed" for name in labour.differences(before, labour.seen(root))]
    bad += [] if status == 0 else [f"it did not end for its lease: {words or status}"]
    lease.check()
    work.finish()
    bad += labour.unfinished(root)
    lease.release()
    return Stop(where, f"stopped before {where}: {'; '.join(bad)}; {again('races', point, successor)}" if bad else "")


def _own(root: Path, point: int, tells: int) -> int:
    """Be the owner that is stopped; return its exit status: 0 where its lease, or its work, was over."""

    def tell(words: str) -> None:
        told(tells, words.encode())

    told = os.write  # before it is one of the calls that are counted
    try:
        lease = Lease.acquire(FleetPaths(root).lease, "headless", time.time)
        with stop_before(point, tell):
            labour.Labour(FleetPaths(root), lease).finish()
    except LeaseLostError:
        return 0
    except (OmniError, OSError) as error:
        try:
            lease.check()  # as the engine does after each step: it may have failed for that
        except LeaseLostError:
            return 0
        tell(f"{type(error).__name__}: {error}")
        return 1
    return 0


# -- the campaign ----------------------------------------------------------------------------------------------------


def run(long: bool) -> Figure:
    """Race; then stop owners at every point, again and again where it may take long."""
    started = time.monotonic()
    claimed, bad = run_race()
    again = LONG if long else 1
    jobs = [Stops(1 + number, WORKERS) for number in range(WORKERS)] * again
    stops = [stop for made in spread(stop_all, jobs) for stop in made]
    bad += [stop.bad for stop in stops if stop.bad]
    if len(stops) < LEAST_STOPS:
        bad.append(f"only {len(stops)} owners were stopped")
    return Figure(
        what=f"tasks that {RACERS} processes race for; owners stopped past their lease",
        done=claimed,
        goal=TASKS,
        bad=tuple(bad),
        seconds=time.monotonic() - started,
        note=f"{len(stops)} owners stopped before {len({stop.where for stop in stops})} kinds of calls",
    )


def replay(point: int, successor: str) -> str:
    """Stop an owner once; return what broke."""
    with scratch() as directory:
        return stop_once(labour.make_tree(directory / "fleet"), point, successor).bad


if __name__ == "__main__":
    sys.exit(replay(int(sys.argv[1]), sys.argv[2]) or None)
