"""The effective limit: how many tasks may run at once now, and what keeps it at that."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Bound(StrEnum):
    """What keeps the number of tasks that run at once from being higher; named as the holds of the tasks that wait."""

    SLOTS = "slots"
    """The setting: all else would allow more."""
    THROTTLED = "throttled"
    PROVIDERS = "providers"
    """All providers together serve no more."""
    LOAD = "load"
    DISK = "disk"
    STAGGER = "stagger"
    """The number is not lowered, but the next start waits for its moment."""
    STOPPED = "stopped"
    """The run's own rules have stopped it."""
    FROZEN = "frozen"


class Effective(msgspec.Struct, frozen=True, kw_only=True):
    """How many may run at once, all in all."""

    slots: int
    """So many for now; where nothing may start, as many as the brake lets go on."""
    of: int
    """So many by the setting."""
    bound: Bound = Bound.SLOTS
    reason: str = ""
    """What binds, as a sentence without a full stop; empty: the setting alone does."""

    @property
    def lowered(self) -> bool:
        """Whether something binds beside the setting."""
        return self.bound is not Bound.SLOTS

    def __str__(self) -> str:
        words = f"{self.slots} of {self.of}" if self.slots != self.of else f"{self.of}"
        return f"{words} ({self.bound}: {self.reason})" if self.lowered else words
