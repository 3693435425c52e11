"""When an attempt has its task, may go on, or has ended, and how."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from omni_tui.model.attempt import AgentSpec
from omni_tui.model.change import CommitSketch
from omni_tui.model.failure import Failure, FailureKind
from omni_tui.model.settings import LimitSettings, QuestionSettings, Settings
from omni_tui.model.signal import Health
from omni_tui.model.task import Task
from omni_tui.policy.evidence import Opinion
from omni_tui.policy.supervision import Accepted, Doubt, Ending, Wait, judge_handover, judge_watch
from omni_tui.policy.usage import Usage
from omni_tui.policy.vitals import Bounds, Moment, Vitals, bounds

LIMITS = LimitSettings(handover_seconds=60, stall_minutes=10, wall_minutes=30, tool_minutes=20)
BOUNDS = Bounds(limits=LIMITS)
UTC = 1_000_000.0
DEAD = Opinion(at=710.0, alive=False, words="its processes used nothing")
BUSY = Opinion(at=710.0, alive=True, words="its processes used much")
BUSY_LATE = Opinion(at=1795.0, alive=True, words="its processes used much")
SMALL = CommitSketch(subject="Add a test", paths=frozenset({"tests/test_a.py"}), lines=9)
WAITS = {"last_signal": 600.0, "waiting_since": 100.0, "health": Health.WAITING}
"""The wall time at monotonic 0."""


def vitals(**given: Any) -> Vitals:  # noqa: ANN401 - any field
    return Vitals(**({"started": 0.0, "last_signal": 0.0} | given))


def at(seconds: float) -> Moment:
    return Moment(monotonic=seconds, utc=UTC + seconds)


def said(decision: object) -> object:
    """Reduce a decision to what a table can hold: when to look again, or the failure's cause, or its type."""
    if isinstance(decision, Wait):
        return decision.until
    if isinstance(decision, Doubt):
        return f"doubt for {decision.seconds:g}"
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
    assert said(judge_handover(vitals(**given), at(now), BOUNDS)) == expected


@pytest.mark.parametrize(
    ("given", "now", "expected"),
    [
        pytest.param({}, 1, 600.0, id="works"),
        pytest.param({"last_signal": 100.0}, 101, 700.0, id="patience counts from the last signal"),
        pytest.param({"last_signal": 1500.0}, 1501, 1800.0, id="the wall comes first"),
        pytest.param({"last_signal": 100.0}, 699.9, 700.0, id="just not silent"),
        pytest.param({"last_signal": 100.0}, 700, "doubt for 10", id="silent, and nobody else was asked"),
        pytest.param({"last_signal": 100.0, "health": Health.IDLE}, 700, "doubt for 10", id="idle likewise"),
        pytest.param({"last_signal": 100.0, "session": True}, 700, "stalled", id="silent, and so is its session"),
        pytest.param({"last_signal": 100.0, "opinion": DEAD}, 710, "stalled", id="silent, and its processes rest"),
        pytest.param({"last_signal": 100.0, "opinion": BUSY}, 710, 1310.0, id="silent, but its processes work"),
        pytest.param({"last_signal": 100.0, "opinion": BUSY}, 1310, "doubt for 10", id="silent for longer: ask again"),
        pytest.param({"last_signal": 705.0, "opinion": DEAD}, 711, 1305.0, id="a signal outweighs an older opinion"),
        pytest.param({"last_signal": 705.0, "opinion": DEAD}, 1305, "doubt for 10", id="which is asked for again"),
        pytest.param({"opinion": BUSY_LATE}, 1799, 1800.0, id="processes alone are life for tool_minutes more"),
        pytest.param({"last_signal": 100.0, "health": Health.TOOL}, 700, 1300.0, id="a tool runs"),
        pytest.param({"last_signal": 100.0, "health": Health.TOOL}, 1300, "stalled:tool", id="a tool for too long"),
        pytest.param(WAITS, 699, 700.0, id="waits for a person"),
        pytest.param(WAITS, 700, "waiting", id="waits for a person for too long, whatever reminds of it"),
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
        pytest.param({"exited": True, "status": 137, "over_mb": 400.0}, 1, "memory", id="killed at its cap of memory"),
        pytest.param({"exited": True, "status": None, "over_mb": 400.0}, 1, "memory", id="and its wrapper with it"),
        pytest.param(
            {"exited": True, "status": 1, "over_mb": 400.0}, 1, Ending, id="a child was: its commit is judged"
        ),
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
    assert said(judge_watch(vitals(accepted=True, **given), at(now), BOUNDS)) == expected


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
    decision = judge_handover(vitals(**given), at(1), BOUNDS)
    assert isinstance(decision, Ending)
    assert decision.failure is not None
    assert words in decision.failure.message


def test_the_end_of_a_limit_is_handed_on() -> None:
    decision = judge_watch(vitals(health=Health.LIMITED, until=UTC + 9999), at(1), BOUNDS)
    assert isinstance(decision, Ending)
    assert decision.failure is not None
    assert (decision.failure.kind, decision.failure.until) == (FailureKind.LIMITED, UTC + 9999)


@pytest.mark.parametrize("health", list(Health))
@pytest.mark.parametrize("now", [0.0, 59.0, 599.0, 1799.0])
def test_a_wait_is_always_for_later(health: Health, now: float) -> None:
    """Else the supervisor would spin."""
    for judge in (judge_handover, judge_watch):
        decision = judge(vitals(health=health), at(now), BOUNDS)
        assert not isinstance(decision, Wait) or decision.until > now


def test_a_question_waits_as_long_as_the_policy_says() -> None:
    patient = msgspec.structs.replace(BOUNDS, questions=QuestionSettings(policy="ask", ask_minutes=20))
    asked = vitals(**WAITS)
    assert said(judge_watch(asked, at(1299), patient)) == 1300.0
    assert said(judge_watch(asked, at(1300), patient)) == "waiting"


def test_processes_at_work_are_no_life_for_ever() -> None:
    """A spinner turns for ever: after stall and tool minutes, silence is the end whatever the machine says."""
    long = msgspec.structs.replace(BOUNDS, limits=msgspec.structs.replace(LIMITS, wall_minutes=600))
    busy = vitals(opinion=Opinion(at=1790.0, alive=True, words="busy"))
    assert said(judge_watch(busy, at(1799), long)) == 1800.0
    assert said(judge_watch(busy, at(1800), long)) == "stalled"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({"used": Usage(turns=40)}, 600.0, id="all turns of the attempt"),
        pytest.param({"used": Usage(turns=41)}, "budget:attempt", id="a turn too many"),
        pytest.param({"used": Usage(tokens=901)}, "budget", id="tokens of the task, with the earlier attempts"),
        pytest.param({"used": Usage(tokens=900)}, 600.0, id="all of them"),
        pytest.param({"used": Usage(usd=1.01)}, "budget", id="money"),
        pytest.param({"used": Usage(usd=9), "health": Health.FINISHED}, Ending, id="finished: what it made is judged"),
        pytest.param({"used": Usage(usd=9), "exited": True, "status": 0}, Ending, id="exited: likewise"),
        pytest.param({"calls": ("a",) * 7}, 600.0, id="not often enough"),
        pytest.param({"calls": ("a",) * 8}, "loop:call", id="the same call"),
        pytest.param({"commits": (SMALL,) * 12}, "loop:commit", id="the same small commit"),
        pytest.param({"output": 256_000_000}, 600.0, id="much output"),
        pytest.param({"output": 256_000_001}, "flood", id="too much output"),
    ],
)
def test_excess(given: dict[str, Any], expected: object) -> None:
    may = msgspec.structs.replace(
        BOUNDS, attempt=Usage(turns=40), task=Usage(tokens=1000, usd=1.0), before=Usage(turns=99, tokens=100)
    )
    assert said(judge_watch(vitals(accepted=True, **given), at(1), may)) == expected


def test_bounds_of_an_attempt() -> None:
    settings = Settings(limits=LimitSettings(stall_minutes=10, tool_minutes=20, turns=5, usd=2.0))
    agent = AgentSpec(name="a", harness="command", stall_minutes=3, max_turns=2)
    task = Task(workspace="app", id="t", title="T", budget=7.5)
    found = bounds(settings, agent, task, Usage(turns=1))
    assert (found.limits.stall_minutes, found.limits.tool_minutes) == (3, 20)
    assert (found.attempt, found.task, found.before) == (Usage(turns=2), Usage(turns=5, usd=7.5), Usage(turns=1))


@pytest.mark.parametrize(
    ("budget", "each", "tokens", "usd"),
    [
        (None, Usage(), "limits.tokens in config.toml", "limits.usd in config.toml"),
        (None, Usage(tokens=9, usd=9.0), "task.tokens in providers/door.toml", "limits.usd in config.toml"),
        (1.5, Usage(), "limits.tokens in config.toml", "budget in the head of app/t"),
        (1.5, Usage(usd=0.5), "limits.tokens in config.toml", "task.usd in providers/door.toml"),
    ],
)
def test_who_sets_the_limits_of_a_task(budget: float | None, each: Usage, tokens: str, usd: str) -> None:
    settings = Settings(limits=LimitSettings(tokens=100, usd=2.0))
    agent = AgentSpec(name="a", harness="command", provider="door")
    task = Task(workspace="app", id="t", title="T", budget=budget)
    found = bounds(settings, agent, task, Usage(), each=each)
    assert (found.set_by["tokens"], found.set_by["usd"]) == (tokens, usd)
