"""What a reaction must do. Contract: `tests/contract/test_reaction.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Protocol

import msgspec

from omni_tui.model.failure import Failure, Move
from omni_tui.model.task import Task


class ReactionSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What the plugin is made with."""

    repairs: int
    """Repair attempts for each kind of failure."""


class Reaction(Protocol):
    """Proposes what follows a failure. The first of the chosen reactions that has an answer is heard."""

    name: ClassVar[str]

    def react(self, task: Task, failures: Sequence[Failure]) -> Move | None:
        """Return what should follow the last of `failures` (oldest first); None: nothing to say."""
        ...
