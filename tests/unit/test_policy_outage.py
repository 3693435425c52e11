"""Outages: who is to blame for failures of the model's server, what that costs, and how a provider comes back."""

from __future__ import annotations

from typing import Any

import pytest

from omni_tui.model.course import Course, Parked
from omni_tui.model.event import Event
from omni_tui.model.failure import Failure, FailureKind, Move, MoveKind
from omni_tui.model.settings import LimitSettings
from omni_tui.model.task import Task
from omni_tui.policy.breaker import parked_by_preflight
from omni_tui.policy.course import fold
from omni_tui.policy.outage import blamed
from omni_tui.policy.retry import OUTAGES_IN_A_ROW, decide
from tests.unit.test_policy_course import T, event, failed, run, started

SERVER = "harness:server"
PROVED: dict[str, Any] = {"provider": "claude", "passed": True}


def fails(*tasks: str, provider: str = "claude") -> list[Event]:
    """Return a failure of the server for each of the tasks."""
    found = [[started(task, provider=provider), failed(task, SERVER)] for task in tasks]
    return [each for pair in found for each in pair]


def serves(task: str, provider: str = "claude") -> list[Event]:
    return [started(task, 9, provider=provider), event("attempt.judged", task, 9, grade="A")]


@pytest.mark.parametrize(
    ("events", "own"),
    [
        pytest.param(fails("a"), 0, id="once says nothing"),
        pytest.param(fails("a", "a", "a"), 0, id="nobody else has asked meanwhile"),
        pytest.param([*fails("a"), *serves("b"), *fails("a")], 1, id="it served another"),
        pytest.param([*fails("a"), event("provider.checked", **PROVED), *fails("a")], 1, id="it passed a preflight"),
        pytest.param([*fails("a"), *serves("b"), *fails("b", "a")], 0, id="it failed another as well"),
        pytest.param(
            [
                *fails("a"),
                event("provider.checked", provider="claude", passed=False, kind=SERVER),
                *serves("b"),
                *fails("a"),
            ],
            0,
            id="it failed a preflight",
        ),
        pytest.param([*fails("a"), *serves("b", "other"), *fails("a")], 0, id="another provider served"),
        pytest.param([*fails("a"), *serves("a"), *fails("a")], 0, id="it served the task itself"),
        pytest.param([*fails("a"), *serves("b"), *fails("a"), *serves("b"), *fails("a")], 2, id="time and again"),
        pytest.param([*fails("a"), *serves("b"), *fails("a"), event("task.landed", "a")], 0, id="it got through"),
        pytest.param([*fails("a"), *serves("b"), *fails("a"), event("fleet.thawed")], 0, id="a person has looked"),
    ],
)
def test_whose_doing_it_is(events: list[Event], own: int) -> None:
    course, _ = run(*events)
    assert blamed(course, "app/a") == own


def test_a_task_s_own_failures_do_not_park_its_provider() -> None:
    _, decisions = run(*fails("a"), event("provider.checked", **PROVED), *serves("b"), *fails("a"))
    assert [each.event for each in decisions] == ["provider.parked", "provider.resumed"]


def test_failures_of_a_provider_do_not_stop_the_run() -> None:
    course, _ = run(*fails(*(f"t{number}" for number in range(20))), failed("x", "harness:auth"))
    assert (course.failures, course.stopped) == (0, "")


@pytest.mark.parametrize(
    ("count", "own", "blocked"),
    [(1, 0, False), (10, 0, False), (OUTAGES_IN_A_ROW, 0, True), (3, 2, False), (4, 3, True)],
)
def test_what_an_outage_costs(count: int, own: int, blocked: bool) -> None:
    """Nothing, as long as it is nobody else's doing; with three attempts a task fails alone three times."""
    found = [Failure(kind=FailureKind.HARNESS, detail="server", message="500")] * count
    again = Move(kind=MoveKind.RETRY, reason="again", delay=60.0)
    move = decide(Task(workspace="app", id="a", title="A"), found, again, LimitSettings(attempts=3), T, own)
    assert (move.kind is MoveKind.BLOCK) == blocked
    if not blocked:
        assert (move.delay > 0) == bool(own), "its provider's pause is the pause"


def test_a_limit_that_is_told_counts_though_its_provider_is_parked_already() -> None:
    """The longer of two troubles holds: a nightly simulation had shown who asked in between."""
    limit = started("b"), failed("b", "limited:rate_limit", at=T + 5, until=T + 2000)
    course, _ = run(*fails("a"), *limit)
    assert course.parked["claude"].until == T + 2005
    assert not course.parked["claude"].alone


def test_a_mended_provider_is_half_open_and_the_run_goes_on() -> None:
    parked = Parked(reason="it does not accept our login", at=T, premise="abcd")
    course = Course(parked={"claude": parked}, stopped="no provider serves", unserved=True)
    changed = fold(course, event("provider.changed", at=T + 9, provider="claude"))
    assert (changed.parked["claude"].until, changed.stopped, changed.unserved) == (T + 9, "", False)
    other = fold(course, event("config.taken", file="providers/"))
    assert (other.stopped, other.parked) == ("", {"claude": parked})
    by_rules = Course(stopped="10 attempts failed in a row")
    assert fold(by_rules, event("config.taken", file="providers/")).stopped


def test_a_check_that_passes_ends_all_but_a_spent_budget() -> None:
    refused = [event("attempt.failed", "a", 1, kind="harness:auth"), event("provider.checked", **PROVED)]
    assert run(started("a"), *refused)[0].parked == {}
    spent = [event("attempt.failed", "a", 1, kind="budget:provider", message="used up")]
    assert "claude" in run(started("a"), *spent, event("provider.checked", **PROVED))[0].parked


def test_a_check_that_fails_for_another_reason_says_so() -> None:
    check = event("provider.checked", provider="claude", passed=False, kind="launch", message="no such program")
    course, _ = run(started("a"), failed("a", "harness:auth"), failed("b", "harness:billing"), check)
    assert course.parked["claude"].reason == "its preflight failed: no such program"


@pytest.mark.parametrize(("cause", "for_good"), [("launch", True), ("fault", False), ("handover", False)])
def test_what_a_preflight_s_failure_means(cause: str, for_good: bool) -> None:
    row = None
    for _ in range(3):
        row = parked_by_preflight(cause, "words", None, "claude", row, T)
    assert row is not None
    assert (row.until is None) == for_good


def test_the_machine_s_own_trouble_never_parks_a_provider_for_good() -> None:
    row = None
    for _ in range(30):
        row = parked_by_preflight("fault", "no space left", None, "claude", row, T)
        assert row.until is not None
