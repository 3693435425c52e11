"""A step record: one line of a run's `steps.jsonl`, by which `deliver` continues where it was."""

from __future__ import annotations

from typing import Any

import msgspec

from omni_tui.model.failure import Failure
from omni_tui.model.moment import Moment


class StepRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A step that has been done: its key is unique within the run, its result plain data."""

    key: str
    at: Moment
    """UTC seconds."""
    epoch: str = ""
    result: Any = None
    failure: Failure | None = None
    """Set where the step ended the attempt."""
