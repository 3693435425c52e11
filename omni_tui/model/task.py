"""A task: one unit of work, a Markdown file that moves between the folders of a queue."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any

import msgspec

ID_PATTERN = re.compile(r"[a-z0-9](?:[a-z0-9_.-]{0,58}[a-z0-9_-])?")
"""What an id looks like: safe as a file name, a git ref component and a tmux name (facts: reliability, Git)."""

MAX_TASK_BYTES = 1 << 20
"""The largest file that is read as a task."""


class Status(StrEnum):
    """Where a task is; the name of its folder under `queue/`."""

    TODO = "todo"
    DOING = "doing"
    DONE = "done"
    BLOCKED = "blocked"


class TaskRef(msgspec.Struct, frozen=True, order=True):
    """Which task: ids are unique within a workspace."""

    workspace: str
    id: str

    def __str__(self) -> str:
        return f"{self.workspace}/{self.id}"


class Task(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What to do, as its file tells it. `extra` holds the head's keys that we do not know, so that they survive."""

    workspace: str
    id: str
    title: str
    body: str = ""
    priority: int = 0
    """Higher goes first."""
    labels: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    """Ids of this workspace, or `workspace/id`."""
    touches: tuple[str, ...] = ()
    """Paths or glob patterns that the work is expected to touch, relative to the repository's root."""
    locks: tuple[str, ...] = ()
    """What only one task of the workspace may have at a time, by a name that its tasks agree on."""
    tests: tuple[str, ...] = ()
    requires_flags: tuple[str, ...] = ()
    """`name=state`, or a name alone, which means on."""
    provides_flags: tuple[str, ...] = ()
    """Flags behind which the work ships."""
    stubs_flags: tuple[str, ...] = ()
    """Required flags that the work can do without: it stubs what lies behind them."""
    agent: str | None = None
    harness: str | None = None
    provider: str | None = None
    budget: float | None = None
    """US dollars for all attempts together."""
    source: str | None = None
    created_at: float = 0.0
    """When the file appeared (its modification time): older goes first."""
    extra: dict[str, Any] = msgspec.field(default_factory=dict)

    @property
    def ref(self) -> TaskRef:
        """The task's name in the fleet."""
        return TaskRef(self.workspace, self.id)


def is_valid_id(text: str) -> bool:
    """Whether `text` may name a task, a workspace or an agent."""
    return ID_PATTERN.fullmatch(text) is not None and ".." not in text and not text.endswith(".lock")
