"""The clock: the one place where time comes from; everything else is handed one."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Wall time for people and files, monotonic time for waiting."""

    def now(self) -> float:
        """UTC seconds since the epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds that only go forward; not comparable between boots."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""
        ...

    async def wait(self, event: asyncio.Event, until: float | None) -> bool:
        """Wait for `event`, at most until the monotonic time `until` (None: for ever); return whether it is set."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        """UTC seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that only go forward."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""
        await asyncio.sleep(seconds)

    async def wait(self, event: asyncio.Event, until: float | None) -> bool:
        """Wait for `event`, at most until the monotonic time `until`; return whether it is set."""
        if event.is_set():
            await asyncio.sleep(0)  # who always has more to do must not keep the loop from the others
            return True
        waiting = asyncio.ensure_future(event.wait())
        try:  # no `asyncio.timeout`: see plugins/runtime/within.py
            await asyncio.wait({waiting}, timeout=None if until is None else max(0.0, until - self.monotonic()))
        finally:
            waiting.cancel()
        return event.is_set()
