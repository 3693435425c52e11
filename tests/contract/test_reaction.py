"""The contract of a reaction: every implementation, and the fake of the simulated world."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from omni_tui.model.failure import Failure, FailureKind, MoveKind
from omni_tui.model.task import Task
from omni_tui.plugins.reaction.protocol import Reaction, ReactionSpec
from omni_tui.plugins.reaction.retry import RetryReaction
from omni_tui.simulation.reaction import ScriptedReaction

TASK = Task(workspace="w", id="t1", title="t")

Make = Callable[[ReactionSpec], Reaction]


@pytest.fixture(params=[RetryReaction, ScriptedReaction], ids=lambda made: made.name)
def make(request: pytest.FixtureRequest) -> Make:
    made: Make = request.param
    return made


def fail(*kinds: FailureKind) -> list[Failure]:
    return [Failure(kind=kind, message=f"it {kind}") for kind in kinds]


@pytest.mark.parametrize("kind", list(FailureKind))
def test_an_answer_has_a_reason_and_a_delay(make: Make, kind: FailureKind) -> None:
    move = make(ReactionSpec(repairs=1)).react(TASK, fail(kind))
    assert move is None or (move.reason and move.delay >= 0)


@pytest.mark.parametrize("kind", list(FailureKind))
def test_the_same_question_has_the_same_answer(make: Make, kind: FailureKind) -> None:
    reaction, failures = make(ReactionSpec(repairs=1)), fail(FailureKind.STALLED, kind)
    first = reaction.react(TASK, failures)
    assert reaction.react(TASK, failures) == first
    assert failures == fail(FailureKind.STALLED, kind), "what it is asked with is left alone"


@pytest.mark.parametrize("kind", list(FailureKind))
@pytest.mark.parametrize("repairs", [0, 1, 3])
def test_no_more_repairs_of_a_cause_than_allowed(make: Make, kind: FailureKind, repairs: int) -> None:
    reaction = make(ReactionSpec(repairs=repairs))
    moves = [reaction.react(TASK, fail(*[kind] * count)) for count in range(1, 9)]
    assert sum(move is not None and move.kind is MoveKind.REPAIR for move in moves) <= repairs


def test_what_a_person_killed_stays_dead(make: Make) -> None:
    move = make(ReactionSpec(repairs=5)).react(TASK, fail(FailureKind.KILLED))
    assert move is None or move.kind is MoveKind.BLOCK


def test_without_a_failure_there_is_nothing_to_say(make: Make) -> None:
    assert make(ReactionSpec(repairs=1)).react(TASK, []) is None


AGAIN, MEND, ASK = MoveKind.RETRY, MoveKind.REPAIR, MoveKind.BLOCK


@pytest.mark.parametrize(
    ("kind", "detail", "expected"),
    [
        pytest.param(FailureKind.SETUP, "", ASK, id="setup"),
        pytest.param(FailureKind.LAUNCH, "", AGAIN, id="launch"),
        pytest.param(FailureKind.HANDOVER, "", AGAIN, id="handover"),
        pytest.param(FailureKind.STALLED, "", AGAIN, id="stalled"),
        pytest.param(FailureKind.BASE, "", AGAIN, id="the release branch was broken before"),
        pytest.param(FailureKind.OVERTIME, "", MEND, id="overtime"),
        pytest.param(FailureKind.HARNESS, "auth", AGAIN, id="not logged in"),
        pytest.param(FailureKind.HARNESS, "billing", AGAIN, id="no credit"),
        pytest.param(FailureKind.HARNESS, "server", AGAIN, id="server"),
        pytest.param(FailureKind.LIMITED, "rate_limit", AGAIN, id="limited"),
        pytest.param(FailureKind.GATE, "no_commit", MEND, id="gate"),
        pytest.param(FailureKind.CONFLICT, "", MEND, id="conflict"),
        pytest.param(FailureKind.OVERTAKEN, "", AGAIN, id="overtaken"),
        pytest.param(FailureKind.CHECK, "", MEND, id="check"),
        pytest.param(FailureKind.KILLED, "", ASK, id="killed"),
        pytest.param(FailureKind.LOST, "", AGAIN, id="lost"),
        pytest.param(FailureKind.ROUTING, "", ASK, id="routing"),
        pytest.param(FailureKind.FAULT, "", ASK, id="fault"),
    ],
)
def test_retry_answers_every_kind(kind: FailureKind, detail: str, expected: MoveKind) -> None:
    move = RetryReaction(ReactionSpec(repairs=1)).react(TASK, [Failure(kind=kind, detail=detail, message="m")])
    assert move is not None
    assert move.kind is expected


@pytest.mark.parametrize(
    ("kind", "detail", "delays"),
    [
        pytest.param(FailureKind.STALLED, "", [0, 15, 30, 60], id="at once, then later"),
        pytest.param(FailureKind.LIMITED, "rate_limit", [300, 600, 1200, 2400, 3600, 3600], id="limited"),
        pytest.param(FailureKind.HARNESS, "server", [60, 120, 240], id="server"),
    ],
)
def test_retry_waits_longer_each_time_in_a_row(kind: FailureKind, detail: str, delays: list[float]) -> None:
    reaction = RetryReaction(ReactionSpec(repairs=1))
    failure = Failure(kind=kind, detail=detail, message="m")
    moves = [reaction.react(TASK, [failure] * count) for count in range(1, len(delays) + 1)]
    assert [move.delay for move in moves if move is not None] == delays
