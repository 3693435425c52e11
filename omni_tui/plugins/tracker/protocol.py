"""What a tracker must do. Contract: `tests/contract/test_tracker.py`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Protocol

import msgspec

from omni_tui.model.outcome import Outcome
from omni_tui.model.task import Task


class TrackerSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What the plugin is made with."""

    workspace: str
    todo: Path
    """The queue's folder of waiting task files."""
    read: Callable[[Path], Task | None]
    """Reads a file as a task; None: somebody is still writing it. Raises `TaskFileError`, or `FileNotFoundError`."""
    taken: Callable[[Collection[str]], Mapping[str, Path]]
    """Which of these ids belong to tasks that no longer wait, and where those are."""
    remark: Callable[[str, str], None]
    """Puts a text beside the file of the task with an id, wherever that is now; once, however often it is called."""
    now: Callable[[], float]
    """UTC seconds."""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A file or item that cannot be a task, and why, so that a person can mend it."""

    path: Path
    reason: str


class Intake(msgspec.Struct, frozen=True, kw_only=True):
    """What a tracker holds for one workspace: the tasks that wait, and what it had to refuse."""

    tasks: Sequence[Task] = ()
    refused: Sequence[Refusal] = ()
    look_again_at: float | None = None
    """When to fetch again though nothing tells of a change, UTC seconds: a file may be only half written."""


class Tracker(Protocol):
    """Where one workspace's tasks come from."""

    name: ClassVar[str]

    async def fetch(self) -> Intake:
        """Return every task that waits. Cheap when little has changed: what was read before is not read again."""
        ...

    async def tell(self, task: Task, outcome: Outcome) -> None:
        """Say where the task came from how it ended. Telling it again changes nothing."""
        ...
