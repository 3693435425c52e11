"""Provision: who serves whom now, and on what budgets, by the providers in force."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from omni_tui.engine.course import CourseKeeper
from omni_tui.model.attempt import AgentSpec, AttemptId
from omni_tui.model.event import Event
from omni_tui.model.provider import Provider, Standing
from omni_tui.model.settings import Settings
from omni_tui.model.task import Task, TaskRef
from omni_tui.policy.braking import unfrozen
from omni_tui.policy.budget import for_a_task, ledgers
from omni_tui.policy.routing import choose_agent, provider_of, providers_for
from omni_tui.policy.scheduling import may_go_on
from omni_tui.policy.standing import standings
from omni_tui.policy.usage import Usage
from omni_tui.policy.vitals import Bounds, bounds

OVER = ("attempt.judged", "attempt.failed")
"""Events after which an attempt needs its provider no more."""


class Provision:
    """Keeps who serves each task that runs. `providers` gives those in force."""

    def __init__(
        self, providers: Callable[[], Mapping[str, Provider]], course: CourseKeeper, now: Callable[[], float]
    ) -> None:
        self.providers = providers
        self._course = course
        self._now = now
        self._serving: dict[TaskRef, str] = {}

    @property
    def matters(self) -> bool:
        """Whether it has to be asked who serves: without providers, trouble and brakes everybody is served."""
        braked = any(scope.provider for scope in self._course.brakes.scopes)
        return bool(self.providers() or self._course.course.parked or braked)

    def standings(self, without: TaskRef | None = None) -> Mapping[str, Standing]:
        """Return how the providers stand; `without` does not count among what they serve."""
        serving = [name for ref, name in self._serving.items() if ref != without]
        return standings(self.providers(), self._course.course, serving, self._now())

    # -- who serves ------------------------------------------------------------------------------------------------

    def choose(self, task: Task, agents: Sequence[AgentSpec], turn: int) -> AgentSpec | str:
        """Return the agent for a task, served by the best provider for it, which it occupies from now on."""
        open_ = unfrozen(self._course.brakes, map(provider_of, agents))
        free = [agent for agent in agents if provider_of(agent) in open_] or agents
        chosen = choose_agent(task, free, turn, self.standings(task.ref))
        if isinstance(chosen, AgentSpec):
            self.occupy(task.ref, chosen)
        return chosen

    def occupy(self, ref: TaskRef, agent: AgentSpec) -> None:
        """Note who serves a task."""
        self._serving[ref] = provider_of(agent)

    def leave(self, ref: TaskRef) -> None:
        """Note that a task runs no more."""
        self._serving.pop(ref, None)

    def hear(self, event: Event) -> None:
        """Note that an attempt needs its provider no more: its agent has ended."""
        if event.event in OVER:
            self._serving.pop(TaskRef(event.workspace, event.task), None)

    def may_go_on(self, task: Task, agents: Iterable[AgentSpec]) -> bool:
        """Whether a running task may have another attempt at once."""
        who: Collection[str] = providers_for(task, list(agents))
        return may_go_on(task, self._course.course, who, self.standings(task.ref), self._course.brakes)

    def bounds(self, attempt: AttemptId, task: Task, agent: AgentSpec, settings: Settings, before: Usage) -> Bounds:
        """Return what an attempt may take, by what others have used of the budgets that it shares with them."""
        provider = self.providers().get(agent.provider)
        shared = ledgers(self._course.course, str(attempt), settings.night, provider)
        each = for_a_task(provider.task) if provider is not None else Usage()
        return bounds(settings, agent, task, before, shared, each)
