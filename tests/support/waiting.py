"""Waiting for the thing itself, with a deadline."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

STEP = 0.01
"""Seconds between two looks."""


def wait_for(look: Callable[[], T | None], what: str, seconds: float = 10.0) -> T:
    """Return what `look` gives once that is neither None nor false; fail with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(STEP)


async def wait_for_async(look: Callable[[], T | None], what: str, seconds: float = 10.0) -> T:
    """Do the same, and let the loop run in between."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        await asyncio.sleep(STEP)
