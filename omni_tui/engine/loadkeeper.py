"""Keeps an eye on the machine's load: now and then while something runs, and before a start.

It is sampled on a thread, one sample at a time, for a disk may not answer; a decision goes by the last one there is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from omni_tui.engine.deliveries import Running
from omni_tui.engine.guard import Guard
from omni_tui.engine.order import Order, OrderKind
from omni_tui.engine.services import Services
from omni_tui.model.load import Load
from omni_tui.policy.load import binds, follow, must_park
from omni_tui.policy.machine import shortage

SAMPLE_SECONDS = 10.0
"""Between two samples: what the kernel tells is an average of as much."""

MOMENT_SECONDS = 0.25
"""No start waits longer for a sample."""


class LoadKeeper:
    """`running` gives what runs, the newest last; `changed` is called once another limit binds, with words for it."""

    def __init__(
        self,
        services: Services,
        guard: Guard,
        wake: asyncio.Event,
        running: Callable[[], Sequence[Running]],
        changed: Callable[[str], None],
    ) -> None:
        self._services = services
        self._guard = guard
        self._wake = wake
        self._running = running
        self._changed = changed
        self.load: Load | None = None
        self.short = ""
        """What the disk has too little of for another start; empty: it has enough."""
        self._said: str | None = None
        """What it said last; None: nothing yet, whatever an owner before has said."""
        self._sampling: asyncio.Task[None] | None = None
        self._rounds: asyncio.Task[None] | None = None

    def on_duty(self) -> None:
        """Look from time to time from now on, as long as something runs."""
        if self._rounds is None or self._rounds.done():
            self._rounds = self._guard.spawn("load", self._go_rounds())

    async def look(self) -> None:
        """See to it that there is a sample of just now, but wait no longer than a moment for it."""
        if self.load is None or self._services.clock.monotonic() >= self.load.at + SAMPLE_SECONDS:
            await asyncio.wait([self._sampled()], timeout=MOMENT_SECONDS)

    def binding(self, running: int) -> str:
        """Return which limit keeps another agent from starting beside so many; empty: none."""
        return binds(self.load, self._services.settings().load, running)

    def _sampled(self) -> asyncio.Task[None]:
        """Return the sample that is being taken; there is never more than one."""
        if self._sampling is None or self._sampling.done():
            self._sampling = self._guard.spawn("load sample", self._sample())
        return self._sampling

    async def _sample(self) -> None:
        sample = await self._services.sample()
        settings = self._services.settings()
        self.load = follow(self.load, sample, self._services.clock.monotonic(), settings.load)
        self._take_disk(shortage(sample.space, settings.limits))
        self._tell()

    async def _go_rounds(self) -> None:
        while True:
            await self._services.clock.sleep(SAMPLE_SECONDS)
            if not self._running():
                self._tell()
                return
            await asyncio.wait([self._sampled()])
            self._park()
            await self._services.trees.look(self._services.runtime, self._services.clock.monotonic())

    def _take_disk(self, short: str) -> None:
        if bool(short) != bool(self.short):
            if short:
                self._services.record("disk.low", reason=short)
            else:
                self._services.record("disk.enough")
            self._wake.set()
        self.short = short

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
