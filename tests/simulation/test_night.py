"""Simulated nights: the same each time, every kind of fault survived, and the first night as it should have been."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from typing import Any

import msgspec
import pytest

from omni_tui.engine.services import Services
from omni_tui.model.settings import LimitSettings, SchedulerSettings, Settings
from omni_tui.simulation.conduct import SHARES, Conduct
from omni_tui.simulation.faults import ALL, Fault, FaultKind
from omni_tui.simulation.night import Night
from omni_tui.simulation.play import play
from omni_tui.simulation.scenario import draw_night, first_night

COUNTED = {FaultKind.ENOSPC: "ENOSPC", FaultKind.EIO: "EIO"}
"""As what a fault is counted, where that is not its own name."""


def settings(slots: int = 3) -> Settings:
    return Settings(scheduler=SchedulerSettings(slots=slots))


def short(**changes: object) -> Night:
    """Return a night of two and a half hours with ten tasks, unless `changes` say something else."""
    return msgspec.convert(
        {"seed": 1, "settings": settings(), "hours": 2.5, "tasks": 10, "simple": True} | changes, Night
    )


def test_a_calm_night_lands_everything_and_wakes_for_nothing() -> None:
    played = play(Night(seed=1, settings=settings(), hours=8, tasks=20))
    assert (played.landed, played.attempts, played.outcomes) == (20, 20, {"landed": 20})
    assert played.violations == ()
    assert played.wakeups.total > 100
    assert played.wakeups.idle_share < 0.01


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_providers_of_one_account_serve_a_bad_night(seed: int) -> None:
    """Two slots in all for three of the fleet's, one account that is limited and refused now and then."""
    served = 'harness = "simulated"\naccount = "one"\nslots = 1\npreflight = false\n'
    night = draw_night(seed, settings(), hours=8, tasks=12, faults=ALL)
    played = play(msgspec.structs.replace(night, providers={"first": served + "priority = 1\n", "second": served}))
    assert played.violations == ()
    assert played.landed > 8


def test_the_same_seed_is_the_same_night() -> None:
    night = draw_night(3, settings(), hours=8, tasks=20, faults=ALL)
    first, second = play(night), play(night)
    assert first == second
    assert first.faults


def test_another_seed_is_another_night() -> None:
    nights = [draw_night(seed, settings(), hours=2, tasks=6, faults=ALL) for seed in (1, 2)]
    one, other = map(play, nights)
    assert one.digest != other.digest


def test_the_same_seed_is_the_same_night_in_another_process() -> None:
    """The order of a set of strings differs from process to process; nothing may hang on it."""
    program = "from tests.simulation.test_night import digest_of; print(digest_of(5))"
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert digests == {f"{digest_of(5)}\n"}


def digest_of(seed: int) -> str:
    return play(draw_night(seed, settings(), hours=8, tasks=20, faults=ALL)).digest


@pytest.mark.parametrize("kind", FaultKind)
def test_every_fault_of_the_world_happens_and_is_survived(kind: FaultKind) -> None:
    faults = [Fault(at * 60, kind, amount) for at, amount in ((12, 0.2), (40, 0.6), (70, 0.9), (100, 0.4))]
    played = play(short(plan=faults))
    assert played.violations == ()
    assert played.faults.get(COUNTED.get(kind, kind), 0) > 0
    assert played.landed_in_all + sum(played.reasons.values()) == played.tasks
    assert played.doubled == 0


@pytest.mark.parametrize("conduct", SHARES)
def test_every_misbehaviour_of_agents_happens_and_is_survived(conduct: Conduct) -> None:
    given = {(f"{number:04d}", 1): conduct for number in (1, 2, 5)}
    played = play(Night(seed=1, settings=settings(), hours=2.5, tasks=10, given=given, simple=True))
    assert played.violations == ()
    assert played.faults.keys() == {conduct}
    assert played.faults[conduct] == 3 or conduct is Conduct.AUTH  # after a 401 nobody else is sent
    assert played.landed_in_all + sum(played.reasons.values()) == played.tasks
    assert (played.stalls, played.doubled) == (played.healed, 0)


def test_running_agents_are_adopted_by_the_next_dispatcher() -> None:
    played = play(short(plan=[Fault(600 + 240 * number, FaultKind.CRASH, number / 10) for number in range(10)]))
    assert played.restarts == played.faults["crash"] > 5
    assert played.outcomes == {"landed": 10}
    assert played.attempts == 10


def test_a_decision_that_fails_blocks_its_task_and_is_not_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recorded as the decision's result it was raised again at every start, and ended every dispatcher."""
    record = Services.record
    refused: list[str] = []

    def recorded(services: Services, event: str, *words: Any, **data: Any) -> None:  # noqa: ANN401
        if event == "attempt.failed" and not refused:
            refused.append(event)
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        record(services, event, *words, **data)

    monkeypatch.setattr(Services, "record", recorded)
    played = play(short(given={("0001", 1): Conduct.UNCOMMITTED}))
    assert refused
    assert (played.landed, played.blocked, played.restarts) == (9, 1, 0)
    assert played.violations == ()


def test_the_first_night_as_it_should_have_been() -> None:
    played = play(first_night())
    assert (played.hours, played.tasks, played.restarts) == (7.5, 54, 1)
    assert (played.faults["stall"], played.faults["hang"], played.faults["crash"]) == (8, 1, 1)
    assert played.doubled == 0
    assert played.wakeups.idle_share < 0.01
    assert played.healed == played.stalls == 9
    assert "lost" not in played.outcomes
    assert played.landed == 54
    assert played.violations == ()
    (_, killed, why), _ = played.lives
    running = [stint for stint in played.stints if stint.began < killed < stint.ended]
    assert why.startswith("killed")
    assert len(running) == 3
    assert all(stint.outcome for stint in running)


def test_the_limits_of_the_settings_are_those_of_the_night() -> None:
    hasty = Settings(scheduler=SchedulerSettings(slots=2), limits=LimitSettings(wall_minutes=3, attempts=2))
    played = play(Night(seed=1, settings=hasty, hours=2, tasks=4))
    assert played.outcomes == {"overtime": 8}
    assert played.blocked == 4
    assert played.violations == ()


def test_a_stop_condition_ends_the_night_and_a_person_goes_on_in_the_morning() -> None:
    given = {(f"{number:04d}", attempt): Conduct.UNCOMMITTED for number in range(1, 11) for attempt in (1, 2, 3)}
    played = play(Night(seed=1, settings=settings(), hours=4, tasks=20, given=given, simple=True))
    assert played.stopped
    assert played.waiting > 0
    assert played.landed_in_all >= 10
    assert played.violations == ()
