"""Suspending an agent: it stands still while a hard freeze is on, and none of its clocks count that time.

What is said on disk comes before the signal that stops it and after the one that lets it go on: after a crash in
between both are done again, which does no harm.
"""

from __future__ import annotations

from omni_tui.engine.board import Board
from omni_tui.engine.services import Services
from omni_tui.model.task import TaskRef
from omni_tui.plugins.runtime.protocol import Handle
from omni_tui.policy.braking import is_suspended


class Suspension:
    """One running agent's."""

    def __init__(self, task: TaskRef, provider: str, handle: Handle, board: Board, services: Services) -> None:
        self._workspace = task.workspace
        self._provider = provider
        self._handle = handle
        self._board = board
        self._services = services
        self._stopped = False
        """Whether this process has stopped it: a former one may have said so and then not done it."""

    async def keep(self) -> bool:
        """Stop the agent, or let it go on, as the brakes say; return whether it stands still."""
        wanted = is_suspended(self._services.course.brakes, self._workspace, self._provider)
        status = self._board.status
        if wanted and not self._stopped:
            self._board.suspend(status.suspended_at or self._services.clock.now())
            await self._services.runtime.suspend(self._handle)
            self._stopped = True
        elif not wanted and status.suspended_at:
            await self._services.runtime.resume(self._handle)
            self._board.resume(self._services.clock.now())
            self._stopped = False
        return wanted
