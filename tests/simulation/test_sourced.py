"""Nights whose tasks come from a source that fails now and then: each is taken once, ever, and told of in the end."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import msgspec
import pytest

from omni_tui.errors import SourceError
from omni_tui.model.settings import SchedulerSettings, Settings
from omni_tui.simulation.clock import EVENING
from omni_tui.simulation.faults import ALL, Fault, FaultKind
from omni_tui.simulation.night import Night, Sleeper
from omni_tui.simulation.play import ROOT, Played, _loop, _scratch, play
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


def asked(night: Night, failure: SourceError | None = None, wait_seconds: float = 0.0) -> list[float]:
    """Live through a night; return when its remote was asked until dawn, seconds after the beginning.

    It fails for the first two hours, where there is a failure.
    """

    async def live() -> list[float]:
        sleeper = Sleeper(night, ROOT)
        remote = sleeper.world.remote
        assert remote is not None
        remote.failure, remote.wait_seconds = failure, wait_seconds
        sleeper.world.loop.call_later(7200, setattr, remote, "failure", None)
        await sleeper.sleep()
        return [at - EVENING for at in remote.polls if at < EVENING + night.hours * 3600]

    with _scratch(), asyncio.Runner(loop_factory=_loop) as runner:
        return runner.run(live())


def gaps(times: list[float]) -> list[float]:
    return [later - earlier for earlier, later in pairwise(times)]


def test_a_quiet_remote_is_asked_less_and_less_and_never_less_than_the_most_allows() -> None:
    found = gaps(asked(calm(tasks=1, simple=True)))
    assert [round(gap / 60) for gap in found[-3:]] == pytest.approx([32, 32, 32], abs=2)
    assert all(60 <= gap <= 1800 * 1.1 + 10 for gap in found)
    assert len(found) < 22  # of an idle night of eight hours
    assert len({round(gap, 1) for gap in found[-5:]}) > 1  # chance comes on top


def test_a_remote_that_asks_for_more_time_gets_it() -> None:
    assert min(gaps(asked(calm(tasks=1, simple=True), wait_seconds=2400.0))) >= 2400


def test_a_remote_that_fails_is_left_alone_as_long_as_it_says() -> None:
    times = asked(calm(tasks=3, simple=True), SourceError("too many requests", retry_after=3000.0))
    failing = [at for at in times if at < 7200]
    assert len(failing) <= 3
    assert min(gaps([*failing, times[len(failing)]])) >= 3000


def test_a_remote_that_only_a_person_can_mend_is_asked_once() -> None:
    assert len(asked(calm(tasks=1, simple=True), SourceError("no token", fix="make one", person=True))) == 1
