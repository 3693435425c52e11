"""When an attempt has its task, may go on, or has ended, and how."""

from __future__ import annotations

from typing import Any

import pytest

from omni_tui.model.failure import Failure, FailureKind
from omni_tui.model.settings import LimitSettings
from omni_tui.model.signal import Health
from omni_tui.policy.supervision import Accepted, Ending, Moment, Vitals, Wait, judge_handover, judge_watch

LIMITS = LimitSettings(handover_seconds=60, stall_minutes=10, wall_minutes=30)
UTC = 1_000_000.0
"""The wall time at monotonic 0."""


def vitals(**given: Any) -> Vitals:  # noqa: ANN401 - any field
    return Vitals(**({"started": 0.0, "last_signal": 0.0} | given))


def at(seconds: float) -> Moment:
    return Moment(monotonic=seconds, utc=UTC + seconds)


def said(decision: object) -> object:
    """Reduce a decision to what a table can hold: when to look again, or the failure's cause, or its type."""
    if isinstance(decision, Wait):
        return decision.until
    if isinstance(decision, Ending) and isinstance(decision.failure, Failure):
        return decision.failure.cause
    return type(decision)


@pytest.mark.parametrize(
    ("given", "now", "expected"),
    [
        pytest.param({}, 0, 60.0, id="just started"),
        pytest.param({"last_signal": 50.0, "health": Health.THINKING}, 59.9, 60.0, id="signals are no acceptance"),
        pytest.param({}, 60, "handover", id="too late"),
        pytest.param({"started": 100.0}, 159, 160.0, id="counted from its start"),
        pytest.param({"accepted": True}, 1, Accepted, id="accepted"),
        pytest.param({"accepted": True}, 600, Accepted, id="accepted, seen late"),
        pytest.param({"accepted": True, "exited": True, "status": 0}, 1, Accepted, id="accepted, then exited"),
        pytest.param({"exited": True, "status": 0}, 1, "handover", id="exited cleanly without its task"),
        pytest.param({"exited": True, "status": 1}, 1, "handover", id="exited with an error"),
        pytest.param({"exited": True, "status": 127}, 1, "launch", id="program not found"),
        pytest.param({"exited": True, "status": 126}, 1, "launch", id="program not executable"),
        pytest.param({"exited": True, "status": None}, 1, "lost", id="ended from outside"),
        pytest.param({"exited": True, "status": 129}, 1, "lost", id="hung up"),
        pytest.param({"fatal": "auth"}, 1, "harness:auth", id="not logged in"),
        pytest.param({"fatal": "auth", "exited": True, "status": 1}, 1, "harness:auth", id="fatal, then exited"),
        pytest.param({"fatal": "rate_limit"}, 1, "limited:rate_limit", id="limit is fatal to it"),
        pytest.param({"health": Health.LIMITED}, 60, "limited:rate_limit", id="limited until the deadline"),
        pytest.param({"health": Health.LIMITED, "until": UTC + 9000}, 1, "limited:rate_limit", id="limited for hours"),
    ],
)
def test_handover(given: dict[str, Any], now: float, expected: object) -> None:
    assert said(judge_handover(vitals(**given), at(now), LIMITS)) == expected


@pytest.mark.parametrize(
    ("given", "now", "expected"),
    [
        pytest.param({}, 1, 600.0, id="works"),
        pytest.param({"last_signal": 100.0}, 101, 700.0, id="patience counts from the last signal"),
        pytest.param({"last_signal": 1500.0}, 1501, 1800.0, id="the wall comes first"),
        pytest.param({"last_signal": 100.0}, 699.9, 700.0, id="just not silent"),
        pytest.param({"last_signal": 100.0}, 700, "stalled", id="silent"),
        pytest.param({"last_signal": 100.0, "health": Health.WAITING}, 700, "stalled", id="waits for a person"),
        pytest.param({"last_signal": 100.0, "health": Health.IDLE}, 700, "stalled", id="idle"),
        pytest.param({"last_signal": 1799.0}, 1800, "overtime", id="too long in all"),
        pytest.param({"last_signal": 0.0}, 1800, "overtime", id="both: too long in all"),
        pytest.param({"health": Health.FINISHED}, 1, Ending, id="finished"),
        pytest.param({"health": Health.FINISHED}, 9000, Ending, id="finished, seen late"),
        pytest.param(
            {"health": Health.FINISHED, "exited": True, "status": None}, 1, Ending, id="finished, then killed"
        ),
        pytest.param({"exited": True, "status": 0}, 1, Ending, id="exited"),
        pytest.param({"exited": True, "status": 3}, 1, Ending, id="exited with an error: its commit is judged"),
        pytest.param({"exited": True, "status": None}, 1, "lost", id="ended from outside"),
        pytest.param({"exited": True, "status": 129}, 1, "lost", id="its terminal went away"),
        pytest.param({"exited": True, "status": 137}, 1, "lost", id="killed from outside"),
        pytest.param({"exited": True, "status": 143}, 1, "lost", id="told to end from outside"),
        pytest.param({"exited": True, "status": 139}, 1, Ending, id="crashed by itself: its commit is judged"),
        pytest.param({"health": Health.FINISHED, "exited": True, "status": 129}, 1, Ending, id="done, then hung up"),
        pytest.param({"exited": True, "status": 0}, 9000, Ending, id="exited, seen late"),
        pytest.param({"fatal": "billing"}, 1, "harness:billing", id="no credit"),
        pytest.param({"fatal": "server", "exited": True, "status": 1}, 1, "harness:server", id="server, then exited"),
        pytest.param({"fatal": "auth", "health": Health.FINISHED}, 1, "harness:auth", id="fatal outweighs finished"),
        pytest.param({"fatal": "rate_limit", "until": UTC + 60}, 1, "limited:rate_limit", id="limit is fatal to it"),
        pytest.param({"health": Health.LIMITED, "until": UTC + 900}, 1, 1500.0, id="a known limit is no silence"),
        pytest.param({"health": Health.LIMITED, "until": UTC + 900}, 899, 1500.0, id="nor at its end"),
        pytest.param({"health": Health.LIMITED, "until": UTC + 900}, 1500, "limited:rate_limit", id="silent after it"),
        pytest.param({"health": Health.LIMITED, "until": UTC + 1801}, 1, "limited:rate_limit", id="beyond the wall"),
        pytest.param({"health": Health.LIMITED, "until": UTC + 1800}, 1, 1800.0, id="just within the wall"),
        pytest.param({"health": Health.LIMITED}, 1, 600.0, id="limited, until unknown"),
        pytest.param({"health": Health.LIMITED}, 600, "limited:rate_limit", id="limited, until unknown, for too long"),
        pytest.param({"health": Health.LIMITED, "until": UTC + 5}, 1800, "overtime", id="a limit that is over"),
    ],
)
def test_watch(given: dict[str, Any], now: float, expected: object) -> None:
    assert said(judge_watch(vitals(accepted=True, **given), at(now), LIMITS)) == expected


@pytest.mark.parametrize(
    ("given", "words"),
    [
        pytest.param(
            {"exited": True, "status": 0}, "started, exited cleanly, and never took its task", id="clean exit"
        ),
        pytest.param({"exited": True, "status": 9}, "exited with status 9", id="error exit"),
        pytest.param({"fatal": "auth", "detail": "key is not valid"}, "gave up (auth): key is not valid", id="detail"),
    ],
)
def test_handover_messages(given: dict[str, Any], words: str) -> None:
    decision = judge_handover(vitals(**given), at(1), LIMITS)
    assert isinstance(decision, Ending)
    assert decision.failure is not None
    assert words in decision.failure.message


def test_the_end_of_a_limit_is_handed_on() -> None:
    decision = judge_watch(vitals(health=Health.LIMITED, until=UTC + 9999), at(1), LIMITS)
    assert isinstance(decision, Ending)
    assert decision.failure is not None
    assert (decision.failure.kind, decision.failure.until) == (FailureKind.LIMITED, UTC + 9999)


@pytest.mark.parametrize("health", list(Health))
@pytest.mark.parametrize("now", [0.0, 59.0, 599.0, 1799.0])
def test_a_wait_is_always_for_later(health: Health, now: float) -> None:
    """Else the supervisor would spin."""
    for judge in (judge_handover, judge_watch):
        decision = judge(vitals(health=health), at(now), LIMITS)
        assert not isinstance(decision, Wait) or decision.until > now
