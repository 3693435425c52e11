"""Requests: what other processes and the cockpit's keys ask of the owner, carried out and answered.

kill, redispatch and block wait until the agent's whole tree is gone before they are answered; meanwhile the others go
on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from omni_tui.engine import braking
from omni_tui.engine.guard import Guard, contained
from omni_tui.engine.order import Order, OrderKind
from omni_tui.engine.scheduler import Scheduler
from omni_tui.engine.services import Services
from omni_tui.engine.workplace import Workplace
from omni_tui.errors import LeaseLostError, OmniError, TaskNotFoundError, UsageError
from omni_tui.model.lifecycle import Occasion, after
from omni_tui.model.request import Reply, Request, RequestKind
from omni_tui.model.task import Status, TaskRef
from omni_tui.model.taskfile import shown_name
from omni_tui.model.text import throughout
from omni_tui.store import control

ORDERS = {
    RequestKind.KILL: OrderKind.KILL,
    RequestKind.REDISPATCH: OrderKind.REQUEUE,
    RequestKind.BLOCK: OrderKind.BLOCK,
}

ENDS = {OrderKind.KILL: Status.BLOCKED, OrderKind.REQUEUE: Status.TODO, OrderKind.BLOCK: Status.BLOCKED}
"""Where a task is once its order has been carried out."""

REASONS = {
    OrderKind.KILL: "killed by a person",
    OrderKind.REQUEUE: "queued again by a person",
    OrderKind.BLOCK: "blocked by a person",
}
"""What a person's wish means where they gave no reason."""


class RequestDesk:
    """Takes requests from `control/`, has them carried out, files the replies."""

    def __init__(
        self, directory: Path, scheduler: Scheduler, services: Services, guard: Guard, stop: Callable[[str], str]
    ) -> None:
        self._directory = directory
        self._scheduler = scheduler
        self._services = services
        self._guard = guard
        self._stop = stop
        self._brakes = braking.BrakeDesk(directory, scheduler, services)
        self._taken: set[str] = set()

    def read_brakes(self) -> None:
        """Take over the brakes that are on by a file, before anything starts."""
        self._brakes.read_files()

    async def run(self) -> None:
        """Serve until cancelled."""
        arrived = asyncio.Event()
        arrived.set()
        with self._services.wakeups.on(arrived, self._directory):
            while True:
                await arrived.wait()
                arrived.clear()
                self._brakes.read_files()
                for request in control.pending(self._directory, self._services.disk):
                    if request.id not in self._taken:
                        self._taken.add(request.id)
                        self._guard.spawn(f"request {request.id}", self._serve(request))

    async def _serve(self, request: Request) -> None:
        try:
            message = await contained(self.carry_out(request))
            reply = Reply(id=request.id, ok=True, message=message)
            self._services.record("request.done", kind=request.kind.value, for_task=request.task, by=request.by)
        except LeaseLostError:
            raise
        except OmniError as error:
            reply = Reply(id=request.id, ok=False, message=str(error))
            self._services.record("request.refused", kind=request.kind.value, for_task=request.task, error=str(error))
        control.reply(self._directory, throughout(reply, self._services.held.redact), self._services.disk)
        self._taken.discard(request.id)

    async def carry_out(self, request: Request) -> str:
        """Do what is asked and return what was done, for a person. Raises `OmniError` where that cannot be."""
        if request.kind is RequestKind.STOP:
            return self._stop(request.reason or "asked to stop")
        if request.kind is RequestKind.CHECK:
            return await self._scheduler.supply.check(request.provider)
        if request.kind in braking.KINDS:
            return self._brakes.carry_out(request)
        return await self._on_task(request)

    async def _on_task(self, request: Request) -> str:
        workspace, _, task_id = request.task.partition("/")
        ref, kind = TaskRef(workspace, task_id), ORDERS[request.kind]
        place = self._scheduler.place(workspace)
        if place is None:
            raise TaskNotFoundError(
                f"no workspace {workspace!r} is open", where=request.task, fix="see `omni-tui workspace list`"
            )
        reason = request.reason or REASONS[kind]
        ref = self._meant(place, ref)
        if kind is OrderKind.REQUEUE:  # or it would be refused in todo/, after its agent was ended for it
            place.queue.check(place.queue.require(ref.id)[1])
        ended = await self._scheduler.order(ref, Order(kind, reason))
        if ended is None:
            return self._on_resting(place, ref, kind, reason, request.work)
        if ended.outcome is Status.DONE:
            raise UsageError("it landed before that could be done", where=request.task)
        if ended.outcome is not ENDS[kind]:  # another order came first
            return self._on_resting(place, ref, kind, reason)
        if ended.trouble:
            raise OmniError(f"it is in {ended.outcome}/, but: {ended.trouble}", where=request.task)
        return _said(kind, ref)

    def _meant(self, place: Workplace, ref: TaskRef) -> TaskRef:
        """Return the task that runs where only its file's name is given, because it has become unreadable."""
        if place.queue.find(ref.id) is None:
            for running in self._scheduler.running.values():
                if running.place is place and shown_name(running.file) == ref.id:
                    return running.task.ref
        return ref

    def _on_resting(self, place: Workplace, ref: TaskRef, kind: OrderKind, reason: str, work: str = "") -> str:
        """Do what is asked with a task that does not run; `work` is what its next attempt is told of."""
        status, _ = place.queue.require(ref.id)
        if kind is OrderKind.KILL:
            raise UsageError(
                f"it does not run: it is in {status}/",
                where=str(ref),
                fix="nothing to kill; `block` keeps it from starting",
            )
        occasion = Occasion.REQUEUED if kind is OrderKind.REQUEUE else Occasion.BLOCKED
        if status is Status.TODO and occasion is Occasion.REQUEUED:
            if work:
                place.runs.begin_afresh(ref.id, work)
                return f"{ref} waits, and its next attempt is told of {work[:10]}"
            raise UsageError("it waits already", where=str(ref), fix="see `omni-tui why` for what it waits for")
        if after(status, occasion) is None:
            raise UsageError(f"it is in {status}/, so it cannot be {occasion.value}", where=str(ref))
        if occasion is Occasion.REQUEUED:
            place.runs.begin_afresh(ref.id, work)
        place.queue.move(ref.id, status, occasion, note=reason if occasion is Occasion.BLOCKED else "")
        event = "task.requeued" if occasion is Occasion.REQUEUED else "task.blocked"
        self._services.record(event, ref, reason=reason)
        return _said(kind, ref)


def _said(kind: OrderKind, ref: TaskRef) -> str:
    return {
        OrderKind.KILL: f"{ref} was killed: its whole process tree is gone; work that it left is kept",
        OrderKind.REQUEUE: f"{ref} is back in todo/ with fresh attempts",
        OrderKind.BLOCK: f"{ref} is blocked",
        OrderKind.STOP: f"{ref} was stopped",
    }[kind]
