"""Keeps the course of a run: folds each event as it is recorded, and records what follows from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce

from omni_tui.model.attempt import AgentSpec
from omni_tui.model.brakes import Brakes
from omni_tui.model.course import Course
from omni_tui.model.event import Event
from omni_tui.model.settings import NightSettings
from omni_tui.model.task import Task
from omni_tui.policy.braking import unfrozen
from omni_tui.policy.course import Decided, decide, fold
from omni_tui.policy.routing import provider_of, providers_for
from omni_tui.policy.scheduling import may_go_on


class CourseKeeper:
    """Holds the one course. `record` writes a decision to the journal, from where it comes back to `hear`."""

    def __init__(self, settings: Callable[[], NightSettings], now: Callable[[], float]) -> None:
        self.course = Course()
        self.changed: Callable[[], None] = lambda: None
        """Called whenever the course has changed."""
        self.record: Callable[[Decided], None] = lambda _: None
        self.brakes = Brakes()
        """Those that are on."""
        self._settings = settings
        self._now = now

    def remember(self, events: Iterable[Event]) -> None:
        """Take up the course again from what the journal holds."""
        self.course = reduce(fold, events, self.course)

    def hear(self, event: Event) -> None:
        """Take in what happened, and record what follows."""
        before, self.course = self.course, fold(self.course, event)
        for decided in decide(before, self.course, event, self._settings()):
            self.record(decided)
        if self.course is not before:
            self.changed()

    def may_go_on(self, task: Task, agents: Iterable[AgentSpec]) -> bool:
        """Whether a running task may have another attempt at once."""
        return may_go_on(task, self.course, providers_for(task, list(agents)), self._now(), self.brakes)

    def serving(self, agents: Iterable[AgentSpec]) -> list[AgentSpec]:
        """Return the agents whose provider is neither frozen nor parked, else all that are not frozen, else all."""
        everyone = list(agents)
        open_ = unfrozen(self.brakes, map(provider_of, everyone))
        everyone = [agent for agent in everyone if provider_of(agent) in open_] or everyone
        return [agent for agent in everyone if provider_of(agent) not in self.course.parked] or everyone
