"""The course of a run: what events add up to, and what follows from them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from omni_tui.model.course import Course, Parked
from omni_tui.model.event import Event
from omni_tui.model.settings import NightSettings
from omni_tui.policy.breaker import LIMIT_SECONDS, LONGEST_SECONDS, SLACK_SECONDS, SPREAD, parked_by, pause, spread
from omni_tui.policy.course import NIGHT_SECONDS, fold, pauses
from omni_tui.policy.decisions import decide

T = 1_000_000.0
SETTINGS = NightSettings()


def event(name: str, task: str = "", attempt: int = 0, *, at: float = T, **data: Any) -> Event:  # noqa: ANN401 - any
    return Event(time=at, event=name, workspace="app", task=task, attempt=attempt, data=data)


def failed(task: str, kind: str = "check", *, at: float = T, attempt: int = 1, **data: Any) -> Event:  # noqa: ANN401
    return event("attempt.failed", task, attempt, at=at, kind=kind, **data)


def run(*events: Event, settings: NightSettings = SETTINGS) -> tuple[Course, list[Event]]:
    """Fold events and all that follows from them, as the engine does; return the course and the decisions."""
    course, decisions = Course(), []
    for each in events:
        before, course = course, fold(course, each)
        for decided in decide(before, course, each, settings):
            entry = Event(time=each.time, event=decided.event, workspace=decided.workspace, data=decided.data)
            decisions.append(entry)
            course = fold(course, entry)
    return course, decisions


def started(task: str, attempt: int = 1, *, at: float = T, provider: str = "claude") -> Event:
    return event("attempt.started", task, attempt, at=at, provider=provider)


# -- stopping ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kinds", "stopped"),
    [
        pytest.param(["check"] * 10, True, id="ten in a row"),
        pytest.param(["check"] * 9, False, id="nine"),
        pytest.param(["lost"] * 20, False, id="lost with their machine"),
        pytest.param(["killed"] * 20, False, id="killed by a person"),
        pytest.param(["limited:rate_limit"] * 20, False, id="their provider's limit"),
        pytest.param(["base"] * 20, False, id="the release branch was broken before"),
        pytest.param(["gate:no_commit", "stalled"] * 5, True, id="of any kind"),
    ],
)
def test_failures_in_a_row(kinds: list[str], stopped: bool) -> None:
    course, _ = run(*(failed(f"t{number}", kind) for number, kind in enumerate(kinds)))
    assert bool(course.stopped) is stopped


def test_a_landing_ends_the_row() -> None:
    row = [failed(f"t{number}") for number in range(9)]
    course, _ = run(*row, event("task.landed", "t9"), *row)
    assert not course.stopped
    assert course.failures == 9


def test_a_row_is_any_number_where_that_is_configured() -> None:
    course, _ = run(*(failed(f"t{number}") for number in range(50)), settings=NightSettings(failures=0))
    assert not course.stopped


@pytest.mark.parametrize(
    ("count", "seconds", "stopped"),
    [
        pytest.param(21, 60.0, True, id="a storm"),
        pytest.param(20, 60.0, False, id="just none"),
        pytest.param(40, 100.0, False, id="as many over a longer time"),
    ],
)
def test_restart_storm(count: int, seconds: float, stopped: bool) -> None:
    course, _ = run(*(started(f"t{number}", 2, at=T + number * seconds) for number in range(count)))
    assert ("storm" in course.stopped) is stopped


def test_first_attempts_are_no_restarts() -> None:
    course, _ = run(*(started(f"t{number}") for number in range(100)))
    assert not course.stopped


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (NightSettings(usd=2.0), "2.00 of 2 US dollars"),
        (NightSettings(tokens=2000), "2,000 of 2,000 tokens"),
        (NightSettings(usd=2.01, tokens=2001), ""),
    ],
)
def test_budget_of_the_night(settings: NightSettings, words: str) -> None:
    spent = [event("attempt.usage", f"t{number}", 1, tokens=500, usd=0.5) for number in range(4)]
    course, decisions = run(*spent, settings=settings)
    assert words in course.stopped
    assert len(decisions) == bool(words)


def test_an_attempt_that_says_twice_what_it_has_used_counts_once() -> None:
    told = [event("attempt.usage", "t1", 1, usd=4.0), event("attempt.usage", "t1", 1, usd=6.0)]
    assert not run(*told, settings=NightSettings(usd=10))[0].stopped
    assert run(*told, event("attempt.usage", "t1", 2, usd=4.0), settings=NightSettings(usd=10))[0].stopped


def test_what_was_spent_the_night_before_does_not_count() -> None:
    before = event("attempt.usage", "t1", 1, usd=5.0)
    after = event("attempt.usage", "t2", 1, at=T + NIGHT_SECONDS + 1, usd=5.0)
    assert not run(before, after, settings=NightSettings(usd=10))[0].stopped


@pytest.mark.parametrize(("choice", "stopped"), [("stop", True), ("tell", False)])
def test_default_branch_that_moved(choice: Any, stopped: bool) -> None:  # noqa: ANN401 - a literal
    course, _ = run(event("base.moved", reason="main moved"), settings=NightSettings(base_moved=choice))
    assert bool(course.stopped) is stopped


def test_a_run_is_stopped_once_and_a_thaw_begins_every_count_again() -> None:
    row = [failed(f"t{number}") for number in range(12)]
    course, decisions = run(*row)
    assert [each.event for each in decisions] == ["fleet.stopped"]
    assert fold(course, event("fleet.thawed")) == Course()


# -- providers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cause", "until", "expected"),
    [
        ("harness:auth", None, None),
        ("harness:billing", None, None),
        ("limited:rate_limit", T + 900, T + 900 + SLACK_SECONDS),
        ("limited:rate_limit", T - 900, T + pause(LIMIT_SECONDS, 1, "claude")),
        ("limited:rate_limit", None, T + pause(LIMIT_SECONDS, 1, "claude")),
        ("harness:server", None, T + pause(30.0, 1, "claude")),
    ],
)
def test_what_parks_a_provider(cause: str, until: float | None, expected: float | None) -> None:
    course, decisions = run(started("t1"), failed("t1", cause, until=until))
    assert [each.event for each in decisions] == ["provider.parked"]
    assert course.parked["claude"].until == expected


@pytest.mark.parametrize("cause", ["check", "stalled", "gate:no_commit", "lost", "harness:other"])
def test_what_says_nothing_of_the_provider(cause: str) -> None:
    assert run(started("t1"), failed("t1", cause))[0].parked == {}


def test_a_limit_parks_at_the_signal_while_the_attempt_waits() -> None:
    course, _ = run(started("t1"), event("attempt.signal", "t1", 1, health="limited", until=T + 600))
    assert course.parked["claude"].until == T + 600 + SLACK_SECONDS


def test_attempts_that_meet_the_same_limit_park_once() -> None:
    course, decisions = run(
        started("t1"),
        started("t2"),
        failed("t1", "limited:rate_limit", until=T + 600),
        failed("t2", "limited:rate_limit", until=T + 600),
        failed("t3", "limited:rate_limit", provider="claude"),
    )
    assert len(decisions) == 1
    assert course.parked["claude"].row == 1


def test_a_pause_grows_where_the_provider_still_does_not_serve() -> None:
    first = parked_by("harness:server", None, "claude", None, T)
    assert first is not None
    assert first.until is not None
    second = parked_by("harness:server", None, "claude", first, first.until)
    assert second is not None
    assert second.until is not None
    assert second.until - second.at > 1.5 * (first.until - first.at)


@pytest.mark.parametrize(
    "proof",
    [
        event("attempt.signal", "t2", 1, at=T + 700, health="tool"),
        event("attempt.judged", "t2", 1, at=T + 700, grade="A"),
    ],
    ids=["a tool was called", "it came to its end"],
)
def test_one_served_attempt_opens_it_again(proof: Event) -> None:
    limited = failed("t1", "limited:rate_limit", until=T + 600)
    course, _ = run(started("t1"), limited, started("t2", at=T + 650))
    assert "claude" in course.parked
    events = started("t1"), limited, started("t2", at=T + 650)
    assert "claude" in run(*events, event("attempt.signal", "t2", 1, at=T + 660, health="thinking"))[0].parked
    early = msgspec.structs.replace(proof, time=T + 500)
    if proof.event == "attempt.signal":
        assert "claude" in run(*events[:2], started("t2", at=T), early)[0].parked
    assert run(*events, proof)[0].parked == {}


def test_only_a_person_mends_a_login() -> None:
    course, _ = run(started("t1"), failed("t1", "harness:auth"), started("t2"), event("attempt.judged", "t2", 1))
    assert course.parked["claude"].until is None
    assert fold(course, event("fleet.thawed")).parked == {}


def test_a_thaw_ends_no_limit() -> None:
    course = Course(parked={"claude": Parked(reason="limit", at=T, until=T + 60)})
    assert fold(course, event("fleet.thawed")).parked == course.parked


def test_pauses_double_up_to_an_hour_and_are_spread() -> None:
    grown = [pause(60.0, row, "claude") for row in range(1, 10)]
    assert all(60.0 * 2 ** (row - 1) <= each for row, each in enumerate(grown[:6], 1))
    assert max(grown) <= LONGEST_SECONDS * (1 + SPREAD)
    spreads = {spread(100.0, f"task {number}") for number in range(50)}
    assert len(spreads) > 40
    assert all(100.0 <= each <= 125.0 for each in spreads)


# -- common causes -----------------------------------------------------------------------------------------------------

TEST = ("test tests/test_cart.py::test_total",)


def test_three_tasks_with_the_same_sign_have_one_cause() -> None:
    course, decisions = run(*(failed(f"t{number}", signs=TEST) for number in range(3)))
    assert [(each.event, each.data["sign"]) for each in decisions] == [("cause.found", TEST[0])]
    assert course.causes[0].tasks == ("t0", "t1", "t2")


def test_signs_that_the_same_tasks_share_are_one_pause() -> None:
    signs = (*TEST, "missing total")
    course, decisions = run(*(failed(f"t{number}", signs=signs) for number in (0, 1, 2, 0)))
    assert [each.data["sign"] for each in decisions] == list(signs), "each is what other tasks may show"
    assert pauses(course) == (f"app: {TEST[0]}, missing total failed in t0, t1, t2",)


@pytest.mark.parametrize(
    "events",
    [
        pytest.param([failed("t1", signs=TEST)] * 5, id="the same task again"),
        pytest.param([failed("t1", signs=TEST), failed("t2", signs=TEST)], id="two"),
        pytest.param([failed(f"t{number}", signs=TEST, at=T + number * 3600) for number in range(4)], id="hours apart"),
        pytest.param([failed(f"t{number}", signs=(f"test {number}",)) for number in range(9)], id="other signs"),
        pytest.param(
            [msgspec.structs.replace(failed("t1", signs=TEST), workspace=name) for name in "abc"], id="other workspaces"
        ),
    ],
)
def test_what_is_no_common_cause(events: list[Event]) -> None:
    assert run(*events, settings=NightSettings(failures=0))[0].causes == ()


def test_a_cause_grows_with_its_tasks_and_ends_with_a_landing() -> None:
    course, _ = run(*(failed(f"t{number}", signs=TEST) for number in range(4)))
    assert [cause.tasks for cause in course.causes] == [("t0", "t1", "t2", "t3")]
    assert fold(course, event("task.landed", "other")).causes == course.causes
    landed = fold(course, event("task.landed", "t1"))
    assert landed.causes == ()
    assert {each.task for each in landed.sightings} == {"t0", "t2", "t3"}


def test_a_broken_workspace_is_remembered() -> None:
    course, _ = run(event("workspace.broken", reason="its check fails"))
    assert course.broken == {"app": "its check fails"}
