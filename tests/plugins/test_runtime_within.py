"""A limit holds while the task is being cancelled as well, whatever Python's own timeouts do there."""

from __future__ import annotations

import asyncio

import pytest

from omni_tui.engine.clock import SystemClock
from omni_tui.plugins.runtime.within import within


async def test_gives_what_the_work_gives_and_raises_what_it_raises() -> None:
    assert await within(5, asyncio.sleep(0, "done")) == "done"
    failed = asyncio.get_running_loop().create_future()
    failed.set_exception(ValueError("wrong"))
    with pytest.raises(ValueError, match="wrong"):
        await within(5, failed)


async def test_what_takes_too_long_is_cancelled() -> None:
    work = asyncio.ensure_future(asyncio.Event().wait())
    with pytest.raises(TimeoutError):
        await within(0.01, work)
    assert work.cancelled()


async def test_whoever_is_cancelled_takes_the_work_along() -> None:
    work = asyncio.ensure_future(asyncio.Event().wait())
    waiting = asyncio.create_task(within(60, work))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert work.cancelled()


async def test_the_time_is_over_as_ever_in_what_cleans_up_after_a_cancellation() -> None:
    told: list[object] = []

    async def clean_up() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            with pytest.raises(TimeoutError):
                await within(0.01, asyncio.Event().wait())
            told.append(await SystemClock().wait(asyncio.Event(), SystemClock().monotonic() + 0.01))
            told.append("cleaned up")

    task = asyncio.create_task(clean_up())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told == [False, "cleaned up"]
