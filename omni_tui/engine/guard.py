"""The task guard: a background task never dies silently.

The shape follows kopf's `aiotasks`: every task is started through one door, and what it raises goes to one place.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from omni_tui.engine.steps import AttemptFailedError
from omni_tui.errors import LeaseLostError, OmniError

log = logging.getLogger(__name__)

T = TypeVar("T")


class Guard:
    """Owns background tasks; hands what one of them raises to `on_error`, and ends them all together."""

    def __init__(self, on_error: Callable[[str, BaseException], None]) -> None:
        self._on_error = on_error
        self._tasks: dict[asyncio.Task[None], None] = {}  # in the order of their start, in which they are ended

    def spawn(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run `work` in the background under `name`, which an error is reported with."""
        task = asyncio.get_running_loop().create_task(self._watched(name, work), name=name)
        self._tasks[task] = None
        task.add_done_callback(lambda _: self._tasks.pop(task, None))
        task.add_done_callback(lambda _: work.close())  # cancelled before its first step, nobody else would close it
        return task

    async def _watched(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except LeaseLostError as error:  # nothing of ours failed: another owns the fleet now
            self._on_error(name, error)
        except Exception as error:
            log.exception("background task %s failed", name)
            self._on_error(name, error)

    async def close(self) -> None:
        """Cancel what still runs and wait until it has gone."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def contained(work: Awaitable[T]) -> T:
    """Do `work`; what it raises that nobody expected comes out as an `OmniError`: a fault of one task stays its own."""
    try:
        return await work
    except (OmniError, AttemptFailedError):
        raise
    except Exception as error:
        log.exception("an unexpected error in the work on a task")
        raise OmniError(f"{type(error).__name__}: {error}", fix="it may be a defect of omni-tui") from error
