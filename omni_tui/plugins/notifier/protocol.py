"""What a notifier must do. Contract: `tests/contract/test_notifier.py`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import ClassVar, Protocol

import msgspec


class Urgency(StrEnum):
    """How soon a person should look."""

    INFO = "info"
    ATTENTION = "attention"
    """Something waits for a person; the rest goes on."""
    STOP = "stop"
    """The fleet stands still until a person comes."""


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to tell."""

    urgency: Urgency
    title: str
    text: str = ""
    task: str = ""
    at: float = 0.0


class NotifierSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What the plugin is made with."""

    root: Path
    """The fleet's directory."""


class Notifier(Protocol):
    """Tells a person."""

    name: ClassVar[str]

    async def notify(self, notice: Notice) -> None:
        """Deliver `notice`. Must not raise when the way is shut: it says so in its own log, and the work goes on."""
        ...
