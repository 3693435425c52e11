"""The tasks that run: each from its claim until it is put away, the orders it gets, and how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from omni_tui.engine.deliver import Ending, deliver
from omni_tui.engine.delivery import Delivery
from omni_tui.engine.flights import FELL_OUT
from omni_tui.engine.guard import Guard, contained
from omni_tui.engine.order import Order, OrderBox, OrderKind
from omni_tui.engine.putaway import PutAway
from omni_tui.engine.radar import Radar
from omni_tui.engine.services import Services
from omni_tui.engine.workplace import Workplace
from omni_tui.errors import LeaseLostError, OmniError
from omni_tui.model.failure import FailureKind, MoveKind
from omni_tui.model.task import Status, Task, TaskRef


@dataclass
class Running:
    """A task that is being delivered."""

    task: Task
    place: Workplace
    file: str
    """The name of its file in doing/."""
    box: OrderBox = field(default_factory=OrderBox)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    missing_since: float | None = None
    """Since when its file is not in doing/ any more, UTC seconds."""
    outcome: Status | None = None
    """Where it ended, once it has; None: a person had taken its file away."""
    trouble: str = ""
    """What of ours or the machine's failed on the way."""


class Deliveries:
    """Owns what runs. `on_end` hears of each that has ended, and of the moment from which it may be tried again."""

    def __init__(self, services: Services, guard: Guard, on_end: Callable[[Running, float | None], None]) -> None:
        self.running: dict[TaskRef, Running] = {}
        self._services = services
        self._guard = guard
        self._on_end = on_end
        self._put_away = PutAway(services)

    def start(self, place: Workplace, task: Task, file: str) -> None:
        """Deliver a task whose file is in doing/."""
        running = Running(task, place, file)
        self.running[task.ref] = running
        place.flights.expect(task.ref)
        Radar.on_duty(place, self._services, self._guard)
        self._guard.spawn(f"delivery of {task.ref}", self._deliver(running))

    async def look_at_base(self, place: Workplace) -> None:
        """Remember what the default branch is before the first landing."""
        await self._put_away.look_at_base(place)

    async def order(self, ref: TaskRef, order: Order) -> Running | None:
        """Give a running task an order and wait until it has ended, however it did; None: it does not run."""
        running = self.running.get(ref)
        if running is None:
            return None
        running.box.give(order)
        await running.ended.wait()
        return running

    async def stop_all(self, reason: str) -> None:
        """End all agents; their tasks go back to todo/ with what they had left of attempts."""
        order = Order(OrderKind.STOP, reason)
        await asyncio.gather(*(self.order(ref, order) for ref in list(self.running)))

    async def _deliver(self, running: Running) -> None:
        again_at: float | None = None
        delivery = Delivery(running.task, running.place, self._services, running.box)
        try:
            ending = await contained(deliver(delivery))
            again_at = await contained(self._end(running, ending))
        except LeaseLostError:
            raise
        except OmniError as error:
            await self._fault(running, delivery, error)
        finally:
            del self.running[running.task.ref]
            running.place.flights.leave(running.task.ref, FELL_OUT)
            self._services.provision.leave(running.task.ref)
            running.ended.set()
            self._on_end(running, again_at)

    async def _end(self, running: Running, ending: Ending) -> float | None:
        """Put an ended task away; return when it may be tried again, where time decides that."""
        order, move = running.box.order, ending.move
        if ending.failures and ending.failures[-1].kind is FailureKind.FAULT:
            running.trouble = ending.failures[-1].message
        if ending.merge is not None:
            running.outcome = await self._put_away.landed(running.task, running.place, running.file, ending.merge)
        elif order is not None and order.kind is OrderKind.WITHDRAW:
            self._put_away.withdrawn(running.task, order.reason)
        elif order is not None and order.kind in (OrderKind.REQUEUE, OrderKind.STOP, OrderKind.PARK):
            fresh = order.kind is OrderKind.REQUEUE
            running.outcome = self._put_away.requeued(
                running.task, running.place, running.file, order.reason, fresh=fresh
            )
        elif order is None and move is not None and move.kind is not MoveKind.BLOCK:
            running.outcome = self._put_away.requeued(
                running.task, running.place, running.file, move.reason, fresh=False
            )
            return self._services.clock.now() + move.delay if move.delay else None
        else:
            reason = order.reason if order else move.reason if move else "it cannot go on"
            running.outcome = await self._put_away.blocked(
                running.task, running.place, running.file, ending.failures, reason
            )
        return None

    async def _fault(self, running: Running, delivery: Delivery, error: OmniError) -> None:
        """Block a task that cannot go on because something of ours or the machine's failed outside its steps."""
        running.trouble = str(error)
        try:
            await contained(delivery.abandon())
        except OmniError as worse:
            running.trouble = f"{error}; and {worse}"
        running.outcome = await self._put_away.fault(
            running.task, running.place, running.file, running.trouble, delivery.checkout()
        )
