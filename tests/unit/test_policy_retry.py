"""What may follow a failure, whatever was proposed."""

from __future__ import annotations

import pytest

from omni_tui.model.failure import Failure, FailureKind, Move, MoveKind
from omni_tui.model.settings import LimitSettings
from omni_tui.model.task import Task
from omni_tui.plugins.reaction.protocol import ReactionSpec
from omni_tui.plugins.reaction.retry import RetryReaction
from omni_tui.policy.breaker import SPREAD
from omni_tui.policy.retry import decide

TASK = Task(workspace="w", id="t1", title="t")
NOW = 1000.0
RETRY = Move(kind=MoveKind.RETRY, reason="again")
REPAIR = Move(kind=MoveKind.REPAIR, reason="mend")
BLOCK = Move(kind=MoveKind.BLOCK, reason="no use")


def failures(causes: str, until: float | None = None) -> list[Failure]:
    """Read `stalled gate:no_commit` as failures, oldest first."""
    parts = [cause.partition(":") for cause in causes.split()]
    return [
        Failure(kind=FailureKind(kind), detail=detail, message=f"it {kind}", until=until) for kind, _, detail in parts
    ]


@pytest.mark.parametrize(
    ("before", "proposal", "expected", "words"),
    [
        pytest.param("stalled", RETRY, MoveKind.RETRY, "again", id="first retry"),
        pytest.param("stalled stalled", RETRY, MoveKind.RETRY, "again", id="second retry"),
        pytest.param(
            "stalled stalled stalled", RETRY, MoveKind.BLOCK, "it stalled (3 of 3 attempts are used up)", id="used up"
        ),
        pytest.param("gate:a", REPAIR, MoveKind.REPAIR, "mend", id="first repair"),
        pytest.param(
            "gate:a gate:a", REPAIR, MoveKind.BLOCK, "no repair of gate:a is left (limit: 1)", id="one repair a cause"
        ),
        pytest.param("gate:a gate:b", REPAIR, MoveKind.REPAIR, "mend", id="another cause has its own"),
        pytest.param("gate:a check gate:a", REPAIR, MoveKind.BLOCK, "used up", id="attempts bind too"),
        pytest.param("stalled", BLOCK, MoveKind.BLOCK, "no use", id="block is heard"),
        pytest.param("stalled", None, MoveKind.BLOCK, "nothing is known to help", id="nobody answers"),
        pytest.param("killed", RETRY, MoveKind.BLOCK, "killed by a person", id="killed never by itself"),
        pytest.param("stalled killed", REPAIR, MoveKind.BLOCK, "killed by a person", id="killed later"),
        pytest.param("lost lost lost lost", RETRY, MoveKind.RETRY, "again", id="lost consumes nothing"),
        pytest.param("lost lost lost lost lost", RETRY, MoveKind.BLOCK, "lost 5 times in a row", id="but has an end"),
        pytest.param("harness:auth " * 4, RETRY, MoveKind.RETRY, "again", id="being turned away consumes nothing"),
        pytest.param("harness:auth " * 5, RETRY, MoveKind.BLOCK, "harness:auth 5 times", id="nor for ever"),
        pytest.param("overtaken " * 4, RETRY, MoveKind.RETRY, "again", id="being overtaken consumes nothing"),
        pytest.param("overtaken " * 5, RETRY, MoveKind.BLOCK, "overtaken 5 times in a row", id="nor is it for ever"),
        pytest.param("stalled stalled overtaken", RETRY, MoveKind.RETRY, "again", id="overtaken at the last attempt"),
        pytest.param("lost lost lost lost stalled lost", RETRY, MoveKind.RETRY, "again", id="not in a row"),
        pytest.param(" ".join(["limited"] * 9), RETRY, MoveKind.RETRY, "again", id="limited consumes nothing"),
        pytest.param("limited lost stalled stalled", RETRY, MoveKind.RETRY, "again", id="free ones are not counted"),
        pytest.param("limited stalled lost stalled stalled", RETRY, MoveKind.BLOCK, "used up", id="the others are"),
        pytest.param(
            "stalled stalled stalled lost", RETRY, MoveKind.RETRY, "again", id="a loss after the last attempt"
        ),
    ],
)
def test_decide(before: str, proposal: Move | None, expected: MoveKind, words: str) -> None:
    move = decide(TASK, failures(before), proposal, LimitSettings(attempts=3, repairs=1), NOW)
    assert move.kind is expected
    assert words in move.reason


def test_without_repairs_nothing_is_repaired() -> None:
    assert decide(TASK, failures("check"), REPAIR, LimitSettings(repairs=0), NOW).kind is MoveKind.BLOCK


@pytest.mark.parametrize(
    ("cause", "until", "proposed", "delay"),
    [
        pytest.param("stalled", None, 15.0, 15.0, id="as proposed"),
        pytest.param("stalled", None, -3.0, 0.0, id="never negative"),
        pytest.param("limited", NOW + 100, 15.0, 105.0, id="until the limit ends"),
        pytest.param("limited", NOW + 100, 600.0, 600.0, id="longer if proposed"),
        pytest.param("limited", NOW - 100, 15.0, 15.0, id="it has ended"),
        pytest.param("limited", None, 15.0, 15.0, id="end unknown"),
    ],
)
def test_delay(cause: str, until: float | None, proposed: float, delay: float) -> None:
    proposal = Move(kind=MoveKind.RETRY, reason="again", delay=proposed)
    spread_out = decide(TASK, failures(cause, until), proposal, LimitSettings(), NOW).delay
    assert delay <= spread_out <= delay * (1 + SPREAD)


@pytest.mark.parametrize("kind", list(FailureKind))
def test_the_built_in_reaction_within_these_bounds_always_ends(kind: FailureKind) -> None:
    """Whatever it fails of, again and again: a person is asked in the end, but for a limit, which is waited out."""
    reaction, history = RetryReaction(ReactionSpec(repairs=1)), failures("")
    waited = 0.0
    for _ in range(50):
        history.append(Failure(kind=kind, message="m"))
        move = decide(TASK, history, reaction.react(TASK, history), LimitSettings(), NOW)
        if move.kind is MoveKind.BLOCK:
            assert len(history) <= 5
            return
        waited += move.delay
    assert kind is FailureKind.LIMITED
    assert waited > 40 * 3600, "a limit that never ends is tried once an hour at most"
