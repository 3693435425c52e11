"""Nights in which the models' service fails: nobody is sent in vain, and the oracle would see it."""

from __future__ import annotations

import msgspec
import pytest

from omni_tui.engine.mending import Mending
from omni_tui.model.course import Parked
from omni_tui.model.settings import LimitSettings, NightSettings, SchedulerSettings, Settings
from omni_tui.policy import decisions as policy
from omni_tui.simulation.conduct import Conduct
from omni_tui.simulation.faults import Fault, FaultKind
from omni_tui.simulation.night import Night
from omni_tui.simulation.play import Played, play
from omni_tui.simulation.scenario import PROVIDER, draw_night

SETTINGS = Settings(scheduler=SchedulerSettings(slots=3), limits=LimitSettings(attempts=1))
TROUBLE = (
    Fault(1200, FaultKind.QUOTA, 0.4),
    Fault(5400, FaultKind.LOGIN, 0.3),
    Fault(9000, FaultKind.OUTAGE, 0.9),
)
"""429 for 42 minutes, 401 until a person saves the provider's file again 25 minutes later, no server for two hours."""


def night(**changes: object) -> Night:
    """Return a night with trouble, in which a task has one attempt."""
    given = {
        "seed": 1,
        "settings": SETTINGS,
        "hours": 6,
        "tasks": 40,
        "simple": True,
        "plan": TROUBLE,
        "providers": {"main": PROVIDER.format(slots=3)},
    }
    return msgspec.convert(given | changes, Night)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("preflight", [True, False])
def test_trouble_of_the_service_costs_no_attempt(seed: int, preflight: bool) -> None:
    file = PROVIDER.format(slots=3) + ("" if preflight else "preflight = false\n")
    played = play(night(seed=seed, providers={"main": file}))
    assert played.violations == ()
    assert (played.landed_in_all, played.blocked) == (40, 0)
    assert {"quota", "login", "outage"} <= played.faults.keys()
    assert played.outcomes.keys() <= {"landed", "limited:rate_limit", "harness:auth", "harness:server"}
    assert played.attempts <= 40 + 3 * 3 + (0 if preflight else 15), "what ran when trouble began, and who tried alone"


def test_without_a_provider_file_the_harness_is_one_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three agents with the same login, one limit; a person's thaw mends the login."""
    played = play(night(providers={}))
    assert played.violations == ()
    assert (played.landed_in_all, played.blocked) == (40, 0)


def test_one_task_that_the_server_fails_each_time_is_blocked() -> None:
    given = {("0007", attempt): Conduct.SERVER for attempt in range(1, 20)}
    played = play(night(plan=(), given=given))
    assert played.violations == ()
    assert (played.landed, played.blocked) == (39, 1)
    assert played.outcomes["harness:server"] <= 4
    assert "its provider serves others" in next(iter(played.reasons))


def test_the_same_trouble_is_the_same_night() -> None:
    drawn = draw_night(5, SETTINGS, hours=6, tasks=20, faults=frozenset({"quota", "login", "outage", "crash"}))
    first, second = play(drawn), play(drawn)
    assert first == second
    assert first.violations == ()


def in_vain(played: Played) -> bool:
    return any(
        words.startswith("3: ") and ("in vain" in words or "to ask a server" in words) for words in played.violations
    )


def test_the_oracle_sees_who_is_sent_in_spite_of_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "parked_by", lambda *_: None)
    monkeypatch.setattr(policy, "parked_by_preflight", lambda *_: Parked(reason="", at=0, until=0))
    patient = Settings(scheduler=SchedulerSettings(slots=3), night=NightSettings(failures=0, restarts=0))
    assert in_vain(play(night(settings=patient)))


def test_the_oracle_sees_who_is_sent_in_spite_of_a_refused_login(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if any moment were one at which the login may have been mended."""

    def notice(mending: Mending) -> None:
        services = mending._services
        parked = services.course.course.parked
        held = {name: msgspec.structs.replace(each, until=each.at + 300) for name, each in parked.items()}
        services.course.course = msgspec.structs.replace(services.course.course, parked=held, stopped="")

    monkeypatch.setattr(Mending, "notice", notice)
    assert in_vain(play(night(plan=TROUBLE[1:2])))
