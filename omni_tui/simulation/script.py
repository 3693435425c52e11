"""The scripted agents: what each conduct does, minute by minute, at its terminal, in its checkout and its events."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from random import Random

from omni_tui.model.signal import Health
from omni_tui.simulation.agent import SimulatedAgent
from omni_tui.simulation.conduct import Conduct
from omni_tui.simulation.repository import MemoryRepository
from omni_tui.simulation.runtime import FakeAgent
from omni_tui.simulation.service import Service
from omni_tui.simulation.vanity import Vanity

SHARED = "README.md"
"""The file that agents in conflict change."""
BREAKAGE = "BROKEN"
"""What the check of the simulated project fails on."""
FOR_EVER = 1e7
KILLED_STATUS = 137


class Hand:
    """One agent at work: what it can do."""

    def __init__(
        self,
        agent: FakeAgent,
        repository: MemoryRepository,
        chance: Random,
        edits: Sequence[str],
        *,
        service: Service,
        tell: Callable[[Path], None],
        vanity: Vanity,
    ) -> None:
        """Take the agent, the project, its chance, the files of its task, who serves it, and who hears of it."""
        self.agent = agent
        self.task = agent.launch.env["OMNI_TASK"]
        self.number = int(agent.launch.env["OMNI_ATTEMPT"])
        self.chance = chance
        self.now = service.now
        self._service = service
        self._vanity = vanity
        self._edits = edits
        self._repository = repository
        self._tell = tell
        self._events = agent.launch.run_dir / "events.jsonl"
        self._tokens = 0
        self._calls = 0

    def say(
        self, health: Health, *, accepted: bool = False, until: float | None = None, fatal: str = "", call: str = ""
    ) -> None:
        """Append a line to the attempt's events."""
        if fatal or health is Health.LIMITED:
            self._vanity.refused(fatal or "rate_limit", until)
        elif health in (Health.TOOL, Health.FINISHED):
            self._vanity.served()
        self._tokens += self.chance.randrange(500, 5000)
        line = SimulatedAgent.line(health, accepted=accepted, until=until, fatal=fatal, call=call, tokens=self._tokens)
        with self._events.open("ab") as events:
            events.write(line + b"\n")
        os.utime(self._events, (self.now(), self.now()))
        self._tell(self._events)

    async def accept(self, longest: float = 20) -> None:
        """Say that it has its task, after so many seconds at most."""
        await asyncio.sleep(self.chance.uniform(1, longest))
        await self.agent.going.wait()
        self.say(Health.THINKING, accepted=True)
        self._service.ask()

    async def toil(self, least: float, most: float) -> None:
        """Work for so many minutes, with a signal now and then."""
        left = self.chance.uniform(least, most) * 60
        while left > 0:
            pause = min(left, self.chance.uniform(40, 200))
            await asyncio.sleep(pause)
            await self.agent.going.wait()
            left -= pause
            self._service.ask()
            self.agent.cpu_seconds += pause * 0.2
            self._calls += 1
            tool = self._calls % 2
            self.say(Health.TOOL if tool else Health.THINKING, call=f"Edit {self._calls}" if tool else "")

    def write(self, path: str, text: str) -> None:
        """Write a file in the checkout, if that is still there."""
        if self.agent.launch.cwd in self._repository.checkouts:
            self._repository.checkouts[self.agent.launch.cwd].files[path] = text

    def write_own(self, text: str = "") -> None:
        """Add to the files that the task is about."""
        checkout = self._repository.checkouts.get(self.agent.launch.cwd)
        if checkout is None:
            return
        for path in self._edits:
            before = checkout.files.get(path, "").partition(f"def run_{self.task}(")[0]
            checkout.files[path] = f"{before}def run_{self.task}():\n    return {self.number}\n{text}"

    def commit(self, message: str = "Do the task") -> None:
        """Commit all that is in the checkout, if that is still there."""
        if self.agent.launch.cwd in self._repository.checkouts:
            self._repository.commit_in(self.agent.launch.cwd, {}, message)

    def finish(self) -> int:
        """Say that it has finished, and exit."""
        self.say(Health.FINISHED)
        return 0


Script = Callable[[Hand], Awaitable[int]]


async def tries(hand: Hand) -> int:
    """Answer a preflight."""
    await hand.accept(8)
    hand.say(Health.TOOL)
    return hand.finish()


async def works(hand: Hand) -> int:
    """Do the task well."""
    await hand.accept()
    await hand.toil(3, 12)
    hand.write_own()
    await hand.toil(1, 6)
    hand.commit()
    return hand.finish()


async def leaves(hand: Hand) -> int:
    """Do the task well and exit without a word."""
    await hand.accept()
    await hand.toil(3, 15)
    hand.write_own()
    hand.commit()
    return 0


async def stall(hand: Hand) -> int:
    """Fall silent, with work that is not committed."""
    await hand.accept()
    await hand.toil(1, 8)
    hand.write_own()
    await asyncio.sleep(FOR_EVER)
    return 0


async def hang(hand: Hand) -> int:
    """Fall silent, and do not mind the polite signal."""
    hand.agent.stubborn = True
    return await stall(hand)


async def late(_hand: Hand) -> int:
    """Never say anything."""
    await asyncio.sleep(FOR_EVER)
    return 0


async def flood(hand: Hand) -> int:
    """Print without end."""
    await hand.accept()
    for _ in range(10_000):
        await hand.toil(0.5, 1)
        hand.agent.pour(50_000_000)
    return 0


async def loop(hand: Hand) -> int:
    """Make the same call without end."""
    await hand.accept()
    await hand.toil(1, 3)
    for _ in range(10_000):
        await asyncio.sleep(hand.chance.uniform(5, 40))
        hand.say(Health.TOOL, call="Bash make test")
    return 0


async def commits(hand: Hand) -> int:
    """Make the same small commit without end."""
    await hand.accept()
    for number in range(10_000):
        await hand.toil(0.3, 1)
        hand.write_own(f"# {number}\n")
        hand.commit("Add a test")
    return 0


async def limit(hand: Hand) -> int:
    """Hit a usage limit: wait for its end and go on, or give up."""
    await hand.accept()
    await hand.toil(1, 6)
    hand.write_own()
    ends = hand.now() + hand.chance.uniform(10, 90) * 60
    patient = hand.chance.random() < 0.5
    hand.say(Health.LIMITED, until=ends, fatal="" if patient else "rate_limit")
    if not patient:
        return 1
    await asyncio.sleep(ends - hand.now() + 30)
    await hand.toil(1, 6)
    hand.commit()
    return hand.finish()


async def auth(hand: Hand) -> int:
    """Be refused by the provider."""
    await asyncio.sleep(hand.chance.uniform(1, 10))
    hand.say(Health.DEAD, fatal="auth")
    return 1


async def server(hand: Hand) -> int:
    """Give up on a failing server."""
    await hand.accept()
    await hand.toil(1, 4)
    hand.say(Health.DEAD, fatal="server")
    return 1


async def uncommitted(hand: Hand) -> int:
    """Do the task and forget to commit."""
    await hand.accept()
    await hand.toil(3, 10)
    hand.write_own()
    return hand.finish()


async def ask(hand: Hand) -> int:
    """Ask, and wait for an answer."""
    await hand.accept()
    await hand.toil(1, 5)
    hand.say(Health.WAITING)
    await asyncio.sleep(FOR_EVER)
    return 0


async def astray(hand: Hand) -> int:
    """Do something else."""
    await hand.accept()
    await hand.toil(2, 8)
    hand.write("elsewhere/notes.py", f"NOTES = {hand.number}\n")
    hand.commit()
    return hand.finish()


async def broken(hand: Hand) -> int:
    """Commit what does not pass."""
    await hand.accept()
    await hand.toil(2, 10)
    hand.write_own(f"# {BREAKAGE}\n")
    hand.commit()
    return hand.finish()


async def conflict(hand: Hand) -> int:
    """Change what others change."""
    await hand.accept()
    await hand.toil(4, 14)
    hand.write_own()
    hand.write(SHARED, f"# App, by {hand.task}\n")
    hand.commit()
    return hand.finish()


async def dies(hand: Hand) -> int:
    """Be killed in the middle."""
    await hand.accept()
    await hand.toil(1, 10)
    hand.write_own()
    return KILLED_STATUS


SCRIPTS: Mapping[Conduct, Script] = {
    Conduct.WORKS: works,
    Conduct.LEAVES: leaves,
    Conduct.STALL: stall,
    Conduct.HANG: hang,
    Conduct.LATE: late,
    Conduct.FLOOD: flood,
    Conduct.LOOP: loop,
    Conduct.COMMITS: commits,
    Conduct.LIMIT: limit,
    Conduct.AUTH: auth,
    Conduct.SERVER: server,
    Conduct.UNCOMMITTED: uncommitted,
    Conduct.ASK: ask,
    Conduct.ASTRAY: astray,
    Conduct.BROKEN: broken,
    Conduct.CONFLICT: conflict,
    Conduct.DIES: dies,
}
