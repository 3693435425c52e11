"""A waiting task's past: what its earlier attempts, which are on disk, mean for a new claim."""

from __future__ import annotations

import msgspec

from omni_tui.errors import OmniError
from omni_tui.model.attempt import AttemptId
from omni_tui.model.failure import Move, MoveKind
from omni_tui.model.step import StepRecord
from omni_tui.model.task import TaskRef
from omni_tui.store.runs import Runs


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """What the last attempt that counts says."""

    closed: bool = False
    """It was the end: the task had landed, or a person had to look. In todo/ again, the task begins afresh: somebody
    moved its file there by hand, which means the same as `redispatch`."""
    not_before: float | None = None
    """When the pause after it ends, UTC seconds."""


def look_back(runs: Runs, ref: TaskRef) -> Past:
    """Return what a task's last attempt says. Raises `OmniError` where its steps cannot be read."""
    numbers = runs.attempts(ref.id)
    if not numbers:
        return Past()
    steps = runs.open(AttemptId(ref, numbers[-1])).steps()
    concluded = next((record for record in reversed(steps) if record.key == "conclude"), None)
    if concluded is None:
        return Past(closed=any(_is_landing(record) for record in steps))
    try:
        move = msgspec.convert(concluded.result, Move)
    except msgspec.ValidationError as error:
        raise OmniError(
            f"its last step is spoilt: {error}", where=str(ref), fix="block the task and queue it again"
        ) from error
    return Past(closed=move.kind is MoveKind.BLOCK, not_before=concluded.at + move.delay if move.delay else None)


def _is_landing(record: StepRecord) -> bool:
    return record.key.startswith("land.") and record.result is True
