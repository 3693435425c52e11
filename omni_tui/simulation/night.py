"""A night in the simulated world: dispatchers that are started again, agents, faults; and the drain after it.

When the night is over everything is healed, a person thaws what was stopped, and the queue has to drain.
"""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

import msgspec

from omni_tui.model.event import Event
from omni_tui.model.request import Request, RequestKind
from omni_tui.model.settings import Settings
from omni_tui.model.task import Status, Task
from omni_tui.policy.flags import unmet
from omni_tui.simulation.conduct import Conduct
from omni_tui.simulation.dispatcher import Dispatcher
from omni_tui.simulation.faults import Fault, FaultKind
from omni_tui.simulation.source import MemoryRemote
from omni_tui.simulation.suffering import Suffering
from omni_tui.simulation.world import FILES, FLAG, WORKSPACE, World
from omni_tui.store import control
from omni_tui.store.files import make_dirs, publish

RESTART_SECONDS = 60.0
"""Until somebody, or a service manager, starts a dispatcher that has ended again."""
LONGEST_PAUSE_SECONDS = 1800.0
"""The same, where it ends at once each time."""
LOOK_SECONDS = 60.0
DRAIN_SECONDS = 12 * 3600.0
"""The longest that the queue may take to drain once all is well, beyond the time that its attempts may take."""
LATE_SHARE = 0.25
"""Of the tasks come during the first half of the night."""
DEPENDENT_SHARE = 0.15
FLAGGED_SHARE = 0.2
"""Of the tasks require a feature flag, in a night in which that may be turned off."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A task of a backlog that is given, and the files that it really changes."""

    task: Task
    edits: tuple[str, ...]


class Night(msgspec.Struct, frozen=True, kw_only=True):
    """What kind of night it is: the same, and so is all that happens."""

    seed: int
    settings: Settings
    hours: float = 8.0
    tasks: int = 24
    faults: frozenset[str] = frozenset()
    """What may go wrong; see `faults`."""
    plan: tuple[Fault, ...] = ()
    """What goes wrong with the world, and when."""
    given: Mapping[tuple[str, int], Conduct] = {}
    """How certain attempts (by task and number) go."""
    providers: Mapping[str, str] = {}
    """The files of the fleet's providers, by name."""
    sourced: bool = False
    """The tasks are offered by a source, without ids, so that none depends on another; nobody queues them."""
    simple: bool = False
    """All tasks are there from the beginning, and none depends on another."""
    backlog: tuple[Part, ...] = ()
    """The tasks, in place of drawn ones: all of them are there from the beginning."""
    flags: Mapping[str, str] = {}
    """The feature flags of the project, and their states."""


class Sleeper:
    """Lives through one night."""

    def __init__(self, night: Night, root: Path) -> None:
        self.night = night
        files = FILES | {path: "" for part in night.backlog for path in part.edits}
        self.world = World(root, night.seed, night.settings, night.given, night.faults, files)
        make_dirs(self.world.paths.providers)
        self._write_providers()
        self.world.remote = MemoryRemote() if night.sourced else None
        self.world.conditions.remote_fails = bool(night.faults)
        self.dispatchers: list[Dispatcher] = []
        self.at_dawn: Mapping[Status, int] = {}
        """How many tasks were where when the night was over."""
        self.drained = 0.0
        """Seconds that the queue took to drain after that."""
        self._dawn = asyncio.Event()
        self._over = False
        self._rivals: list[asyncio.Task[str]] = []
        self._chance = Random(f"{night.seed} tasks")  # noqa: S311 - the same each time
        self._flag_chance = Random(f"{night.seed} flags")  # noqa: S311
        self._flagged = FaultKind.FLAG in night.faults and not (night.simple or night.backlog)
        if night.flags or self._flagged:
            self.world.set_flags(night.flags or {FLAG: "on"})

    def _write_providers(self) -> None:
        """Write the providers' files, or save them again, which says that what was wrong with them is mended."""
        for name, text in self.night.providers.items():
            path = self.world.paths.providers / f"{name}.toml"
            publish(path, text.encode())
            os.utime(path, (self.world.time.now(), self.world.time.now()))
            self.world.tell(path)

    def _mend(self) -> None:
        """Mend the login: by the providers' files, or else with a thaw."""
        self._write_providers()
        if not self.night.providers:
            self._thaw(f"login-{self.world.loop.time():.0f}")

    async def sleep(self) -> None:
        """Live through the night, and until the queue has drained."""
        world, seconds = self.world, self.night.hours * 3600
        arrivals = asyncio.ensure_future(self._bring_tasks())
        keeper = asyncio.ensure_future(self._keep_dispatching())
        suffering = Suffering(world, self.leader, self._rival, self._mend)
        agenda = asyncio.ensure_future(suffering.run(self.night.plan))
        await asyncio.sleep(seconds)
        for task in (arrivals, agenda):
            task.cancel()
        suffering.end()
        world.heal()
        if self._flagged:
            world.set_flags({FLAG: "on"})
        self.at_dawn = self._count()
        self._dawn.set()
        await self._drain()
        self._over = True
        while (leader := self.leader()) is not None and leader.core is not None:
            leader.core.stop("the morning has come")
            await asyncio.sleep(1)
        keeper.cancel()
        await asyncio.wait([keeper, *self._rivals])
        for dispatcher in self.dispatchers:
            dispatcher.fleet.life_clock.settle()

    def leader(self) -> Dispatcher | None:
        """Return who dispatches."""
        return next((each for each in reversed(self.dispatchers) if each.leads), None)

    # -- tasks -------------------------------------------------------------------------------------------------------

    async def _bring_tasks(self) -> None:
        """Put the tasks into the queue: most of them in the evening, the others as they come."""
        for part in self.night.backlog:
            self.world.put(part.task, part.edits)
        if not self.night.backlog:
            await self._bring_drawn()

    async def _bring_drawn(self) -> None:
        late = []
        for number in range(1, self.night.tasks + 1):
            comes_late, depends = self._chance.random() < LATE_SHARE, self._chance.random() < DEPENDENT_SHARE
            other = f"{self._chance.randint(1, number - 1):04d}" if number > 1 else ""
            on = (other,) if depends and other and not self.night.simple else ()
            if comes_late and not self.night.simple:
                late.append((self._chance.uniform(0, self.night.hours * 1800), number, on))
            else:
                self._bring(number, on)
        begun = self.world.loop.time()
        for at, number, on in sorted(late):
            await asyncio.sleep(begun + at - self.world.loop.time())
            self._bring(number, on)

    def _bring(self, number: int, depends_on: Sequence[str]) -> None:
        if self.night.sourced:
            self.world.offer(number)
        else:
            self.world.add(number, depends_on, self._flags())

    def _flags(self) -> tuple[str, ...]:
        """Draw which flags a task requires."""
        return (FLAG,) if self._flagged and self._flag_chance.random() < FLAGGED_SHARE else ()

    def _count(self) -> Mapping[Status, int]:
        places = [place for places in self.world.oracle.places().values() for place in places]
        return {status: places.count(status) for status in Status}

    # -- dispatchers -------------------------------------------------------------------------------------------------

    async def _keep_dispatching(self) -> None:
        """Start a dispatcher whenever the last one has ended. One that stopped by itself waits for a person at dawn."""
        pause = RESTART_SECONDS
        while not self._over:
            begun = self.world.loop.time()
            await self._dispatch()
            left = self.world.loop.time()
            if self._stopped_by_rules() is not None and not self._dawn.is_set():
                await self._dawn.wait()
            pause = RESTART_SECONDS if left - begun > RESTART_SECONDS else min(pause * 2, LONGEST_PAUSE_SECONDS)
            await asyncio.sleep(pause)
            self.world.oracle.away += self.world.loop.time() - left

    async def _dispatch(self) -> str:
        dispatcher = Dispatcher(self.world, len(self.dispatchers) + 1)
        self.dispatchers.append(dispatcher)
        return await dispatcher.run()

    def _stopped_by_rules(self) -> float | None:
        """Return when the fleet was stopped, if it still is; where nobody serves it goes on by itself."""
        last = next((event for event in reversed(self.world.events) if event.event in STATES), None)
        return last.time if last is not None and _waits_for_a_person(last) else None

    def _rival(self) -> None:
        """Start another dispatcher beside the one that there is."""
        self._rivals.append(asyncio.ensure_future(self._dispatch()))

    # -- the morning -------------------------------------------------------------------------------------------------

    async def _drain(self) -> None:
        """Thaw the fleet whenever it stops, and wait until nothing can go on; then nothing may be left that could."""
        dawn, stopped = self.world.loop.time(), self._stopped_by_rules()
        self._thaw("morning")
        limits, slots = self.night.settings.limits, self.night.settings.scheduler.limit
        rounds = math.ceil(self.night.tasks / slots) * limits.attempts
        longest = DRAIN_SECONDS + rounds * limits.wall_minutes * 60
        while self.world.loop.time() < dawn + longest:
            await asyncio.sleep(LOOK_SECONDS)
            again, leader = self._stopped_by_rules(), self.leader()
            if again not in (None, stopped):  # its limits stop it though all is well
                stopped, longest = again, longest + LONGEST_PAUSE_SECONDS
                self._thaw(f"again-{again:.3f}")
            elif leader is not None and leader.core is not None and leader.core.scheduler.idle.is_set():
                if self._owed():
                    continue
                break
        self.drained = self.world.loop.time() - dawn
        self._look_around()

    def _owed(self) -> list[str]:
        """Return what is offered and was not taken, and what has landed and the source was not told of."""
        world = self.world
        if world.remote is None:
            return []
        done = {name for name, where in world.oracle.places().items() if where == [Status.DONE]}
        told = {key for key, outcomes in world.remote.told.items() if any(outcome.landed for outcome in outcomes)}
        untold = [key for key, name in world.oracle.taken.items() if name in done and key not in told]
        return [*(world.remote.offers.keys() - world.oracle.taken.keys()), *untold]

    def _thaw(self, name: str) -> None:
        control.post(
            self.world.paths.control, Request(id=name, kind=RequestKind.THAW, by="person", at=self.world.time.now())
        )
        self.world.tell(self.world.paths.control / f"{name}.request.json")

    def _look_around(self) -> None:
        """Look whether the queue has drained, and every attempt has ended or is escalated."""
        oracle, places = self.world.oracle, self.world.oracle.places()
        for key in self._owed():
            oracle.violated(8, f"{key} was never taken, or its source never told that it landed")
        done = {name[:4] for name, where in places.items() if where == [Status.DONE]}
        queue = self.dispatchers[-1].fleet.queue(WORKSPACE)
        for name, where in sorted(places.items()):
            if where == [Status.DOING]:
                oracle.violated(8, f"{name} is in doing/ after all was healed for {self.drained / 3600:.0f} h")
            if where == [Status.TODO]:
                task = queue.read(self.world.place.queue(Status.TODO) / name)
                if done.issuperset(task.depends_on) and not unmet(task, self.world.flags):
                    oracle.violated(8, f"{name} was never started, and nothing holds it")
            if where == [Status.BLOCKED] and not queue.note(name[:4]):
                oracle.violated(8, f"{name} is blocked without a word")
        for run in oracle.living():
            oracle.violated(8, f"the agent of {run} lives for ever")


def _waits_for_a_person(event: Event) -> bool:
    return event.event == "fleet.stopped" and not event.data.get("unserved")


STATES = ("fleet.stopped", "fleet.thawed")

"""What says whether a fleet was stopped by its own rules."""
