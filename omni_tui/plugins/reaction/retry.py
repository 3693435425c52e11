"""The built-in reaction: try again where the fault was not in the work, repair where it was, else ask a person."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import ClassVar

from omni_tui.model.failure import Failure, FailureKind, Move, MoveKind
from omni_tui.model.task import Task
from omni_tui.plugins.reaction.protocol import ReactionSpec

REPAIRABLE = (
    FailureKind.GATE,
    FailureKind.CHECK,
    FailureKind.CONFLICT,
    FailureKind.OVERTIME,
    FailureKind.LOOP,
    FailureKind.WAITING,
    FailureKind.FLOOD,
    FailureKind.MEMORY,
)
"""The work itself fell short: the agent can do better when it is told what went wrong."""

PASSING = (FailureKind.HANDOVER, FailureKind.LAUNCH, FailureKind.STALLED, FailureKind.LOST)
"""The work was not at fault: the same again may do."""

SERVER_CAUSE = "harness:server"
"""The model's server failed; unlike authentication and billing it heals by itself."""

TURNED_AWAY = ("harness:auth", "harness:billing", "budget:night", "budget:provider", "budget:unread")
"""The provider does not serve us at all, or there is no budget for it, whatever the task."""

LIMIT_SECONDS = 300.0
"""First pause where a provider's limit does not say when it ends."""

SERVER_SECONDS = 60.0
AGAIN_SECONDS = 15.0
LONGEST_SECONDS = 3600.0


class RetryReaction:
    """Answers every failure."""

    name: ClassVar[str] = "retry"

    def __init__(self, spec: ReactionSpec) -> None:
        self._repairs = spec.repairs

    def react(self, task: Task, failures: Sequence[Failure]) -> Move | None:  # noqa: ARG002 - the same for every task
        """Return what should follow the last of `failures`."""
        if not failures:
            return None
        last = failures[-1]
        if last.kind in REPAIRABLE:
            return self._repair(last, failures)
        row = _in_a_row(failures)
        if last.kind in PASSING:
            return _again(last, _growing(AGAIN_SECONDS, row - 1))
        if last.kind is FailureKind.LIMITED:
            return _again(last, _growing(LIMIT_SECONDS, row) if last.until is None else 0.0)
        if last.kind is FailureKind.OVERTAKEN:
            return _again(last, 0.0)  # its agent brings the work, which was good, onto what landed meanwhile
        if last.kind is FailureKind.BASE or last.cause in TURNED_AWAY:
            return _again(last, 0.0)  # once a person has mended it; until then the scheduler holds the task
        if last.cause == SERVER_CAUSE:
            return _again(last, _growing(SERVER_SECONDS, row))
        return Move(kind=MoveKind.BLOCK, reason=last.message)

    def _repair(self, last: Failure, failures: Sequence[Failure]) -> Move:
        """Propose a repair as long as this cause has had fewer than its number."""
        repaired = sum(failure.cause == last.cause for failure in failures) - 1
        if repaired < self._repairs:
            return Move(kind=MoveKind.REPAIR, reason=f"repair after {last.cause}: {last.message}")
        return Move(
            kind=MoveKind.BLOCK,
            reason=f"{last.message} ({last.cause} again after its repair)" if repaired else last.message,
        )


def _again(last: Failure, delay: float) -> Move:
    return Move(kind=MoveKind.RETRY, reason=f"again after {last.cause}: {last.message}", delay=delay)


def _in_a_row(failures: Sequence[Failure]) -> int:
    """Return how many of the latest failures have the cause of the last."""
    return sum(1 for _ in takewhile(lambda failure: failure.cause == failures[-1].cause, reversed(failures)))


def _growing(seconds: float, row: int) -> float:
    """Return the pause before the try after `row` failures in a row: none after 0, then doubling up to an hour."""
    return min(seconds * 2.0 ** (row - 1), LONGEST_SECONDS) if row > 0 else 0.0
