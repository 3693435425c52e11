"""The supervisor: watches one attempt's agent by its signals and its exit, and hears the judgement at each change.

Nothing is polled: it wakes when the events file grows, when the process ends (pidfd), when an order comes, and at the
moment that the judgement named.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import msgspec

from omni_tui.engine.board import Board
from omni_tui.engine.order import OrderBox, obey
from omni_tui.engine.services import Services
from omni_tui.engine.steps import Engine
from omni_tui.engine.tail import Tail
from omni_tui.model.signal import Health, Signal
from omni_tui.plugins.agent.protocol import Agent
from omni_tui.plugins.runtime.protocol import Exit, Handle
from omni_tui.policy.supervision import Moment, Vitals, Wait

Decision = TypeVar("Decision")


class Supervisor:
    """One attempt's vital signs, from its start on."""

    def __init__(
        self,
        *,
        handle: Handle,
        agent: Agent,
        events: Tail,
        started: Signal,
        board: Board,
        box: OrderBox,
        engine: Engine,
        services: Services,
    ) -> None:
        self._handle = handle
        self._agent = agent
        self._events = events
        self._board = board
        self._box = box
        self._engine = engine
        self._services = services
        self._first_look = True
        self.vitals = Vitals(started=self._monotonic(started.at), last_signal=self._monotonic(started.at))
        self._take(started)

    async def observe(self, judge: Callable[[Vitals, Moment], Decision | Wait]) -> Decision:
        """Return the first judgement that is not to wait. Raises `AttemptFailedError` when a person orders an end."""
        changed = self._box.changed
        exited = asyncio.ensure_future(self._services.runtime.wait(self._handle))
        exited.add_done_callback(lambda _: changed.set())
        if not self._services.runtime.alive(self._handle):
            await asyncio.wait([exited])  # or its silence, not its end, would be judged first
        try:
            with self._services.wakeups.on(changed, self._events.path.parent, self._events.path):
                while True:
                    changed.clear()
                    self._look(exited)
                    obey(self._box)
                    decision = judge(self.vitals, self._now())
                    if not isinstance(decision, Wait):
                        return decision
                    await self._engine.wait(changed, decision.until)
        finally:
            exited.cancel()

    def _now(self) -> Moment:
        return Moment(monotonic=self._services.clock.monotonic(), utc=self._services.clock.now())

    def _look(self, exited: asyncio.Future[Exit]) -> None:
        """Take in what has come; the exit is seen first, so that no signal written before it is missed."""
        if exited.done():
            self.vitals = msgspec.structs.replace(self.vitals, exited=True, status=exited.result().status)
        at = self._moment()
        for line in self._events.lines():
            if (signal := self._agent.read(line, at)) is not None:
                self._take(signal)
        if self._events.behind:
            self._box.changed.set()

    def _moment(self) -> float:
        """When the lines at hand were written: now; after a restart, when the file last grew."""
        now = self._services.clock.now()
        if not self._first_look:
            return now
        self._first_look = False
        return min(now, self._events.modified_at() or now)

    def _take(self, signal: Signal) -> None:
        """Take over a signal. What follows a finish changes nothing: whether it came in time to be read is chance."""
        accepted = self.vitals.accepted or signal.accepted
        last = max(self.vitals.last_signal, self._monotonic(signal.at))
        if self.vitals.health is Health.FINISHED:
            self.vitals = msgspec.structs.replace(self.vitals, accepted=accepted, last_signal=last)
            return
        self.vitals = msgspec.structs.replace(
            self.vitals,
            accepted=accepted,
            health=signal.health,
            last_signal=last,
            fatal=signal.fatal or self.vitals.fatal,
            until=signal.until,
            detail=signal.detail,
        )
        self._board.see(signal)

    def _monotonic(self, at: float) -> float:
        """Translate a wall time that has passed."""
        clock = self._services.clock
        return clock.monotonic() - max(0.0, clock.now() - at)
