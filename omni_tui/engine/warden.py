"""The warden: goes its rounds while agents run, and sees what no event tells.

On each round it looks whether the machine has slept, and has each supervisor look at what its agent prints. While
nothing runs it rests. How loaded the machine is, and how full its disk, `engine.loadkeeper` looks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from omni_tui.engine.guard import Guard
from omni_tui.engine.services import Services
from omni_tui.policy.machine import slept
from omni_tui.policy.vitals import Moment

ROUND_SECONDS = 30.0
"""Between two rounds: a look costs next to nothing."""


class Warden:
    """`watched` gives the events that wake the supervisors of what runs now; nothing given ends the rounds."""

    def __init__(
        self, services: Services, guard: Guard, watched: Callable[[], Iterable[asyncio.Event]], wake: asyncio.Event
    ) -> None:
        self._services = services
        self._guard = guard
        self._watched = watched
        self._wake = wake
        self._rounds: asyncio.Task[None] | None = None

    def on_duty(self) -> None:
        """Go rounds from now on, as long as something runs."""
        if self._rounds is None or self._rounds.done():
            self._rounds = self._guard.spawn("warden", self._go_rounds())

    async def _go_rounds(self) -> None:
        before = self._now()
        while True:
            await self._services.clock.sleep(ROUND_SECONDS)
            watched = list(self._watched())
            if not watched:
                return
            before = self._look_at_clocks(before)
            for event in watched:
                event.set()

    def _look_at_clocks(self, before: Moment) -> Moment:
        """Say so if the machine has slept; what waits for a time of day is worked out anew."""
        now = self._now()
        if seconds := slept(before, now):
            self._services.record("machine.slept", seconds=seconds)
            self._wake.set()
        return now

    def _now(self) -> Moment:
        return Moment(monotonic=self._services.clock.monotonic(), utc=self._services.clock.now())
