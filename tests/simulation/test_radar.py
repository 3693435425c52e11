"""Nights in which every agent changes the same file: real conflicts, each resolved by whose turn it is."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest

from omni_tui.model.settings import LimitSettings, SchedulerSettings, Settings
from omni_tui.simulation.conduct import Conduct
from omni_tui.simulation.faults import Fault, FaultKind
from omni_tui.simulation.night import Night
from omni_tui.simulation.play import play

TASKS, SLOTS = 12, 4
ATTEMPTS = 9
"""More than a task has."""


def crowded(seed: int, **changes: object) -> Night:
    """Return a night in which all attempts meet, and no task may have a second one of its own."""
    settings = Settings(scheduler=SchedulerSettings(slots=SLOTS), limits=LimitSettings(attempts=1, repairs=0))
    tasks, attempts = range(1, TASKS + 1), range(1, ATTEMPTS + 1)
    given = {(f"{number:04d}", attempt): Conduct.CONFLICT for number in tasks for attempt in attempts}
    night = Night(seed=seed, settings=settings, hours=6, tasks=TASKS, given=given, simple=True)
    return msgspec.structs.replace(night, **changes)


@pytest.mark.parametrize("seed", range(1, 17))
def test_all_land_and_nobody_is_overtaken_twice(seed: int) -> None:
    played = play(crowded(seed))
    assert played.violations == ()
    assert (played.landed, played.blocked) == (TASKS, 0)
    assert set(played.outcomes) == {"landed", "overtaken"}
    overtaken = Counter(stint.task for stint in played.stints if stint.outcome == "overtaken")
    assert set(overtaken.values()) == {1}


@pytest.mark.parametrize("seed", range(1, 4))
def test_so_it_is_where_the_orchestrator_dies_now_and_then(seed: int) -> None:
    crashes = tuple(Fault(600.0 * number, FaultKind.CRASH, 0.2) for number in range(1, 12))
    played = play(crowded(seed, plan=crashes))
    assert played.violations == ()
    assert (played.landed, played.blocked) == (TASKS, 0)
    assert played.restarts > 3


def test_one_after_another_nothing_meets() -> None:
    night = crowded(1)
    scheduler = msgspec.structs.replace(night.settings.scheduler, slots=1)
    played = play(msgspec.structs.replace(night, settings=msgspec.structs.replace(night.settings, scheduler=scheduler)))
    assert played.outcomes == {"landed": TASKS}


def test_a_crowded_night_is_the_same_each_time() -> None:
    assert play(crowded(3)) == play(crowded(3))
