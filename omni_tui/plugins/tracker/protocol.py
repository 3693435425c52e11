"""What a tracker must do. Contract: `tests/contract/test_tracker.py`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, Protocol

import msgspec

from omni_tui.model.task import Task


class TrackerSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What the plugin is made with."""

    workspace: str
    todo: Path
    """The queue's folder of waiting task files."""
    taken: Callable[[str], bool]
    """Whether an id belongs to a task that is no longer waiting."""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A file or item that cannot be a task, and why, so that a person can mend it."""

    path: Path
    reason: str


class Intake(msgspec.Struct, frozen=True, kw_only=True):
    """What a tracker holds for one workspace: the tasks that wait, and what it had to refuse."""

    tasks: Sequence[Task] = ()
    refused: Sequence[Refusal] = ()


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a task ended, told to its tracker."""

    landed: bool
    message: str
    commit: str = ""


class Tracker(Protocol):
    """Where one workspace's tasks come from."""

    name: ClassVar[str]

    async def fetch(self) -> Intake:
        """Return every task that waits. Cheap when little has changed: what was read before is not read again."""
        ...

    async def tell(self, task: Task, outcome: Outcome) -> None:
        """Say where the task came from how it ended. Telling it again changes nothing."""
        ...
