"""Power losses under the whole engine: at each moment of a delivery, the trees that one may leave; each is recovered.

Every operation of the real engine on a real tree is recorded. After each, and after each change of the world, the
process forks for every tree that the medium may hold then (`medium`). In the fork no process lives any more, the
repository is as it was, and of what the agents told by their files either all is there or nothing. A dispatcher starts
there and has to bring the task to its end: nothing lost, nothing done twice.

`python -m tests.torture.powerloss SCENARIO MOMENT` plays the losses at one moment again.
"""

from __future__ import annotations

import asyncio
import gc
import os
import random
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from omni_tui.engine.clock import SystemClock
from tests.torture.figure import Figure, again
from tests.torture.medium import Medium, State, lay_out
from tests.torture.scratch import scratch
from tests.torture.seam import Operation, hooked
from tests.torture.successor import succeed
from tests.torture.workers import WORKERS, spread
from tests.torture.world import SCENARIOS, World, broken_promises, dispatch, kept, make_tree, watched

GOAL = 3_000
AT_MOST, LONG_AT_MOST = 3, 64
"""States looked at for one moment."""
PATIENCE = 60
"""Seconds after which a recovery that has not come to rest is taken to hang."""
ROOT = Path("fleet")
TOLD = "workspaces/app/runs/*/*/events.jsonl"
"""What agents write: no operation of ours, so the medium knows nothing of it."""


class Job(NamedTuple):
    """What one worker does: the moments of a scenario that are `part` of `parts`."""

    scenario: str
    part: int = 0
    parts: int = 1
    at_most: int = AT_MOST


class Loser:
    """Follows a dispatcher, and has forks find what a power loss at the chosen moments may leave."""

    def __init__(self, world: World, tally: Path, chosen: Callable[[int], bool], at_most: int) -> None:
        self._world = world
        self._tally = tally.open("ab", buffering=0)
        self._chosen = chosen
        self._at_most = at_most
        self._medium = Medium()
        self._medium.hold(ROOT)
        self._chance = random.Random(world.scenario.name)
        self._moment = 0
        self._over = False
        """Whether this is a fork, and the power was lost."""

    def around(self, operation: Operation, do: Callable[[], Any]) -> Any:  # noqa: ANN401 -- whatever the call gives
        """Take in an operation of the dispatcher; its successor is left alone."""
        result = do()
        if self._over:
            return result
        self._medium.take(operation)
        if operation.verb != "open":
            self.reach(f"after {operation}")
        return result

    def reach(self, name: str) -> None:
        """Pass a moment; the power is lost here, once for each tree that may be left."""
        if self._over:
            return
        self._moment += 1
        seed = self._chance.random()  # drawn at each, so that a moment looks the same when it is played alone
        if not self._chosen(self._moment):
            return
        looked_at: set[int] = set()
        for state in self._medium.states(self._at_most, random.Random(seed)):
            for told in self._told(state):
                whole = {**state, **told}
                key = hash(tuple(whole.items()))
                if key not in looked_at:
                    looked_at.add(key)
                    self._lose_power(name, whole)

    def _told(self, state: State) -> list[Mapping[Path, bytes]]:
        """Return what may be left of what agents wrote, where their directories are."""
        files = {path: path.read_bytes() for path in sorted(ROOT.glob(TOLD)) if path.parent in state}
        return [{}, files]

    def _lose_power(self, name: str, state: State) -> None:
        unfinished = self._world.unfinished()
        status = succeed(lambda here: lay_out(state, here), lambda: self._recover(name, unfinished), PATIENCE)
        if status:
            self._say(name, [f"the recovery was ended: {status}"])

    def _recover(self, name: str, unfinished: list[int]) -> None:
        """Be the dispatcher that is started once the power is back; it stays."""
        self._over = True
        self._world.lose_power()
        told = asyncio.run(dispatch(ROOT, self._world, SystemClock()))
        self._say(name, [*told, *_lost(self._world, unfinished)])

    def _say(self, name: str, bad: list[str]) -> None:
        """Add one line to what all forks write together: empty where all is well."""
        command = again("powerloss", self._world.scenario.name, self._moment)
        words = f"power lost {name}: {'; '.join(bad)}; {command}"
        self._tally.write(f"{' '.join(words.split()) if bad else ''}\n".encode())


def _lost(world: World, unfinished: list[int]) -> list[str]:
    """Return what is lost or done twice. A power loss may cost one attempt more, and nothing else."""
    broken = [words for words in broken_promises(ROOT, world) if not words.startswith(("attempts", "started"))]
    attempts = sorted(int(path.name) for path in ROOT.glob("workspaces/app/runs/0001/[0-9]*"))
    if attempts != list(range(1, len(attempts) + 1)) or len(attempts) > len(world.scenario.attempts) + 1:
        broken.append(f"attempts {attempts}")
    if gone := set(unfinished) - set(kept(world, attempts)):
        broken.append(f"the work of {sorted(gone)} is gone")
    return broken


def lose_all(job: Job) -> list[str]:
    """Lose power at a job's moments; return a line for each loss, empty where nothing broke."""
    return _play(job.scenario, lambda number: number % job.parts == job.part, job.at_most)


def _play(scenario: str, chosen: Callable[[int], bool], at_most: int) -> list[str]:
    with scratch() as directory:
        work, tally = directory / "work", directory / "tally"
        work.mkdir()
        os.chdir(work)
        clock = SystemClock()
        world = World(SCENARIOS[scenario], clock)
        make_tree(ROOT, clock)
        loser = Loser(world, tally, chosen, at_most)
        gc.disable()  # forks are short, and share what is there as long as no collection touches it
        with hooked(loser.around), watched(loser.reach):
            told = asyncio.run(dispatch(ROOT, world, clock))
        bad = [*told, *broken_promises(ROOT, world)]
        lines = tally.read_text(encoding="utf-8").splitlines()
        return [*lines, *(f"power never lost ({scenario}): {words}" for words in bad)]


def run(long: bool) -> Figure:
    """Lose power at every moment of the deliveries."""
    started = time.monotonic()
    at_most = LONG_AT_MOST if long else AT_MOST
    jobs = [Job(name, part, WORKERS, at_most) for name in SCENARIOS for part in range(WORKERS)]
    lines = [line for lines in spread(lose_all, jobs) for line in lines]
    return Figure(
        what="power lost at each moment of a delivery by the whole engine, and what it may leave recovered by the next",
        done=len(lines),
        goal=GOAL,
        bad=tuple(line for line in lines if line),
        seconds=time.monotonic() - started,
        note=f"{len(SCENARIOS)} deliveries: {', '.join(SCENARIOS)}",
    )


if __name__ == "__main__":
    found = _play(sys.argv[1], lambda number: number == int(sys.argv[2]), LONG_AT_MOST)
    sys.exit("\n".join(line for line in found if line) or None)
