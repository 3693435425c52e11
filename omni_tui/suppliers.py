"""The providers of a fleet: those in force, the agents that each may serve, and how each stands by the files alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from omni_tui.config import check_providers, load_providers
from omni_tui.model.attempt import AgentSpec
from omni_tui.model.course import Course
from omni_tui.model.provider import Provider, Standing
from omni_tui.model.task import TaskRef
from omni_tui.policy.routing import serve
from omni_tui.policy.standing import standings


class Suppliers:
    """Keeps the providers in force: those of the files as they were when all of them were right."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._providers: Mapping[str, Provider] | None = None

    def now(self) -> Mapping[str, Provider]:
        """Return those in force, by name. Raises `ConfigError` at the first look."""
        if self._providers is None:
            self.reload()
        return self._providers or {}

    def reload(self) -> Mapping[str, Provider]:
        """Read them again and put them in force. Raises `ConfigError`; then the last good ones stay."""
        self._providers = load_providers(self._directory)
        return self._providers

    def serve(self, agents: Sequence[AgentSpec], directory: Path) -> Sequence[AgentSpec]:
        """Return the agents of `directory`, each as often as providers fit it. Raises `ConfigError` where none can."""
        check_providers(agents, self.now(), directory)
        return serve(agents, self.now())

    def standings(self, course: Course, running: Collection[TaskRef], now: float) -> Mapping[str, Standing]:
        """Return how they stand by what the journal came to, while the `running` tasks are in doing/."""
        there = set(map(str, running))
        serving = [name for attempt, name in course.providers.items() if attempt.rpartition("#")[0] in there]
        return standings(self.now(), course, serving, now)
