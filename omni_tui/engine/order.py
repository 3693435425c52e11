"""An order: what a person, through a request, or the core's own stop wants done with a task that runs."""

from __future__ import annotations

import asyncio
from enum import StrEnum

import msgspec


class OrderKind(StrEnum):
    """What is to become of the task once its agent is gone."""

    KILL = "kill"
    """Blocked, as killed by a person."""
    BLOCK = "block"
    """Blocked, for the person's reason."""
    REQUEUE = "requeue"
    """Back in todo/ with fresh attempts."""
    STOP = "stop"
    """Back in todo/, because the core was told to stop its agents."""


class Order(msgspec.Struct, frozen=True):
    """What is wanted, and why."""

    kind: OrderKind
    reason: str


class OrderBox:
    """Where one running task receives its order; `changed` is also what wakes its supervisor."""

    def __init__(self) -> None:
        self.order: Order | None = None
        self.changed = asyncio.Event()

    def give(self, order: Order) -> None:
        """Give an order; the first one counts."""
        if self.order is None:
            self.order = order
        self.changed.set()
