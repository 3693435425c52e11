"""Blocking work beside the loop."""

from __future__ import annotations

import asyncio
import threading

import pytest

from omni_tui.plugins.aside import aside


async def test_its_result_comes_back_and_the_loop_runs_meanwhile() -> None:
    go = threading.Event()
    work = asyncio.ensure_future(aside(lambda: go.wait(10), 10, "work"))
    await asyncio.sleep(0)
    assert not work.done()
    go.set()
    assert await work is True


async def test_its_error_comes_back() -> None:
    with pytest.raises(ZeroDivisionError):
        await aside(lambda: 1 // 0, 10, "work")


async def test_what_hangs_is_left_behind_on_a_daemon_thread() -> None:
    go = threading.Event()
    with pytest.raises(TimeoutError):
        await aside(lambda: go.wait(10), 0.01, "hangs")
    (thread,) = (thread for thread in threading.enumerate() if thread.name == "hangs")
    assert thread.daemon
    go.set()
    thread.join(10)
    assert not thread.is_alive()


def test_what_ends_after_the_loop_harms_nobody() -> None:
    go = threading.Event()
    faults: list[threading.ExceptHookArgs] = []
    threading.excepthook, kept = faults.append, threading.excepthook
    try:
        with pytest.raises(TimeoutError):
            asyncio.run(aside(lambda: go.wait(10), 0.01, "late"))
        (thread,) = (thread for thread in threading.enumerate() if thread.name == "late")
        go.set()
        thread.join(10)
    finally:
        threading.excepthook = kept
    assert not faults


async def test_a_cancellation_is_not_lost_when_the_work_ends_with_it() -> None:
    ready = threading.Event()
    work = asyncio.ensure_future(aside(ready.set, 10, "work"))
    await asyncio.sleep(0)
    ready.wait(10)
    left = [thread for thread in threading.enumerate() if thread.name == "work"]
    for thread in left:
        thread.join(10)
    work.cancel()  # its result waits for a turn of the loop
    with pytest.raises(asyncio.CancelledError):
        await work


async def test_a_cancelled_wait_ends_at_once() -> None:
    go = threading.Event()
    work = asyncio.ensure_future(aside(lambda: go.wait(10), 10, "work"))
    await asyncio.sleep(0)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    go.set()
