"""The lease taken over at each moment of a delivery: its former owner, which goes on, may change nothing any more.

A delivery by the real engine is played again and again. At one moment of each, after a durable operation or a change
of the world, another takes the lease, and the dispatcher goes on until a fence stops it. By then nobody may have been
started or ended, and no ref, no checkout and no file of the fleet may have changed. The fences stand alone here: nobody
watches the lease file. `races` tries the last ones, of the kernel and of git, between a look and the deed.

`python -m tests.torture.stale SCENARIO MOMENT` plays one moment again.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from omni_tui.engine.clock import SystemClock
from omni_tui.errors import LeaseLostError
from omni_tui.store.lease import Lease
from omni_tui.store.paths import FleetPaths
from tests.torture.figure import Figure, again
from tests.torture.labour import differences, seen
from tests.torture.scratch import scratch
from tests.torture.seam import Operation, hooked
from tests.torture.workers import WORKERS, spread
from tests.torture.world import SCENARIOS, World, dispatch, make_tree, watched

GOAL = 400
PATIENCE = 20.0
"""Seconds after which a stale owner that no fence has stopped is taken to hang."""
ROOT = Path("fleet")
DOORS = ".owner-*"
"""A door of an owner: before there is one, there is nobody to take the lease from."""
CHECK = "/bin/sh"
"""The program of a check, which ends by itself."""


class Job(NamedTuple):
    """What one worker does: the moments of a scenario that are `part` of `parts`."""

    scenario: str
    part: int = 0
    parts: int = 1


class Taken(NamedTuple):
    """What came of one takeover."""

    where: str
    """After what the lease was taken; empty: the delivery was over before the moment came."""
    bad: str = ""


class Thief:
    """Takes the lease from the dispatcher of this process, once, at a moment of its delivery."""

    def __init__(self, world: World, moment: int) -> None:
        self._world = world
        self._moment = moment
        self._passed = 0
        self._lease: Lease | None = None
        self.where = ""
        self.before: Mapping[str, bytes] = {}
        """What there was when the lease was taken."""

    def around(self, operation: Operation, do: Callable[[], Any]) -> Any:  # noqa: ANN401 -- whatever the call gives
        """Do it; that was a moment."""
        result = do()
        if operation.verb != "open":
            self.reach(f"after {operation}")
        return result

    def reach(self, name: str) -> None:
        """Pass a moment; `before` a change its fence has been passed, and what stops it then is not here."""
        if self.where or name.startswith("before") or not any(ROOT.glob(DOORS)):
            return
        self._passed += 1
        if self._passed == self._moment:
            self.where = name
            lease = FleetPaths(ROOT).lease
            self._lease = Lease.acquire(lease, "headless", time.time, take_over=True, pause=lambda _: None)
            self.before = look(self._world)

    def release(self) -> None:
        """Let go of the lease, if it was taken."""
        if self._lease is not None:
            self._lease.release()


def look(world: World) -> Mapping[str, bytes]:
    """Return all that a dispatcher can change; agents go on with what is theirs."""
    refs = {"ref": world.repository.refs, "ref of the origin": world.origin.refs}
    found = {f"{kind} {name}": commit.encode() for kind, named in refs.items() for name, commit in named.items()}
    for name, agent in world.machine.agents.items():
        if agent.launch.argv[0] != CHECK:
            found[f"agent {name}"] = b"ended" if agent.ended.done() else b"lives"
    found |= {f"checkout {path}": b"" for path in world.repository.checkouts}
    return found | {name: data for name, data in seen(ROOT).items() if not name.endswith("events.jsonl")}


def take_over(scenario: str, moment: int) -> Taken:
    """Play a delivery in a fresh directory, and take the lease at its moment number `moment`, counted from 1."""
    with scratch():
        clock = SystemClock()
        world = World(SCENARIOS[scenario], clock)
        make_tree(ROOT, clock)
        thief = Thief(world, moment)
        try:
            with hooked(thief.around), watched(thief.reach):
                told = asyncio.run(_dispatch(world, clock))
            if not thief.where:
                return Taken("")
            changed = [f"changed: {name}" for name in differences(thief.before, look(world))]
        finally:
            thief.release()
    bad = "; ".join([*changed, *told])
    return Taken(thief.where, f"taken {thief.where}: {bad}; {again('stale', scenario, moment)}" if bad else "")


async def _dispatch(world: World, clock: SystemClock) -> list[str]:
    """Dispatch until the lease is lost, or nothing is left to do; return what is wrong with that."""
    try:
        async with asyncio.timeout(PATIENCE):
            await dispatch(ROOT, world, clock)
    except LeaseLostError:  # as it was about to start, or to stop
        return []
    except TimeoutError:
        return ["it was not stopped"]
    return []


def take_all(job: Job) -> list[Taken]:
    """Take the lease at a job's moments, until a delivery is over before the next one comes."""
    logging.disable(logging.CRITICAL)  # that a dispatcher fails is what it has to do
    made = []
    for moment in range(1 + job.part, sys.maxsize, job.parts):
        made.append(take_over(job.scenario, moment))
        if not made[-1].where:
            break
    return made[:-1]


def run(long: bool) -> Figure:
    """Take the lease at every moment of the deliveries, however `long` it may take."""
    started = time.monotonic()
    jobs = [Job(name, part, WORKERS) for name in SCENARIOS for part in range(WORKERS)]
    taken = [each for made in spread(take_all, jobs) for each in made]
    return Figure(
        what="lease taken over at each moment of a delivery, and what its former owner changes then",
        done=len(taken),
        goal=GOAL,
        bad=tuple(each.bad for each in taken if each.bad),
        seconds=time.monotonic() - started,
        note=f"{len(SCENARIOS)} deliveries: {', '.join(SCENARIOS)}",
    )


if __name__ == "__main__":
    sys.exit(take_over(sys.argv[1], int(sys.argv[2])).bad or None)
