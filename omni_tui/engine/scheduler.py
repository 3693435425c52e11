"""The scheduler: starts what the plan says, and puts away what has ended.

One loop, woken by events alone (a changed folder, an ended task, a request, a moment that the plan names): an empty
queue costs nothing. The shape follows honcho's manager: one loop, one owner, the whole policy elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from omni_tui.engine.deliver import Ending, deliver
from omni_tui.engine.delivery import Delivery
from omni_tui.engine.guard import Guard
from omni_tui.engine.intake import Intake
from omni_tui.engine.order import Order, OrderBox, OrderKind
from omni_tui.engine.putaway import PutAway
from omni_tui.engine.services import Services
from omni_tui.engine.spares import SpareKeeper
from omni_tui.engine.workplace import Workplace
from omni_tui.errors import OmniError, TaskFileError
from omni_tui.model.state import FleetState
from omni_tui.model.task import Status, Task, TaskRef
from omni_tui.policy.scheduling import Backlog, Capacity, HoldKind, Plan, plan


@dataclass
class Running:
    """A task that is being delivered."""

    task: Task
    place: Workplace
    box: OrderBox
    ended: asyncio.Event


@dataclass
class Site:
    """A workplace with what the scheduler keeps for it."""

    place: Workplace
    intake: Intake


class Scheduler:
    """Owns which tasks run. Everything happens on one loop; nothing here blocks but the store's short writes."""

    def __init__(
        self, services: Services, guard: Guard, state: FleetState, on_state: Callable[[FleetState], None]
    ) -> None:
        self.wake = asyncio.Event()
        self.running: dict[TaskRef, Running] = {}
        self.idle = asyncio.Event()
        """Nothing runs, and nothing can start without a person or a new task."""
        self.state = state
        self._services = services
        self._guard = guard
        self._on_state = on_state
        self._sites: dict[str, Site] = {}
        self._not_before: dict[TaskRef, float] = {}
        self._last_start: float | None = None
        self._put_away = PutAway(services)

    # -- workplaces ------------------------------------------------------------------------------------------------

    def open(self, place: Workplace) -> None:
        """Dispatch a workplace: watch its queue, keep its spares, adopt what a former owner left in doing/."""
        site = Site(place, Intake(place, self._services))
        self._sites[place.name] = site
        for status in Status:
            self._services.wakeups.add(site.intake.changed, place.paths.queue(status))
            self._services.wakeups.add(self.wake, place.paths.queue(status))
        self._guard.spawn(f"spares of {place.name}", SpareKeeper(place, self._services).run())
        for path in place.queue.files(Status.DOING):
            self._adopt(place, path)
        self.wake.set()

    def open_for_one(self, place: Workplace, task_id: str) -> None:
        """Take in a workplace for a single request: only the task that it is about is adopted, nothing is started."""
        self._sites[place.name] = Site(place, Intake(place, self._services))
        found = place.queue.find(task_id)
        if found is not None and found[0] is Status.DOING:
            self._adopt(place, found[1])

    def place(self, workspace: str) -> Workplace | None:
        """Return an open workplace."""
        site = self._sites.get(workspace)
        return site.place if site else None

    def review_spares(self) -> None:
        """Have every workplace see to its spares: the settings have changed."""
        for site in self._sites.values():
            site.place.spares_due.set()

    def _adopt(self, place: Workplace, path: Path) -> None:
        """Go on with a task of a former owner; a file that is no task any more is told of and left where it is."""
        try:
            task = place.queue.read(path)
        except TaskFileError as error:
            self._services.record("task.unreadable", workspace=place.name, file=path.name, error=str(error))
            self.change_state(message=f"{place.name}: doing/{path.name} cannot be read: {error}")
            return
        self._services.record("task.adopted", task.ref)
        self._start(place, task)

    # -- the loop --------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Schedule until cancelled."""
        while True:
            self.wake.clear()
            for site in self._sites.values():
                await site.intake.refresh()
            decided = self._plan()
            for task in decided.start:
                await self._claim(task)
            self._tell(decided)
            await self._services.clock.wait(self.wake, self._next_look(decided))

    def _plan(self) -> Plan:
        settings = self._services.settings().scheduler
        sites = self._sites.values()
        backlog = Backlog(
            waiting=[task for site in sites for task in site.intake.waiting if task.ref not in self.running],
            status_of={ref: status for site in sites for ref, status in site.intake.settled.items()},
            running=self.running.keys(),
            not_before=self._not_before,
        )
        capacity = Capacity(
            slots=settings.slots,
            now=self._services.clock.now(),
            frozen=self.state.frozen,
            throttled=self.state.throttled,
            stagger_seconds=settings.stagger_seconds,
            last_start=self._last_start,
        )
        return plan(backlog, capacity)

    def _tell(self, decided: Plan) -> None:
        """Publish the holds, and say so when there is nothing to do."""
        holds = {str(ref): hold.message for ref, hold in decided.holds.items()}
        self.change_state(holds=holds)
        unready = any(hold.kind is HoldKind.FROZEN or hold.until is not None for hold in decided.holds.values())
        settling = any(site.intake.look_again_at is not None for site in self._sites.values())
        if self.running or decided.start or unready or settling:
            self.idle.clear()
        elif not self.idle.is_set():
            self.idle.set()
            self._services.record("fleet.idle")

    def _next_look(self, decided: Plan) -> float | None:
        moments = [decided.wake_at, *(site.intake.look_again_at for site in self._sites.values())]
        due = [moment for moment in moments if moment is not None]
        if not due:
            return None
        clock = self._services.clock
        return clock.monotonic() + max(0.0, min(due) - clock.now())

    # -- one task --------------------------------------------------------------------------------------------------

    async def _claim(self, task: Task) -> None:
        site = self._sites[task.workspace]
        try:
            if not site.place.queue.claim(task):
                site.intake.changed.set()
                return
        except TaskFileError as error:  # a person's own file stands in its way in doing/
            site.place.queue.block(task.id, str(error))
            self._services.record("task.blocked", task.ref, reason=str(error))
            return
        self._last_start = self._services.clock.now()
        self._services.record("task.claimed", task.ref)
        self._start(site.place, task)

    def _start(self, place: Workplace, task: Task) -> None:
        running = Running(task, place, OrderBox(), asyncio.Event())
        self.running[task.ref] = running
        self.idle.clear()
        self._guard.spawn(f"delivery of {task.ref}", self._deliver(running))

    async def _deliver(self, running: Running) -> None:
        task, place = running.task, running.place
        try:
            ending = await deliver(Delivery(task, place, self._services, running.box))
            await self._end(running, ending)
        except OmniError as error:
            await self._put_away.fault(task, place, error)
        finally:
            del self.running[task.ref]
            running.ended.set()
            place.spares_due.set()
            self._sites[place.name].intake.changed.set()
            self.wake.set()

    async def _end(self, running: Running, ending: Ending) -> None:
        task, place, order = running.task, running.place, running.box.order
        if ending.merge is not None:
            await self._put_away.landed(task, place, ending.merge)
        elif order is not None and order.kind in (OrderKind.REQUEUE, OrderKind.STOP):
            self._put_away.requeued(task, place, order.reason, fresh=order.kind is OrderKind.REQUEUE)
        elif ending.move is not None and ending.move.delay:
            self._not_before[task.ref] = self._services.clock.now() + ending.move.delay
            self._put_away.requeued(task, place, ending.move.reason, fresh=False)
        else:
            await self._put_away.blocked(task, place, ending, order.reason if order else "")

    # -- orders ----------------------------------------------------------------------------------------------------

    async def order(self, ref: TaskRef, order: Order) -> bool:
        """Give a running task an order and wait until it has been carried out; False: it does not run."""
        running = self.running.get(ref)
        if running is None:
            return False
        running.box.give(order)
        await running.ended.wait()
        return True

    async def stop_agents(self, reason: str) -> None:
        """End all agents; their tasks go back to todo/."""
        order = Order(OrderKind.STOP, reason)
        self.change_state(frozen=True)
        await asyncio.gather(*(self.order(ref, order) for ref in list(self.running)))

    def change_state(self, **changes: object) -> None:
        """Change what the fleet says of itself, and publish it if it did change."""
        changed = msgspec.structs.replace(self.state, **changes)
        if changed != self.state:
            self.state = changed
            self._on_state(changed)
            self.wake.set()
