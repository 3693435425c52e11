"""Nights whose tasks come from a source that fails now and then: each is taken once, ever, and told of in the end."""

from __future__ import annotations

import msgspec
import pytest

from omni_tui.model.settings import SchedulerSettings, Settings
from omni_tui.simulation.faults import ALL, Fault, FaultKind
from omni_tui.simulation.night import Night
from omni_tui.simulation.play import Played, play
from omni_tui.simulation.scenario import draw_night
from omni_tui.simulation.suffering import MOST_STEPS

SETTINGS = Settings(scheduler=SchedulerSettings(slots=3))


def calm(**changes: object) -> Night:
    night = Night(seed=1, settings=SETTINGS, hours=8, tasks=20, sourced=True)
    return msgspec.structs.replace(night, **changes)


def bad(seed: int) -> Night:
    night = draw_night(seed, SETTINGS, hours=8, tasks=16, faults=ALL)
    return msgspec.structs.replace(night, sourced=True)


def test_a_calm_night_takes_and_lands_everything_and_hardly_asks_once_it_is_quiet() -> None:
    played = play(calm())
    assert (played.landed, played.attempts) == (20, 20)
    assert played.violations == ()
    assert played.idle_share < 0.01
    assert played.wakeups.idle < 25  # at most once in half an hour, after the first few


@pytest.mark.parametrize("seed", range(1, 9))
def test_a_bad_night_takes_each_offer_once_and_tells_of_each_that_landed(seed: int) -> None:
    played = play(bad(seed))
    assert played.violations == ()
    assert played.landed_in_all + sum(played.reasons.values()) == 16


def test_the_same_seed_is_the_same_night() -> None:
    assert play(bad(3)) == play(bad(3))


def killed(steps: int) -> Played:
    """Play a night whose dispatcher is killed while it takes the first offers."""
    crash = Fault(0.0, FaultKind.CRASH, steps / MOST_STEPS)
    return play(calm(hours=1, tasks=2, simple=True, plan=(crash,)))


@pytest.mark.parametrize("steps", range(16, 60))
def test_killed_at_a_step_of_its_taking_it_makes_no_second_task(steps: int) -> None:
    played = killed(steps)
    assert played.violations == ()
    assert played.landed_in_all == 2


def test_that_this_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a look whether the task's file was made before the crash, some step makes it twice."""
    monkeypatch.setattr("omni_tui.engine.taking._task_of", lambda *_: None)
    found = [words for steps in range(26, 50) for words in killed(steps).violations]
    assert any("were made of remote#" in words for words in found)
