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
from omni_tui.policy.flags import unmet
from omni_tui.policy.radar import overtaken_in_a_row
from omni_tui.policy.routing import NOBODY_TAKES_IT
from omni_tui.policy.usage import Usage

PATIENCE_SECONDS = 5.0
"""The longest pause for which a task keeps its slot."""


class Delivery:
    """One task's attempts: those on disk first, in their order, then new ones."""

    def __init__(self, task: Task, place: Workplace, services: Services, box: OrderBox) -> None:
        self.task = task
        self._place = place
        self._services = services
        self._box = box
        self._left = place.runs.attempts(task.id)
        self._attempt: Attempt | None = None
        self._over_before = False
        """Whether the attempt at hand had come to its conclusion before this delivery began."""

    async def next_attempt(self, failures: Sequence[Failure]) -> Attempt:
        """Return the attempt that a crash left, or a new one. Raises `PluginError` if no agent can take the task."""
        attempt = AttemptId(task=self.task.ref, number=self._next_number())
        run = self._place.runs.open(attempt)
        services = self._services
        engine = LocalEngine(run, services.clock, services.lease.epoch, services.lease.check)
        agent = await engine.step("assign", AgentSpec, self._assign)
        services.provision.occupy(self.task.ref, agent)
        self._over_before = engine.is_done("conclude")
        self._attempt = Attempt(
            attempt=attempt,
            task=self.task,
            agent=agent,
            place=self._place,
            services=services,
            engine=engine,
            run=run,
            box=self._box,
            history=tuple(failures),
            used_before=self._used_before(attempt.number),
            since=self._since(failures),
        )
        if not self._over_before:  # else only the next one shows its age, and whether it was overtaken
            self._place.flights.enter(self._attempt.flight)
        return self._attempt

    def _next_number(self) -> int:
        if self._left:
            return self._left.pop(0)
        return self._place.runs.last_number(self.task.id) + 1

    def _since(self, failures: Sequence[Failure]) -> float:
        """Return when the first of the latest attempts began that others overtook; 0: the last one was not."""
        row = overtaken_in_a_row(failures)
        if not row:
            return 0.0
        number = self._place.runs.attempts(self.task.id)[len(failures) - row]
        status = self._place.runs.open(AttemptId(task=self.task.ref, number=number)).read_status()
        return status.started_at if status is not None else 0.0

    def _used_before(self, number: int) -> Usage:
        """Return what the task's earlier attempts have used, as far as they count."""
        runs, used = self._place.runs, Usage()
        for earlier in runs.attempts(self.task.id):
            status = (
                runs.open(AttemptId(task=self.task.ref, number=earlier)).read_status() if earlier < number else None
            )
            if status is not None:
                minutes = max(0.0, status.updated_at - status.started_at) / 60
                used += Usage(turns=status.turns, tokens=status.tokens, usd=status.usd, minutes=minutes)
        return used

    async def _assign(self) -> AgentSpec:
        agents = self._place.agents()
        chosen = self._services.provision.choose(self.task, agents, self._place.turn)
        if isinstance(chosen, str):
            raise PluginError(chosen, fix=NOBODY_TAKES_IT)
        self._place.turn += 1
        return chosen

    async def pause(self, move: Move) -> bool:
        """Wait as `move` says; False: that is too long to keep a slot for, something holds the task, or an order came.

        Between attempts that are on disk there is nothing to wait for, and no order is obeyed: the last one's agent may
        live. Nor after an attempt that was over before: the claim came when its time had.
        """
        if self._left:
            return True
        if self._box.order is not None:
            return False
        if self._over_before:
            return True
        if unmet(self.task, self._place.flags.known):  # flipped meanwhile
            return False
        if move.delay > PATIENCE_SECONDS or not self._services.provision.may_go_on(self.task, self._place.agents()):
            return False
        clock = self._services.clock
        return not await clock.wait(self._box.given, clock.monotonic() + move.delay)

    async def abandon(self) -> None:
        """End what the task's attempts have started. Raises `RuntimeFailedError` if something outlives that.

        What their steps say may be what is spoilt, so the runtime's own records are gone by as well.
        """
        if self._attempt is not None:
            await self._attempt.abandon()
        runtime, ref = self._services.runtime, self.task.ref
        for number in self._place.runs.attempts(ref.id):
            attempt = AttemptId(task=ref, number=number)
            run = self._place.runs.open(attempt)
            for directory in (run.dir, *sorted(run.dir.glob("check.*"))):
                handle = runtime.started(attempt.process, directory)
                if handle is not None:
                    await runtime.kill(handle, grace=0.0)
                    await runtime.release(handle)

    def checkout(self) -> str:
        """Return the checkout that stays of the task's latest attempt; empty: none does."""
        latest = AttemptId(self.task.ref, self._place.runs.last_number(self.task.id))
        path = self._place.paths.worktrees / latest.checkout
        return str(path) if path.is_dir() else ""
