"""The cockpit's way to agents and their work: on the core's loop if this process dispatches, else on another one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from omni_tui.errors import UsageError
from omni_tui.fleet import Fleet
from omni_tui.latest import find_diff, find_handle
from omni_tui.model.task import TaskRef
from omni_tui.model.view import TaskRow
from omni_tui.plugins.runtime.protocol import Screen
from omni_tui.plugins.terminal.protocol import Visit
from omni_tui.undo import bring_back, words_of

T = TypeVar("T")


class FleetInsight:
    """Asks the fleet's runtime and scm on another thread's loop, by `submit`, and awaits the answer here."""

    def __init__(
        self, fleet: Fleet, submit: Callable[[Coroutine[Any, Any, T]], Future[T]], variables: Mapping[str, str]
    ) -> None:
        self._fleet = fleet
        self._submit: Callable[[Coroutine[Any, Any, Any]], Future[Any]] = submit
        self._variables = variables

    async def screen(self, ref: TaskRef) -> Screen | None:
        """Return what the task's latest process shows, or showed last; None: it has started none yet."""
        return await self._there(self._screen(ref))

    async def attach(self, ref: TaskRef) -> Visit:
        """Return how to get to the agent's terminal. Raises `UsageError` if none runs."""
        return await self._there(self._attach(ref))

    async def diff(self, ref: TaskRef) -> str:
        """Return what the latest attempt changed. Raises `OmniError`."""
        return await self._there(find_diff(self._fleet, ref))

    async def undo(self, row: TaskRow) -> Sequence[str]:
        """Bring back what an ended attempt of a task left; return what to say of it. Raises `OmniError`."""
        return words_of(await self._there(bring_back(self._fleet, row)))

    async def _there(self, work: Coroutine[Any, Any, T]) -> T:
        return await asyncio.wrap_future(self._submit(work))

    async def _screen(self, ref: TaskRef) -> Screen | None:
        handle = find_handle(self._fleet, ref)
        return None if handle is None else await self._fleet.runtime.screen(handle)

    async def _attach(self, ref: TaskRef) -> Visit:
        handle, runtime = find_handle(self._fleet, ref), self._fleet.runtime
        if handle is None or not runtime.alive(handle):
            raise UsageError("no agent runs for it now", where=str(ref))
        return self._fleet.terminal.visit(runtime.attach_command(handle), self._variables)
