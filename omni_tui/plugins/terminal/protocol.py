"""What a terminal must do. Contract: `tests/contract/test_terminal.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Protocol

import msgspec


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """How to go: a program to run in the foreground until the person comes back, and how they do."""

    argv: tuple[str, ...]
    env: dict[str, str]
    way_back: str
    """Said to the person before they go."""


class Terminal(Protocol):
    """Takes a runtime's attach command to the terminal that the person sits at."""

    name: ClassVar[str]

    def visit(self, attach: tuple[str, ...], environment: Mapping[str, str]) -> Visit:
        """Return how to run `attach` from a terminal with this `environment` (inside tmux or not)."""
        ...
