"""Keeps an eye on the machine's load: now and then while something runs, and before a start."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from omni_tui.engine.deliveries import Running
from omni_tui.engine.guard import Guard
from omni_tui.engine.order import Order, OrderKind
from omni_tui.engine.services import Services
from omni_tui.model.load import Load
from omni_tui.policy.load import binds, follow, must_park

SAMPLE_SECONDS = 10.0
"""Between two samples: what the kernel tells is an average of as much."""


class LoadKeeper:
    """`running` gives what runs, the newest last; `changed` is called once another limit binds, with words for it."""

    def __init__(
        self,
        services: Services,
        guard: Guard,
        running: Callable[[], Sequence[Running]],
        changed: Callable[[str], None],
    ) -> None:
        self._services = services
        self._guard = guard
        self._running = running
        self._changed = changed
        self.load: Load | None = None
        self._said = ""
        self._rounds: asyncio.Task[None] | None = None

    def on_duty(self) -> None:
        """Look from time to time from now on, as long as something runs."""
        if self._rounds is None or self._rounds.done():
            self._rounds = self._guard.spawn("load", self._go_rounds())

    def look(self) -> None:
        """Sample the load, on the core's own thread, unless that was done just now."""
        now = self._services.clock.monotonic()
        if self.load is not None and now < self.load.at + SAMPLE_SECONDS:
            return
        sample = self._services.load()
        self.load = follow(self.load, sample, now, self._services.settings().load)
        self._tell()

    def binding(self, running: int) -> str:
        """Return which limit keeps another agent from starting beside so many; empty: none."""
        return binds(self.load, self._services.settings().load, running)

    async def _go_rounds(self) -> None:
        while True:
            await self._services.clock.sleep(SAMPLE_SECONDS)
            if not self._running():
                self._tell()
                return
            self.look()
            self._park()

    def _tell(self) -> None:
        words = self.binding(len(self._running()))
        if bool(words) != bool(self._said):
            self._services.record("load.high" if words else "load.eased", reason=words)
        if words != self._said:
            self._said = words
            self._changed(words)

    def _park(self) -> None:
        """Send the newest agent's task back to the queue where memory runs out; the last one stays."""
        reason = must_park(self.load, self._services.settings().load) if self.load is not None else ""
        at_work = [running for running in self._running() if running.box.order is None]
        if not reason or len(self._running()) != len(at_work) or len(at_work) < 2:
            return  # the last one that was parked has not made its room yet
        newest = at_work[-1]
        self._services.record("task.parked", newest.task.ref, reason=reason)
        newest.box.give(Order(OrderKind.PARK, reason))
