"""Blocking work beside the loop, within a limit: what hangs is left behind on a daemon thread and holds up no exit."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


async def aside(work: Callable[[], T], seconds: float, name: str) -> T:
    """Return what `work` gives, done on a thread called `name`. Raises what it raises; `TimeoutError` after `seconds`.

    Whoever gives up, or is cancelled, does not end the work: it must not share what it uses with later work.
    """
    done: Future[T] = Future()
    done.set_running_or_notify_cancel()

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            done.set_exception(error)
        else:
            done.set_result(result)

    threading.Thread(target=run, name=name, daemon=True).start()
    async with asyncio.timeout(seconds):  # `wait_for` of Python 3.11 may lose a cancellation
        return await asyncio.wrap_future(done)
