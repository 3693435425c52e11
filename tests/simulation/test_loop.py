"""Virtual time: nothing waits, everything comes in one order, and what cannot go on says so."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from omni_tui.simulation import loop as virtual
from omni_tui.simulation.loop import StuckError, VirtualLoop

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)


def test_a_night_passes_at_once_and_is_eight_hours_long() -> None:
    async def sleep() -> float:
        before = asyncio.get_running_loop().time()
        await asyncio.sleep(8 * 3600)
        return asyncio.get_running_loop().time() - before

    began = time.monotonic()
    assert run(sleep()) == pytest.approx(8 * 3600)
    assert time.monotonic() - began < 5


def test_what_sleeps_wakes_in_the_order_of_its_time() -> None:
    woken: list[int] = []

    async def wake(after: int) -> None:
        await asyncio.sleep(after)
        woken.append(after)

    async def all_of_them() -> None:
        await asyncio.gather(*map(wake, (3, 1, 2)))

    run(all_of_them())
    assert woken == [1, 2, 3]


def test_a_thread_is_a_turn_on_the_same_one() -> None:
    async def elsewhere() -> list[str]:
        said: list[str] = []
        thread = asyncio.ensure_future(asyncio.to_thread(said.append, "thread"))
        said.append("caller")
        await thread
        return said

    assert run(elsewhere()) == ["caller", "thread"]


def test_a_thread_that_fails_fails_where_it_is_awaited() -> None:
    async def elsewhere() -> None:
        await asyncio.to_thread(int, "no number")

    with pytest.raises(ValueError, match="no number"):
        run(elsewhere())


def test_a_slow_call_keeps_everybody_waiting() -> None:
    async def blocked() -> float:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        timer = asyncio.ensure_future(asyncio.sleep(1))
        await asyncio.sleep(0)
        loop.block(10)
        await timer
        return loop.time()

    assert run(blocked()) == pytest.approx(10)


def test_waiting_for_what_never_comes_is_an_error() -> None:
    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(StuckError, match="nothing is left"):
        run(wait())


def test_what_never_ends_at_one_moment_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual, "TURNS", 1000)

    async def spin() -> None:
        while True:
            await asyncio.sleep(0)

    with pytest.raises(StuckError, match="no end"):
        run(spin())
