"""A delivery: gives `deliver` its attempts, on the local engine."""

from __future__ import annotations

from collections.abc import Sequence

from omni_tui.engine.attempt import Attempt
from omni_tui.engine.order import OrderBox
from omni_tui.engine.services import Services
from omni_tui.engine.steps import LocalEngine
from omni_tui.engine.workplace import Workplace
from omni_tui.errors import PluginError
from omni_tui.model.attempt import AgentSpec, AttemptId
from omni_tui.model.failure import Failure, Move
from omni_tui.model.task import Task
from omni_tui.policy.routing import choose_agent

PATIENCE_SECONDS = 60.0
"""The longest pause for which a task keeps its slot."""


class Delivery:
    """One task's attempts: those on disk first, in their order, then new ones."""

    def __init__(self, task: Task, place: Workplace, services: Services, box: OrderBox) -> None:
        self.task = task
        self._place = place
        self._services = services
        self._box = box
        self._left = place.runs.attempts(task.id)

    async def next_attempt(self, failures: Sequence[Failure]) -> Attempt:
        """Return the attempt that a crash left, or a new one. Raises `PluginError` if no agent can take the task."""
        attempt = AttemptId(task=self.task.ref, number=self._next_number())
        run = self._place.runs.open(attempt)
        services = self._services
        engine = LocalEngine(run, services.clock, services.lease.epoch, services.lease.check)
        agent = await engine.step("assign", AgentSpec, self._assign)
        return Attempt(
            attempt=attempt,
            task=self.task,
            agent=agent,
            place=self._place,
            services=services,
            engine=engine,
            run=run,
            box=self._box,
            history=tuple(failures),
        )

    def _next_number(self) -> int:
        if self._left:
            return self._left.pop(0)
        return self._place.runs.last_number(self.task.id) + 1

    async def _assign(self) -> AgentSpec:
        chosen = choose_agent(self.task, self._place.agents(), self._place.turn)
        if isinstance(chosen, str):
            raise PluginError(
                chosen, where=str(self.task.ref), fix="name an agent that is there, or make its directory under agents/"
            )
        self._place.turn += 1
        return chosen

    async def pause(self, move: Move) -> bool:
        """Wait as `move` says; False: that is too long to keep a slot for.

        Before an attempt that is on disk already there is nothing to wait for.
        """
        if self._left or not move.delay:
            return True
        if move.delay > PATIENCE_SECONDS:
            return False
        clock = self._services.clock
        await clock.wait(self._box.changed, clock.monotonic() + move.delay)
        return True
