"""A life: one dispatcher process of the simulated world, from its start until it ends or is killed.

A process that is killed does nothing any more, at whatever step that was. Here its tasks are still there to be cleared
away: all that they try then is refused, because every step that reaches the world goes by `Life.act`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from contextvars import Context, ContextVar, copy_context
from typing import Any

LIFE: ContextVar[Life | None] = ContextVar("LIFE", default=None)
"""Whose code runs; None: the world's own."""


class KilledError(BaseException):
    """The process is no more. Not an `Exception`: nobody can handle their own death."""


class Life:
    """One dispatcher process."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.alive = True
        self.died = asyncio.Event()
        self.last = ""
        """The step at which it was killed."""
        self.acts = 0
        """Steps that reached the world so far."""
        self._fuse: int | None = None
        self._tasks: list[asyncio.Task[Any]] = []

    @property
    def pid(self) -> int:
        """Its process number."""
        return 100 + self.number

    def context(self) -> Context:
        """Return a context in which everything belongs to this life."""
        context = copy_context()
        context.run(LIFE.set, self)
        return context

    def arm(self, steps: int) -> None:
        """Have it killed before the step that follows the next `steps`."""
        self._fuse = steps

    def act(self, step: str) -> None:
        """Take a step that reaches the world. Raises `KilledError` once it is dead, and where it dies at this step."""
        if not self.alive:
            raise KilledError(step)
        self.acts += 1
        if self._fuse is not None:
            self._fuse -= 1
            if self._fuse < 0:
                self.kill(step)
                raise KilledError(step)

    def kill(self, step: str) -> None:
        """Let it be dead from now on."""
        self.alive = False
        self.last = step
        self.died.set()

    def own(self, task: asyncio.Task[Any]) -> None:
        """Note a task of this process."""
        self._tasks.append(task)
        if len(self._tasks) > 1000:
            self._tasks = [each for each in self._tasks if not each.done()]

    async def clear_away(self) -> None:
        """End what is left of its tasks; what they still try is refused."""
        self.alive = False
        while left := [task for task in self._tasks if not task.done()]:
            for task in left:
                task.cancel()
            await asyncio.wait(left)
        for task in self._tasks:
            if not task.cancelled():
                task.exception()  # looked at, so that nobody complains of it
        self._tasks.clear()


def make_task(
    loop: asyncio.AbstractEventLoop,
    work: Coroutine[Any, Any, Any] | Generator[Any, None, Any],
    context: Context | None = None,
) -> asyncio.Task[Any]:
    """Make a task that belongs to the life in whose code it is made; a loop's task factory."""
    task = asyncio.Task(work, loop=loop, context=context)
    life = LIFE.get() if context is None else context.get(LIFE)
    if life is not None:
        life.own(task)
    return task
