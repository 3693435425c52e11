"""Virtual time: an event loop that never waits. With nothing left to do now, it is at once the next timer's time.

Everything runs on one thread in one order, also what is handed to a thread elsewhere: the same seed, the same night.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from contextvars import Context
from typing import Any, TypeVar

T = TypeVar("T")

TURNS = 200_000
"""So many turns of the loop in one moment are a loop that does not end."""


class StuckError(RuntimeError):
    """Time cannot go on: nothing is left that could happen, or what happens now never ends."""


class _Leap(selectors.SelectSelector):
    """Instead of waiting, lets the time be later."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self._turns = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Let `timeout` seconds pass; nothing ever comes from outside."""
        if timeout is None:
            raise StuckError(f"at {self.now:.3f} s nothing is left that could happen")
        if timeout > 0:
            self.now += timeout
            self._turns = 0
        self._turns += 1
        if self._turns > TURNS:
            raise StuckError(f"at {self.now:.3f} s there is no end of what happens at once")
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs coroutines on virtual time, which begins at 0."""

    def __init__(self) -> None:
        self._leap = _Leap()
        super().__init__(self._leap)

    def time(self) -> float:
        """Virtual seconds since the beginning."""
        return self._leap.now

    def block(self, seconds: float) -> None:
        """Let time pass while nothing else runs, as a slow system call does."""
        self._leap.now += seconds

    def run_in_executor(  # type: ignore[override]  # a task is a future
        self,
        executor: Executor | None,  # noqa: ARG002 - asyncio's signature
        func: Callable[..., T],
        *args: Any,  # noqa: ANN401 - asyncio's signature
    ) -> asyncio.Task[T]:
        """Call `func` in its turn on this one thread."""

        async def called() -> T:
            return func(*args)

        return self.create_task(called(), context=Context())
