"""A reaction for tests and the simulated world: answers by a table, and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from omni_tui.model.failure import Failure, FailureKind, Move, MoveKind
from omni_tui.model.task import Task
from omni_tui.plugins.reaction.protocol import ReactionSpec

AGAIN = Move(kind=MoveKind.RETRY, reason="again")
REPAIR = Move(kind=MoveKind.REPAIR, reason="repair")

ANSWERS: Mapping[FailureKind, Move] = {
    FailureKind.HANDOVER: AGAIN,
    FailureKind.STALLED: AGAIN,
    FailureKind.LOST: AGAIN,
    FailureKind.GATE: REPAIR,
    FailureKind.CHECK: REPAIR,
}
"""What it says where a test names nothing else; to the rest it has no answer."""


class ScriptedReaction:
    """Says what `answers` say for the last failure's kind."""

    name: ClassVar[str] = "scripted"

    def __init__(self, spec: ReactionSpec, answers: Mapping[FailureKind, Move] = ANSWERS) -> None:
        self._repairs = spec.repairs
        self._answers = dict(answers)
        self.asked: list[tuple[Task, tuple[Failure, ...]]] = []

    def react(self, task: Task, failures: Sequence[Failure]) -> Move | None:
        """Return the table's answer; None where it has none, or where this cause has had its repairs."""
        self.asked.append((task, tuple(failures)))
        if not failures:
            return None
        last = failures[-1]
        answer = self._answers.get(last.kind)
        repaired = sum(failure.cause == last.cause for failure in failures) - 1
        if answer is not None and answer.kind is MoveKind.REPAIR and repaired >= self._repairs:
            return None
        return answer
