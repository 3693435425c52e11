"""The dispatcher killed before, in and after every durable operation of a delivery; and once more in its recovery.

At each point the process forks. The child is the one that is killed: nothing of its dispatcher runs any further, and a
new one starts on a copy of the tree as it is at that moment, with the world (agents, repository) as it is at that
moment. The recovery forks at its own points in the same way. The parent goes on to the next point.

`python -m tests.torture.killpoints SCENARIO POINT [POINT]` plays one kill, or two, again.
"""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from omni_tui.engine.clock import SystemClock
from tests.torture.figure import Figure, again
from tests.torture.scratch import copy_tree, scratch
from tests.torture.seam import Operation, hooked
from tests.torture.successor import succeed
from tests.torture.workers import WORKERS, spread
from tests.torture.world import SCENARIOS, World, broken_promises, dispatch, make_tree, watched

GOAL = 20_000
WAITING_WORKERS = 2 * WORKERS
"""Half of the time of a fork goes into waiting until the kernel has taken down its inotify watches."""
STRIDES = {"repaired": 13, "lands": 41, "hopeless": 41}
"""The deliveries, and of how many points of a recovery one is tried."""
PATIENCE = 60
"""Seconds after which a recovery that has not come to rest is taken to hang: the alarm ends its process."""
ROOT = Path("fleet")
"""Relative, so that a copy of the tree is the same fleet to those who go there."""


class Job(NamedTuple):
    """What one worker does: the points of a scenario that are `part` of `parts`."""

    scenario: str
    part: int = 0
    parts: int = 1
    stride: int = 1
    """Of the recovery's points, every so many is tried; which ones, differs from point to point."""


class Killer:
    """Counts the points of this process's dispatcher, and has a fork killed at each that is chosen."""

    def __init__(self, world: World, tally: Path, chosen: Callable[[tuple[int, ...], int], bool]) -> None:
        self._world = world
        self._tally = tally.open("ab", buffering=0)
        self._chosen = chosen
        self._trail: tuple[str, ...] = ()
        """At which points the dispatchers before this one were killed."""
        self._numbers: tuple[int, ...] = ()
        self._number = 0

    def around(self, operation: Operation, do: Callable[[], Any]) -> Any:  # noqa: ANN401 -- whatever the call gives
        """Put points around an operation on the tree, and one in the middle of a write."""
        if operation.verb == "open":
            return do()
        self.reach(f"before {operation}")
        if operation.verb == "write":
            self.reach(f"in {operation}", torn=operation)
        result = do()
        self.reach(f"after {operation}")
        return result

    def reach(self, name: str, torn: Operation | None = None) -> None:
        """Pass a point; a fork of this process is killed here."""
        self._number += 1
        if len(self._numbers) == 2 or not self._chosen(self._numbers, self._number):
            return
        status = succeed(
            lambda here: self._lay_out(here, torn),
            lambda: self._succeed(name),
            PATIENCE if self._numbers else PATIENCE * 20,  # the first recovery waits for its forks
        )
        if status:
            self._say((*self._trail, name), [f"the recovery was ended: {status}"])

    def _lay_out(self, here: Path, torn: Operation | None) -> None:
        """Copy the tree as the killed process leaves it: of a write that was under way, half."""
        copy_tree(ROOT, here / ROOT)
        if torn is not None:
            with (here / torn.path).open("ab") as file:
                file.write(torn.data[: len(torn.data) // 2])

    def _succeed(self, name: str) -> None:
        """Be the successor of the process that was killed at the point called `name`."""
        self._trail, self._numbers, self._number = (*self._trail, name), (*self._numbers, self._number), 0
        clock = SystemClock()

        async def recover() -> list[str]:
            self._world.revive()
            return await dispatch(ROOT, self._world, clock)

        told = asyncio.run(recover())
        self._say(self._trail, [*told, *broken_promises(ROOT, self._world)])

    def _say(self, trail: tuple[str, ...], bad: list[str]) -> None:
        """Add one line to what all forks write together: empty where all is well."""
        command = again("killpoints", self._world.scenario.name, *self._numbers)
        words = f"killed {', then '.join(trail)}: {'; '.join(bad)}; {command}"
        self._tally.write(f"{' '.join(words.split()) if bad else ''}\n".encode())


def kill_all(job: Job) -> list[str]:
    """Kill at a job's points; return a line for each kill, empty where nothing broke."""
    return _play(job.scenario, lambda before, number: _is_chosen(job, before, number))


def replay(scenario: str, points: tuple[int, ...]) -> list[str]:
    """Kill at exactly these points; return what broke."""
    lines = _play(scenario, lambda before, number: (*before, number) == points[: len(before) + 1])
    return [line for line in lines if line]


def _is_chosen(job: Job, before: tuple[int, ...], number: int) -> bool:
    return (number + before[0]) % job.stride == 0 if before else number % job.parts == job.part


def _play(scenario: str, chosen: Callable[[tuple[int, ...], int], bool]) -> list[str]:
    with scratch() as directory:
        work, tally = directory / "work", directory / "tally"
        work.mkdir()
        os.chdir(work)
        clock = SystemClock()
        _warm_up(clock)
        world = World(SCENARIOS[scenario], clock)
        make_tree(ROOT, clock)
        killer = Killer(world, tally, chosen)
        gc.disable()  # forks are short, and share what is there as long as no collection touches it
        with hooked(killer.around), watched(killer.reach):
            told = asyncio.run(dispatch(ROOT, world, clock))
        bad = [*told, *broken_promises(ROOT, world)]
        return [
            *tally.read_text(encoding="utf-8").splitlines(),
            *(f"never killed ({scenario}): {words}" for words in bad),
        ]


def _warm_up(clock: SystemClock) -> None:
    """Deliver once, so that no fork has to load again what is loaded at its first use."""
    world = World(SCENARIOS["lands"], clock)
    make_tree(ROOT, clock)
    asyncio.run(dispatch(ROOT, world, clock))
    shutil.rmtree(ROOT)


def run(long: bool) -> Figure:
    """Kill at every point, and in each recovery at a share of its points; at every one where it may take long."""
    started = time.monotonic()
    parts = WAITING_WORKERS
    jobs = [Job(name, part, parts, stride=1 if long else STRIDES[name]) for name in STRIDES for part in range(parts)]
    lines = [line for lines in spread(kill_all, jobs, WAITING_WORKERS) for line in lines]
    return Figure(
        what="process killed around every durable operation of a delivery, and again in the recovery",
        done=len(lines),
        goal=GOAL,
        bad=tuple(line for line in lines if line),
        seconds=time.monotonic() - started,
        note=f"{len(STRIDES)} deliveries: {', '.join(STRIDES)}",
    )


if __name__ == "__main__":
    sys.exit("\n".join(replay(sys.argv[1], tuple(map(int, sys.argv[2:])))) or None)
