"""Supply: who could serve the tasks that wait, and the preflights of those who have to prove first that they serve."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress

from omni_tui.engine.guard import Guard
from omni_tui.engine.mending import Mending
from omni_tui.engine.preflight import Preflight
from omni_tui.engine.services import Services
from omni_tui.engine.workplace import Workplace
from omni_tui.errors import LeaseLostError, OmniError
from omni_tui.model.attempt import AgentSpec
from omni_tui.model.brakes import Freeze
from omni_tui.model.failure import Failure, FailureKind
from omni_tui.model.task import Task, TaskRef
from omni_tui.policy.braking import frozen_by
from omni_tui.policy.routing import provider_of, servers
from omni_tui.policy.standing import is_due

AGAIN_SECONDS = 30.0
"""After so long a preflight of which nothing could be written down is tried again."""

Waiting = Callable[[], Iterable[tuple[Workplace, Sequence[Task]]]]


class Supply:
    """Looks at the open workplaces with what waits in each; `wake` is set after each preflight."""

    def __init__(self, services: Services, guard: Guard, waiting: Waiting, wake: asyncio.Event) -> None:
        self._services = services
        self._guard = guard
        self._waiting = waiting
        self._wake = wake
        self._trying: dict[str, asyncio.Future[Failure | None]] = {}
        self.mending = Mending(services, waiting)

    @property
    def busy(self) -> bool:
        """Whether a provider is being tried."""
        return bool(self._trying)

    def servers(self) -> Mapping[TaskRef, Collection[str]]:
        """Return who could serve each waiting task; nothing where that does not matter."""
        if not self._services.provision.matters:
            return {}
        served: dict[TaskRef, Collection[str]] = {}
        for place, tasks in self._waiting():
            with suppress(OmniError):  # wrong settings of an agent are told at the start that needs them
                served |= servers(tasks, place.agents() if tasks else ())
        return served

    def occupy(self, place: Workplace, task: Task) -> None:
        """Take a slot of who will most probably serve a task that starts, until its delivery has chosen."""
        if self._services.provision.matters:
            with suppress(OmniError):  # as above: the delivery tells
                self._services.provision.choose(task, place.agents(), place.turn)

    def prove(self, *, held: bool) -> None:
        """Begin the preflights of those who could serve a waiting task and must be tried before; none while `held`."""
        if held:
            return
        due = {name for name, standing in self._services.provision.standings().items() if is_due(standing)}
        for place, tasks in self._waiting() if due else ():
            with suppress(OmniError):  # as above
                agents = place.agents() if tasks else ()
                wanted = due.intersection(name for who in set(servers(tasks, agents).values()) for name in who)
                for agent in agents:
                    if provider_of(agent) in wanted and self._freeze(place, agent) is None:
                        self._begin(place, agent)

    async def check(self, name: str) -> str:
        """Try a provider now, with an agent that it serves; say how that went. Raises `OmniError` where it failed."""
        places = [place for place, _ in self._waiting()]
        served = [(place, agent) for place in places for agent in place.agents() if provider_of(agent) == name]
        if not served:
            fix = "make an agent of its harness, or name it in an agent.toml; see `omni-tui provider list`"
            raise OmniError(f"no agent of an open workspace is served by provider `{name}`", where=name, fix=fix)
        freeze = self._freeze(*served[0])
        if freeze is not None:
            raise OmniError(f"nothing starts: {freeze}", where=f"provider {name}", fix="thaw that first")
        failure = await asyncio.shield(self._begin(*served[0]))
        if failure is not None:
            words = f"it does not serve ({failure.cause}): {failure.message}"
            fix = f"mend its file, key or login, or wait for its limit's end: `omni-tui provider show {name}`"
            raise OmniError(words, where=f"provider {name}", fix=fix)
        return f"provider {name} serves"

    def _freeze(self, place: Workplace, agent: AgentSpec) -> Freeze | None:
        return frozen_by(self._services.course.brakes, place.name, (provider_of(agent),))

    def _begin(self, place: Workplace, agent: AgentSpec) -> asyncio.Future[Failure | None]:
        """Try a provider, once at a time."""
        provider = provider_of(agent)
        if provider not in self._trying:
            self._trying[provider] = asyncio.get_running_loop().create_future()
            self._guard.spawn(f"preflight of {provider}", self._try(place, agent, provider))
        return self._trying[provider]

    async def _try(self, place: Workplace, agent: AgentSpec, provider: str) -> None:
        """Write what comes of a preflight to the journal, where the course hears it."""
        services, began = self._services, self._services.clock.monotonic()
        answer = self._trying[provider]
        try:
            failure = await self._preflight(place, agent, provider)
            services.record(
                "provider.checked",
                provider=provider,
                passed=failure is None,
                seconds=round(services.clock.monotonic() - began, 2),
                kind=failure.cause if failure else "",
                message=failure.message if failure else "",
                until=failure.until if failure else None,
            )
            answer.set_result(failure)
        except OSError:  # not even that can be written: the disk is full, or fails
            await services.clock.sleep(AGAIN_SECONDS)
            raise
        finally:
            answer.cancel()  # nothing, where it has been answered
            del self._trying[provider]
            self._wake.set()

    async def _preflight(self, place: Workplace, agent: AgentSpec, provider: str) -> Failure | None:
        """Return why a provider does not serve, or cannot be tried; None: it serves."""
        try:
            return await Preflight(self._services, place, agent, provider).run()
        except LeaseLostError:
            raise
        except (OmniError, OSError) as error:
            return Failure(kind=FailureKind.FAULT, message=str(error))
