"""The judgement of a preflight, and what follows from it for the provider."""

from __future__ import annotations

from typing import Any

import pytest

from omni_tui.model.course import Course
from omni_tui.model.event import Event
from omni_tui.model.failure import Failure
from omni_tui.model.provider import Provider
from omni_tui.model.settings import NightSettings
from omni_tui.model.signal import Health
from omni_tui.policy.breaker import PREFLIGHT_SECONDS, Breaker, pause, state_of
from omni_tui.policy.course import fold
from omni_tui.policy.decisions import decide
from omni_tui.policy.preflight import SECONDS, SETTLE_SECONDS, Proved, judge
from omni_tui.policy.supervision import Wait
from omni_tui.policy.vitals import Moment, Vitals

T = 1_000_000.0


def said(found: object) -> str:
    match found:
        case Proved():
            return "proved"
        case Wait(until):
            return f"wait {until:g}"
        case Failure():
            return f"{found.cause}: {found.message}"
    raise AssertionError(found)


@pytest.mark.parametrize(
    ("given", "at", "asks", "own"),
    [
        pytest.param({}, 1, "wait 20", "wait 20", id="started"),
        pytest.param({}, SECONDS, "handover: it did not signal", "handover: it did not signal", id="never signals"),
        pytest.param({"accepted": True}, 0.5, "wait 20", "wait 1", id="has its task"),
        pytest.param({"accepted": True}, SETTLE_SECONDS, "wait 20", "proved", id="has its task for a while"),
        pytest.param({"accepted": True}, SECONDS, "overtime: no answer within 20 s", "proved", id="never answers"),
        pytest.param({"accepted": True, "health": Health.FINISHED}, 2, "proved", "proved", id="has answered"),
        pytest.param({"accepted": True, "exited": True, "status": 0}, 0.5, "handover: it exited", "proved", id="left"),
        pytest.param(
            {"accepted": True, "exited": True, "status": 3}, 0.5, "handover: it exited", "handover: it exited", id="bad"
        ),
        pytest.param(
            {"accepted": True, "exited": True, "status": 127}, 0.5, "launch: ", "launch: ", id="cannot be run"
        ),
        pytest.param({"exited": True, "status": 1}, 0.5, "handover: ", "handover: ", id="left before its task"),
        pytest.param({"fatal": "auth"}, 0.5, "harness:auth: ", "harness:auth: ", id="refused at once"),
        pytest.param(
            {"fatal": "auth", "accepted": True, "health": Health.DEAD},
            0.5,
            "harness:auth: ",
            "harness:auth: ",
            id="refused at the first question",
        ),
        pytest.param(
            {"fatal": "rate_limit", "accepted": True, "health": Health.LIMITED},
            0.5,
            "limited:rate_limit: ",
            "limited:rate_limit: ",
            id="limited for good",
        ),
        pytest.param(
            {"accepted": True, "health": Health.LIMITED, "until": T + 3},
            9.0,
            "limited:rate_limit: its usage limit is reached",
            "limited:rate_limit: its usage limit is reached",
            id="limited, if only for seconds",
        ),
    ],
)
def test_what_a_preflight_proves(given: dict[str, Any], at: float, asks: str, own: str) -> None:
    vitals, now = Vitals(started=0.0, last_signal=0.0, **given), Moment(monotonic=at, utc=T + at)
    assert said(judge(vitals, now, answers=True)).startswith(asks)
    assert said(judge(vitals, now, answers=False)).startswith(own)


# -- what follows ------------------------------------------------------------------------------------------------------

PROVIDERS = {name: Provider(name=name, key="K") for name in ("x", "y")} | {"z": Provider(name="z", key="L")}


def checked(name: str, cause: str = "", *, at: float = T, until: float | None = None) -> Event:
    data = {"provider": name, "passed": not cause, "kind": cause, "message": "why", "until": until}
    return Event(time=at, event="provider.checked", data=data)


def run(*events: Event) -> tuple[Course, list[Event]]:
    course, decisions = Course(), []
    for each in events:
        before, course = course, fold(course, each)
        for decided in decide(before, course, each, NightSettings(), PROVIDERS):
            decisions.append(Event(time=each.time, event=decided.event, data=decided.data))
            course = fold(course, decisions[-1])
    return course, decisions


@pytest.mark.parametrize(
    ("cause", "until", "reason"),
    [
        ("harness:auth", None, "it does not accept our login"),
        ("limited:rate_limit", T + 65, "its usage limit is reached"),
        ("launch", None, "its preflight failed: why"),
        ("fault", T + pause(PREFLIGHT_SECONDS, 1, "x"), "its preflight failed: why"),
        ("handover", T + pause(PREFLIGHT_SECONDS, 1, "x"), "its preflight failed: why"),
        ("overtime", T + pause(PREFLIGHT_SECONDS, 1, "x"), "its preflight failed: why"),
    ],
)
def test_how_a_preflight_that_fails_opens_the_breaker(cause: str, until: float | None, reason: str) -> None:
    course, (decision,) = run(checked("x", cause, until=T + 60))
    assert decision.event == "provider.parked"
    assert (course.parked["x"].reason, course.parked["x"].until) == (reason, until)
    assert state_of(course.parked["x"], T) is Breaker.OPEN
    assert "x" not in course.proven


def test_one_that_passes_proves_until_there_is_trouble() -> None:
    assert run(checked("x"))[0].proven == {"x"}
    assert run(checked("x"), checked("x", "handover"))[0].proven == frozenset()
    assert fold(run(checked("x"))[0], Event(time=T, event="core.started")).proven == frozenset()
    assert fold(run(checked("x"))[0], Event(time=T, event="fleet.thawed")).proven == {"x"}


def test_it_closes_the_breaker_of_all_that_draw_on_the_account() -> None:
    limited = checked("x", "limited:rate_limit", until=T + 60)
    course, _ = run(limited, checked("z", "limited:rate_limit", until=T + 60))
    assert state_of(course.parked["x"], T + 66) is Breaker.HALF_OPEN
    course, decisions = run(limited, checked("z", "limited:rate_limit", until=T + 60), checked("y", at=T + 66))
    assert [(each.event, each.data["provider"]) for each in decisions[2:]] == [("provider.resumed", "x")]
    assert course.parked.keys() == {"z"}


def test_a_pause_grows_with_each_preflight_in_vain() -> None:
    first = run(checked("x", "handover"))[0].parked["x"]
    assert first.until is not None
    second = run(checked("x", "handover"), checked("x", "handover", at=first.until))[0].parked["x"]
    assert second.until is not None
    assert second.until - second.at > 1.5 * (first.until - first.at)


def test_preflights_in_vain_come_to_an_end() -> None:
    at, events = T, []
    for _ in range(5):
        events.append(checked("x", "handover", at=at))
        at = run(*events)[0].parked["x"].until or at
    assert run(*events)[0].parked["x"].until is None


def judged(task: str, grade: str) -> tuple[Event, Event]:
    begun = Event(time=T, event="attempt.started", workspace="w", task=task, attempt=1, data={"provider": "x"})
    return begun, Event(time=T, event="attempt.judged", workspace="w", task=task, attempt=1, data={"grade": grade})


def test_it_is_said_when_verdicts_take_slots_and_give_them_back() -> None:
    bad = [event for number in range(4) for event in judged(f"b{number}", "F")]
    good = [event for number in range(2) for event in judged(f"g{number}", "A")]
    _, decisions = run(*bad, *good)
    assert [(each.event, each.data["slots"], each.data["of"]) for each in decisions] == [
        ("provider.slots", 1, 2),
        ("provider.slots", 2, 2),
    ]
    assert decisions[0].data["rejected"] == 1.0


def test_a_use_that_is_said_twice_counts_once() -> None:
    begun, _ = judged("t", "A")
    used = [
        Event(time=T, event="attempt.usage", workspace="w", task="t", attempt=1, data={"usd": usd, "tokens": 5})
        for usd in (1.0, 1.5)
    ]
    course, _ = run(begun, *used)
    ((spent),) = course.spendings
    assert (spent.usd, spent.provider, spent.attempt) == (1.5, "x", "w/t#1")


def test_what_cannot_be_read_parks_by_its_own_words() -> None:
    begun, _ = judged("t", "A")
    data = {"kind": "budget:unread", "message": "it tells nothing, and limits.usd limits that"}
    failed = Event(time=T, event="attempt.failed", workspace="w", task="t", attempt=1, data=data)
    course, _ = run(begun, failed)
    assert (course.parked["x"].reason, course.parked["x"].until) == (data["message"], None)
    assert course.failures == 0
