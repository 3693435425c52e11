"""The clocks of the simulated world: a wall clock that can be set, monotonic time that stands still while it sleeps.

What a dispatcher waits for goes by its clock, so its wake-ups are counted there. All that happens at one moment is one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from omni_tui.engine.clock import SystemClock
from omni_tui.simulation.life import Life
from omni_tui.simulation.loop import VirtualLoop

EVENING = 1_795_291_200.0
"""When each night begins, UTC seconds: 2026-11-21 20:00."""


class Wakeups(msgspec.Struct):
    """Why a dispatcher was woken, and how often."""

    event: int = 0
    """Something had happened: a file changed, an agent ended."""
    deadline: int = 0
    """A time had come, and something was done."""
    round: int = 0
    """It looked after the agents that ran, and all was well."""
    idle: int = 0
    """For nothing: nothing ran, and nothing was done."""

    @property
    def total(self) -> int:
        """All of them."""
        return self.event + self.deadline + self.round + self.idle

    @property
    def idle_share(self) -> float:
        """The share of those for nothing, from 0 to 1."""
        return self.idle / self.total if self.total else 0.0

    def add(self, other: Wakeups) -> None:
        """Count another's as well."""
        self.event += other.event
        self.deadline += other.deadline
        self.round += other.round
        self.idle += other.idle


class WorldTime:
    """The time of the whole world."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self.offset = EVENING

    def monotonic(self) -> float:
        """Seconds since the beginning that the machine was awake."""
        return self._loop.time()

    def now(self) -> float:
        """UTC seconds as the machine's clock shows them."""
        return self._loop.time() + self.offset


class LifeClock(SystemClock):
    """One dispatcher's clock; `busy` says whether agents live."""

    def __init__(self, time: WorldTime, life: Life, busy: Callable[[], bool]) -> None:
        self.wakeups = Wakeups()
        self._time = time
        self._life = life
        self._busy = busy
        self._moment = -1.0
        self._by_time = self._was_busy = False
        self._acts = 0

    def now(self) -> float:
        """UTC seconds since the epoch."""
        return self._time.now()

    def monotonic(self) -> float:
        """Seconds that only go forward."""
        return self._time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Sleep as the system's clock does, and count the wake-up."""
        await super().sleep(seconds)
        self._woken(by_time=True)

    async def wait(self, event: asyncio.Event, until: float | None) -> bool:
        """Wait as the system's clock does, and count the wake-up, if it slept."""
        slept = not event.is_set()
        came = await super().wait(event, until)
        if slept:
            self._woken(by_time=not came)
        return came

    def _woken(self, *, by_time: bool) -> None:
        """Begin to count another moment; what the last one was for shows now."""
        if self.monotonic() == self._moment:
            return
        self.settle()
        self._moment, self._acts = self.monotonic(), self._life.acts
        self._by_time, self._was_busy = by_time, self._busy()

    def settle(self) -> None:
        """Count the last moment."""
        if self._moment < 0:
            return
        if not self._by_time:
            self.wakeups.event += 1
        elif self._life.acts > self._acts:
            self.wakeups.deadline += 1
        elif self._was_busy:
            self.wakeups.round += 1
        else:
            self.wakeups.idle += 1
        self._moment = -1.0
