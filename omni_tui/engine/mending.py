"""Mending: notices that what turned a provider away for good may have been mended, so that it is tried again.

It goes by what a provider rests on: its file, its key, a login, the program and the settings of the agents that it
serves. That is written down when the provider is parked, too short to tell anything of a secret, and compared whenever
something has happened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

from omni_tui.engine.services import Services
from omni_tui.engine.workplace import Workplace
from omni_tui.errors import OmniError
from omni_tui.model.attempt import AgentSpec
from omni_tui.model.task import Task
from omni_tui.policy.routing import provider_of

BYTES = 2
"""Of the digest: two states of things look the same once in 65,536 times, and no key can be guessed from it."""


class Mending:
    """Looks at the open workplaces, which `waiting` yields with their tasks."""

    def __init__(self, services: Services, waiting: Callable[[], Iterable[tuple[Workplace, Sequence[Task]]]]) -> None:
        self._services = services
        self._waiting = waiting

    def notice(self) -> None:
        """Write down which of the providers that only a person can mend rest on something else by now."""
        for name, parked in list(self._services.course.course.parked.items()):
            if parked.until is None and parked.premise and self.premise(name) not in ("", parked.premise):
                self._services.record("provider.changed", provider=name)

    def premise(self, provider: str) -> str:
        """Return a mark of all that a provider rests on; empty: it serves no agent, or they cannot be read."""
        places = [place for place, _ in self._waiting()]
        found = set()
        with suppress(OmniError):  # wrong settings of an agent are told at the start that needs them
            for place in places:
                found |= {self._of(place, agent) for agent in place.agents() if provider_of(agent) == provider}
            if not found:  # it serves nobody any more
                return ""
            files = {_changed(place.paths.fleet.providers / f"{provider}.toml") for place in places}
            return blake2b(repr((sorted(found), files)).encode(), digest_size=BYTES).hexdigest()
        return ""

    def _of(self, place: Workplace, agent: AgentSpec) -> str:
        """Return what an agent needs of its provider and of this machine."""
        harness, variables = place.harness(agent.harness), self._services.variables
        return repr(
            (
                (agent.base_url, agent.model, agent.key, sorted(agent.env.items())),
                [variables.get(name) for name in agent.secrets],
                harness.tokens(place.paths.fleet.logins / agent.harness, variables),
                harness.find(),
                [(part, _changed(place.paths.agents / agent.name / part)) for part in agent.command],
            )
        )


def _changed(path: Path) -> int:
    """Return when a file was changed last, in nanoseconds; 0: it is not there."""
    try:
        return path.stat().st_mtime_ns
    except (OSError, ValueError):  # a word of a command that is no file
        return 0
