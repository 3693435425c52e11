"""Each file operation failing: at every place where the tree is touched, by every errno, once and from then on.

A delivery, and histories of the store, are run with a disk that fails there. Then the disk is whole again, and the next
owner has to find everything that was acknowledged and bring it to an end; and somebody has to have been told.

`python -m tests.torture.diskfaults SUBJECT [SITE]`, a delivery by name or a history by seed, tries every fault there
again, or those at one site, and prints what was told, and how often, of each kind.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import random
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from omni_tui.engine import doing
from omni_tui.engine.clock import SystemClock
from omni_tui.errors import OmniError
from omni_tui.model.event import Event
from omni_tui.model.settings import Settings
from omni_tui.model.task import Status
from tests.torture.crashstates import differing, recover
from tests.torture.figure import Figure, again
from tests.torture.history import Facts, History
from tests.torture.scratch import scratch
from tests.torture.seam import Operation, hooked
from tests.torture.workers import WORKERS, spread
from tests.torture.world import SCENARIOS, World, broken_promises, dispatch, make_tree

ERRORS = (errno.ENOSPC, errno.EIO, errno.EMFILE, errno.EACCES, errno.EINTR)
ROOT = Path("fleet")
PATIENCE = 30.0
"""Seconds after which a dispatcher that has neither ended nor come to rest is taken to hang."""
AGAIN_SECONDS = 0.02
"""The pause before a claim is tried again whose disk failed, which is long in a real night."""
PERSEVERES = 1.0
"""Seconds for which a dispatcher may go on trying where its disk fails for ever."""
DELIVERIES, LONG_DELIVERIES = ("repaired",), ("repaired", "lands", "hopeless")
HISTORIES, LONG_HISTORIES = 4, 40
ACTS = 30
FEWEST_SITES = 300
"""A delivery and a history touch the tree at more places than that; fewer would say that the seam has a hole."""


class Fault(NamedTuple):
    """What fails: the operation of that number, by that errno, and where it is for ever, all that follow."""

    site: int
    error: int
    for_ever: bool

    def __str__(self) -> str:
        return f"{errno.errorcode[self.error]} {'from' if self.for_ever else 'at'} operation {self.site}"


class FaultyDisk:
    """Lets operations through but for the one, or those, of its fault."""

    def __init__(self, fault: Fault | None) -> None:
        self._fault = fault
        self.passed = 0
        self.failed = ""
        """The first operation that failed."""

    @property
    def for_ever(self) -> bool:
        """Whether it does not stop failing."""
        return self._fault is not None and self._fault.for_ever

    @property
    def words(self) -> str:
        """What the system says of the fault."""
        return os.strerror(self._fault.error) if self._fault else ""

    def around(self, operation: Operation, do: Callable[[], Any]) -> Any:  # noqa: ANN401 -- whatever the call gives
        """Do it, or fail; a write without space takes half first, as they do."""
        self.passed += 1
        fault = self._fault
        if fault is None or self.passed < fault.site or (self.passed > fault.site and not fault.for_ever):
            return do()
        self.failed = self.failed or str(operation)
        raise OSError(fault.error, os.strerror(fault.error), str(operation.path))


class Job(NamedTuple):
    """What one worker tries: the sites of a delivery (by name) or of a history (by seed) that are its share."""

    subject: str | int
    part: int
    parts: int


class Tally(NamedTuple):
    """What came of a job."""

    sites: int
    cases: int
    bad: list[str]
    told: Counter[str]


def fail_all(job: Job) -> Tally:
    """Try every fault at a job's sites."""
    doing.AGAIN_SECONDS = AGAIN_SECONDS
    logging.disable(logging.CRITICAL)  # the core's own log; what counts is what a person is told
    with scratch():
        sites = _play(job.subject, FaultyDisk(None)).sites
        share = range(1 + job.part, sites + 1, job.parts)
        cases, bad, told = 0, [], Counter[str]()
        for fault in (Fault(site, error, again) for site in share for error in ERRORS for again in (False, True)):
            outcome = _play(job.subject, FaultyDisk(fault))
            cases += 1
            told[outcome.told] += 1
            if outcome.wrong:
                words = f"{job.subject}, {fault} ({outcome.failed}): {'; '.join(outcome.wrong)}"
                bad.append(f"{words}; {again('diskfaults', job.subject, fault.site)}")
    return Tally(len(share), cases, bad, told)


class Outcome(NamedTuple):
    """What came of one fault."""

    sites: int
    failed: str
    wrong: list[str]
    told: str


def _play(subject: str | int, disk: FaultyDisk) -> Outcome:
    return _play_delivery(subject, disk) if isinstance(subject, str) else _play_history(subject, disk)


# -- a delivery ------------------------------------------------------------------------------------------------------


def _play_delivery(scenario: str, disk: FaultyDisk) -> Outcome:
    """Deliver with this disk, then with a whole one."""
    clock = SystemClock()
    world = World(SCENARIOS[scenario], clock)
    make_tree(ROOT, clock)
    heard: list[Event] = []
    patience = PERSEVERES if disk.for_ever else PATIENCE
    with hooked(disk.around):
        words = asyncio.run(_ending(dispatch(ROOT, world, clock, heard.append), patience))

    async def again() -> list[str]:
        world.revive()
        return await _ending(dispatch(ROOT, world, clock, heard.append), PATIENCE)

    healed = [word for word in asyncio.run(again()) if word]
    told = _how_told(disk, words, heard)
    wrong = [*healed, *_lost(world), *([] if told else ["nobody was told"])]
    shutil.rmtree(ROOT)
    return Outcome(disk.passed, disk.failed, wrong, told)


async def _ending(running: Any, patience: float) -> list[str]:  # noqa: ANN401 -- a coroutine
    """Return how a dispatcher ended, in words; an error that no user could read is a traceback here as well."""
    try:
        async with asyncio.timeout(patience):
            stopped: list[str] = await running
    except TimeoutError:
        return ["it hangs"]
    except (OmniError, OSError) as error:
        return [f"it ended with {type(error).__name__}: {error}"]
    return [words for words in stopped if words.startswith("stopped")]


def _how_told(disk: FaultyDisk, words: list[str], heard: list[Event]) -> str:
    """Return the way on which a person hears what the system said; empty: on none."""
    if not disk.failed:
        return "nothing failed"
    named = [event.event for event in heard if disk.words in str(event.data)]
    ended = [word.partition(":")[0] for word in words if disk.words in word]
    return next(iter(named + ended), "")


def _lost(world: World) -> list[str]:
    """Return what is lost or done twice.

    A fault may cost an attempt, or block the task with its reason beside it; nothing else.
    """
    broken = broken_promises(ROOT, world)
    if len(list(ROOT.glob("workspaces/app/runs/0001/[0-9]*"))) <= Settings().limits.attempts:
        broken = [words for words in broken if not words.startswith(("attempts", "started"))]
    blocked = ROOT / "workspaces/app/queue/blocked"
    if world.scenario.ends is Status.DONE and (blocked / "0001-survive.md").exists():
        excused = ("the task is in ['blocked']", "landed 0 times", "it was not pushed", "checkouts are left")
        broken = [words for words in broken if not words.startswith(excused)]
        broken += [] if any(path.read_text() for path in blocked.glob("*.note.md")) else ["blocked without a reason"]
    return broken


# -- the store -------------------------------------------------------------------------------------------------------


def _play_history(seed: int, disk: FaultyDisk) -> Outcome:
    """Have the store do a history with this disk, as far as it comes; then look, and recover, with a whole one."""
    facts: list[tuple[Facts, Facts]] = []
    told = "nothing failed"
    history = History(random.Random(seed), lambda before, after: facts.append((before, after)))
    with hooked(disk.around):
        try:
            history.play(ACTS)
        except (OmniError, OSError) as error:
            told = type(error).__name__
    history.let_go()
    before, after = facts[-1] if facts else ({}, {})
    wrong = differing(ROOT, before, after) + recover(ROOT)
    shutil.rmtree(ROOT, ignore_errors=True)
    return Outcome(disk.passed, disk.failed, wrong, told)


def run(long: bool) -> Figure:
    """Try every fault at every site of the deliveries and the histories."""
    started = time.monotonic()
    subjects = (*LONG_DELIVERIES, *range(LONG_HISTORIES)) if long else (*DELIVERIES, *range(HISTORIES))
    jobs = [Job(subject, part, WORKERS) for subject in subjects for part in range(WORKERS)]
    tallies = spread(fail_all, jobs)
    sites, cases = sum(tally.sites for tally in tallies), sum(tally.cases for tally in tallies)
    return Figure(
        what="each file operation failing, by each errno, once and for ever",
        done=cases,
        goal=max(sites, FEWEST_SITES) * len(ERRORS) * 2,
        bad=tuple(bad for tally in tallies for bad in tally.bad),
        seconds=time.monotonic() - started,
        note=f"{sites} sites x {len(ERRORS)} errors x once and for ever",
    )


def replay(subject: str, *site: str) -> Tally:
    """Try every fault of a subject again, or those at one site."""
    share = (int(site[0]) - 1, sys.maxsize) if site else (0, 1)
    return fail_all(Job(int(subject) if subject.isdigit() else subject, *share))


if __name__ == "__main__":
    counted = replay(*sys.argv[1:])
    sys.stdout.write("".join(f"{count:6} {words}\n" for words, count in counted.told.most_common()))
    sys.exit("\n".join(counted.bad) or None)
