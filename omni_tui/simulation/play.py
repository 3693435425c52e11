"""Plays a night: in a directory of its own, on virtual time, in this process; and tells what came of it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from omni_tui.model.task import Status
from omni_tui.policy.idle import idleness
from omni_tui.simulation.clock import EVENING, Wakeups
from omni_tui.simulation.conduct import Conduct
from omni_tui.simulation.life import make_task
from omni_tui.simulation.loop import StuckError, VirtualLoop
from omni_tui.simulation.night import Night, Sleeper
from omni_tui.simulation.world import SECRET, Stint

MEMORY = Path("/dev/shm")  # noqa: S108 - a directory in memory, with a private one made in it
ROOT = Path("fleet")
"""Relative, so that no path in the journal tells where the night was played."""
STALLS = (Conduct.STALL, Conduct.HANG, Conduct.LATE, Conduct.ASK)


class Played(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a night. Times are seconds after its beginning."""

    seed: int
    hours: float
    tasks: int
    slots: int
    landed: int
    """By the end of the night, as the next three."""
    blocked: int
    running: int
    waiting: int
    drained: float
    """How long the queue took to drain after the night, with all faults healed."""
    landed_in_all: int
    last_landing: float
    """When the last task landed; 0: none did."""
    reasons: dict[str, int]
    """Why tasks are blocked in the end, and how many."""
    stopped: str
    """Why the run stopped by itself; empty: it did not."""
    attempts: int
    outcomes: dict[str, int]
    """What became of the attempts: `landed`, or the kind of failure."""
    stalls: int
    """Attempts whose agent fell silent."""
    healed: int
    """Of these, how many were ended."""
    restarts: int
    """How often a dispatcher was started again."""
    doubled: int
    """Double dispatches."""
    idle: float
    """Seconds of the slots' time, until the end of the night, that went by unused though a task waited for one."""
    slot_time: float
    """All of it, while a dispatcher led."""
    limited: float
    """Seconds that agents waited for their providers."""
    wakeups: Wakeups
    faults: dict[str, int]
    """What went wrong, and how often it did."""
    violations: tuple[str, ...]
    lives: tuple[tuple[float, float, str], ...]
    """Of each dispatcher that led: from when to when, and why it ended."""
    stints: tuple[Stint, ...]
    digest: str
    """Of the journal, the folders and the refs: the same for the same night."""

    @property
    def idle_share(self) -> float:
        """The share of the slots' time that went by idle, from 0 to 1."""
        return self.idle / self.slot_time if self.slot_time else 0.0


def play(night: Night) -> Played:
    """Live through `night` and tell what came of it."""
    with _scratch(), asyncio.Runner(loop_factory=_loop) as runner:
        return runner.run(_live(night))


def _loop() -> VirtualLoop:
    loop = VirtualLoop()
    loop.set_task_factory(make_task)
    return loop


@contextlib.contextmanager
def _scratch() -> Iterator[None]:
    """Be in a fresh directory, in memory where there is one, and let the engine's log be silent."""
    log = logging.getLogger("omni_tui")
    silence = logging.NullHandler()
    log.addHandler(silence)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="omni-night-", dir=MEMORY if MEMORY.is_dir() else None) as directory,
            contextlib.chdir(directory),
        ):
            yield
    finally:
        log.removeHandler(silence)


async def _live(night: Night) -> Played:
    sleeper = Sleeper(night, ROOT)
    try:
        await sleeper.sleep()
    except StuckError as error:
        sleeper.world.oracle.violated(8, str(error))
    return _tell(sleeper)


def _tell(sleeper: Sleeper) -> Played:
    night, world = sleeper.night, sleeper.world
    stints = tuple(world.stints.values())
    journal = _journal(world.paths.journal)
    if SECRET.encode() in journal:
        world.oracle.violated(6, "the journal holds a secret")
    places = {name: [str(place) for place in where] for name, where in sorted(world.oracle.places().items())}
    refs = sorted(world.repository.refs.items())
    wakeups = Wakeups()
    for dispatcher in sleeper.dispatchers:
        wakeups.add(dispatcher.fleet.life_clock.wakeups)
    idle = idleness(world.events, EVENING + night.hours * 3600)
    silent = [stint for stint in stints if stint.conduct in STALLS]
    reasons = {event.task: str(event.data.get("reason", "")) for event in world.events if event.event == "task.blocked"}
    blocked = [name[:4] for name, where in places.items() if where == [Status.BLOCKED]]
    return Played(
        seed=night.seed,
        hours=night.hours,
        tasks=night.tasks,
        slots=night.settings.scheduler.limit,
        landed=sleeper.at_dawn.get(Status.DONE, 0),
        blocked=sleeper.at_dawn.get(Status.BLOCKED, 0),
        running=sleeper.at_dawn.get(Status.DOING, 0),
        waiting=sleeper.at_dawn.get(Status.TODO, 0),
        drained=sleeper.drained,
        last_landing=world.last_landing,
        landed_in_all=list(places.values()).count([str(Status.DONE)]),
        reasons=dict(Counter(reasons.get(task, "") for task in blocked).most_common()),
        stopped=next((str(event.data["reason"]) for event in world.events if event.event == "fleet.stopped"), ""),
        attempts=len(stints),
        outcomes=dict(Counter(stint.outcome or "unfinished" for stint in stints).most_common()),
        stalls=len(silent),
        healed=sum(stint.ended >= 0 for stint in silent),
        restarts=sum(dispatcher.core is not None for dispatcher in sleeper.dispatchers) - 1,
        doubled=world.oracle.doubled,
        idle=idle.idle,
        slot_time=idle.total,
        limited=sum((end if end >= 0 else stint.ended) - begin for stint in stints for begin, end in stint.limited),
        wakeups=wakeups,
        faults={**{kind: count for kind, count in sorted(world.conditions.hurt.items()) if count}, **_conducts(stints)},
        violations=tuple(world.oracle.violations),
        lives=tuple((each.began, each.ended, each.end) for each in sleeper.dispatchers if each.core is not None),
        stints=stints,
        digest=hashlib.sha256(journal + msgspec.json.encode([places, refs])).hexdigest(),
    )


def _conducts(stints: tuple[Stint, ...]) -> dict[str, int]:
    return dict(sorted(Counter(str(stint.conduct) for stint in stints if stint.conduct is not Conduct.WORKS).items()))


def _journal(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(directory.glob("*.jsonl")))
