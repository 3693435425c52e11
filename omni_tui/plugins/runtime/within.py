"""Waiting with a limit, also while what waits is being cancelled: what has to be ended is ended all the same.

There `asyncio.timeout` of Python 3.11.2 (Debian 12) raises `CancelledError` when the time is over, so that the rest of
a clean-up is left out (measured: an ended agent's terminal stayed); and `wait_for` of 3.11 may lose a cancellation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def within(seconds: float, work: Awaitable[T]) -> T:
    """Return what `work` gives. Raises what it raises, and `TimeoutError` after `seconds`; it is cancelled then."""
    doing = asyncio.ensure_future(work)
    try:
        await asyncio.wait({doing}, timeout=seconds)
        if not doing.done():
            raise TimeoutError
        return doing.result()
    finally:
        if not doing.done():
            doing.cancel()
            await asyncio.wait({doing})
