"""Where a delivery asks whether it may go on: before its agent starts, and before its change is merged."""

from __future__ import annotations

from omni_tui.engine.board import Board
from omni_tui.engine.order import OrderBox
from omni_tui.engine.services import Services
from omni_tui.model.attempt import AgentSpec
from omni_tui.model.task import TaskRef
from omni_tui.policy.braking import frozen_hold
from omni_tui.policy.holds import Hold
from omni_tui.policy.remedies import remedy
from omni_tui.policy.routing import provider_of


class Gate:
    """One attempt's gate: shut while a freeze holds its workspace or its provider."""

    def __init__(self, task: TaskRef, agent: AgentSpec, services: Services, box: OrderBox, board: Board) -> None:
        self._workspace = task.workspace
        self._provider = provider_of(agent)
        self._services = services
        self._box = box
        self._board = board

    def hold(self) -> Hold | None:
        """Return what keeps the attempt from starting an agent and from merging; None: nothing."""
        return frozen_hold(self._services.course.brakes, self._workspace, (self._provider,))

    async def opened(self) -> None:
        """Return once nothing holds the attempt, or an order has come; the step that follows obeys it."""
        while (hold := self.hold()) is not None and self._box.order is None:
            self._say(f"{hold.message}; lifted {remedy(hold)}")
            self._box.changed.clear()
            await self._box.changed.wait()
        self._say("")

    def _say(self, held: str) -> None:
        """Tell whoever watches, once."""
        if held != self._box.held:
            self._box.held = held
            self._board.wait(held)
            self._services.course.changed()
