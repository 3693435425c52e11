"""An order: what a person's request, the core's own stop or a want of memory wants done with a task that runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from enum import StrEnum
from typing import TypeVar

import msgspec

from omni_tui.engine.steps import AttemptFailedError
from omni_tui.model.failure import Failure, FailureKind

T = TypeVar("T")


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
    PARK = "park"
    """Back in todo/ with what it had left of attempts, because the machine needs room."""
    WITHDRAW = "withdraw"
    """Left where a person put its file by hand."""


class Order(msgspec.Struct, frozen=True):
    """What is wanted, and why."""

    kind: OrderKind
    reason: str


class OrderBox:
    """Where one running task receives its order; `changed` is also what wakes its supervisor."""

    def __init__(self) -> None:
        self.order: Order | None = None
        self.held = ""
        """What the delivery waits for before it may go on; empty: nothing."""
        self.given = asyncio.Event()
        self.changed = asyncio.Event()

    def give(self, order: Order) -> None:
        """Give an order; the first one counts."""
        if self.order is None:
            self.order = order
        self.given.set()
        self.changed.set()


def obey(box: OrderBox) -> None:
    """Raise `AttemptFailedError` if an order has come. A core that stops or parks agents takes no attempt from them."""
    if box.order is not None:
        kind = FailureKind.LOST if box.order.kind in (OrderKind.STOP, OrderKind.PARK) else FailureKind.KILLED
        raise AttemptFailedError(Failure(kind=kind, message=box.order.reason))


async def unless_ordered(box: OrderBox, work: Awaitable[T]) -> T:
    """Do `work`; an order cuts it short: it is cancelled, and waited for until it has cleaned up.

    Raises `AttemptFailedError` then, as `obey` does.
    """
    doing, ordered = asyncio.ensure_future(work), asyncio.ensure_future(box.given.wait())
    try:
        await asyncio.wait((doing, ordered), return_when=asyncio.FIRST_COMPLETED)
    finally:
        ordered.cancel()
        doing.cancel()
        await asyncio.wait((doing,))
    if doing.cancelled():
        obey(box)
    return doing.result()


async def acquire_unless_ordered(box: OrderBox, lock: asyncio.Lock) -> bool:
    """Take the lock; False: an order came first."""
    try:
        return await unless_ordered(box, lock.acquire())
    except AttemptFailedError:
        return False
