"""Simulated nights: the real core lives through seeded nights of crashes, full disks and agents that misbehave.

Each night is lived through twice, and has to be the same to the byte. What was violated is told with the command that
plays the night again.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import NamedTuple

import msgspec

from omni_tui.model.settings import SchedulerSettings, Settings
from omni_tui.simulation.conduct import SHARES
from omni_tui.simulation.faults import ALL, FaultKind
from omni_tui.simulation.night import Night
from omni_tui.simulation.play import play
from omni_tui.simulation.scenario import draw_night
from tests.torture.figure import Figure
from tests.torture.workers import WORKERS, spread

GOAL = 500
LONG = 20_000
HOURS = 8.0
MOST_SLOTS = 4
TASKS_PER_SLOT = 4
"""Some hours of work, with time left for what goes wrong."""
BATCH = 10

EXPECTED = {*map(str, FaultKind), *map(str, SHARES)} - {"enospc", "eio"} | {"ENOSPC", "EIO"}
"""What has to have happened in some night, as it is counted."""


class Batch(NamedTuple):
    """The nights of some seeds in a row."""

    first: int
    nights: int


class Lived(msgspec.Struct):
    """What came of a batch."""

    nights: int = 0
    bad: list[str] = msgspec.field(default_factory=list)
    faults: Counter[str] = msgspec.field(default_factory=Counter)
    landed: int = 0
    attempts: int = 0


def night_of(seed: int) -> Night:
    """Return the night of a seed."""
    slots = 1 + seed % MOST_SLOTS
    settings = Settings(scheduler=SchedulerSettings(slots=slots))
    return draw_night(seed, settings, hours=HOURS, tasks=slots * TASKS_PER_SLOT, faults=ALL)


def replay(seed: int) -> str:
    """Return the command that plays the night of a seed again, outside a fleet."""
    night = night_of(seed)
    slots = night.settings.scheduler.slots
    return f"omni-tui simulate --seed {seed} --hours {HOURS:g} --agents {slots} --tasks {night.tasks} --faults all"


def live(batch: Batch) -> Lived:
    """Live through each night of a batch, twice."""
    lived = Lived()
    for seed in range(batch.first, batch.first + batch.nights):
        night = night_of(seed)
        played, again = play(night), play(night)
        lived.nights += 1
        lived.faults.update(played.faults)
        lived.landed += played.landed_in_all
        lived.attempts += played.attempts
        lived.bad += [f"{violation}; {replay(seed)}" for violation in played.violations]
        if played.digest != again.digest:
            lived.bad.append(f"two runs of one night differ; {replay(seed)}")
    return lived


def run(long: bool) -> Figure:
    """Live through the nights."""
    started = time.monotonic()
    nights = LONG if long else GOAL
    batches = spread(live, [Batch(first, BATCH) for first in range(1, nights + 1, BATCH)])
    faults: Counter[str] = Counter()
    for lived in batches:
        faults.update(lived.faults)
    bad = [words for lived in batches for words in lived.bad]
    bad += [f"in no night there was: {kind}" for kind in sorted(EXPECTED - faults.keys())]
    landed, attempts = sum(lived.landed for lived in batches), sum(lived.attempts for lived in batches)
    return Figure(
        what=f"simulated nights of {HOURS:g} h, each lived through twice and the same to the byte",
        done=sum(lived.nights for lived in batches),
        goal=GOAL,
        bad=tuple(bad),
        seconds=time.monotonic() - started,
        note=f"{attempts:,} attempts, {landed:,} landed, {len(faults)} kinds of faults, {WORKERS} workers",
    )
