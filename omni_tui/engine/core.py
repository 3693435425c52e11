"""The core: everything that runs under the lease, from its start to its stop. Agents outlive it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from omni_tui.engine.endings import Endings
from omni_tui.engine.guard import Guard
from omni_tui.engine.preflight import clear_away
from omni_tui.engine.requests import RequestDesk
from omni_tui.engine.scheduler import Scheduler
from omni_tui.engine.services import Services
from omni_tui.engine.workplace import Workplace
from omni_tui.errors import LeaseLostError, OmniError
from omni_tui.model.event import Event
from omni_tui.model.provider import Provider
from omni_tui.model.request import Request, RequestKind
from omni_tui.model.settings import Settings, bound_at_start
from omni_tui.model.state import FleetState
from omni_tui.plugins.notifier.protocol import Urgency
from omni_tui.policy.course import near, pauses
from omni_tui.policy.decisions import Decided
from omni_tui.store.files import make_dirs
from omni_tui.store.paths import FleetPaths

DECISIONS = {
    "provider.parked": ("a provider is parked", "{provider} gets no new attempt: {reason}"),
    "provider.resumed": ("a provider serves again", "{provider}"),
    "provider.slots": ("a provider serves another number", "{provider} serves {slots} of {of} at once"),
    "budget.near": ("a budget is nearly used up", "{budget} has used {used}"),
    "cause.found": ("failures share a cause", "{sign} failed in {tasks} of {workspace}; what depends on it is paused"),
    "workspace.broken": ("a workspace is broken", "{workspace}: {reason}"),
    "fleet.stopped": ("the run was stopped", "{reason}; `omni-tui thaw` goes on"),
}
"""How a person is told of what the course of the run has decided."""

VITAL = ("scheduler", "tree watch", "requests")
"""The loops without which a core is none."""


@dataclass(frozen=True)
class Wiring:
    """What the fleet hands in: how to open a workspace, read the configuration again, and keep the state."""

    paths: FleetPaths
    open_place: Callable[[str], Awaitable[Workplace]]
    """Raises `OmniError` if the workspace cannot be used (yet)."""
    reload: Callable[[], Settings]
    """Reads `config.toml` and puts it in force; raises `ConfigError`, with the last good one still in force."""
    reload_providers: Callable[[], Mapping[str, Provider]]
    """Does the same with the files of the providers."""
    state: FleetState
    save_state: Callable[[FleetState], None]
    recent: Callable[[], Iterable[Event]]
    """Reads the events of the last hours, from which the course of the run is taken up again."""
    hand_off: Callable[[str], None]
    """Writes for a person how things stand, and why the run stops. Raises `OSError`, `OmniError`."""


class Core:
    """Dispatches one fleet on one event loop."""

    def __init__(
        self, services: Services, wiring: Wiring, *, until_idle: bool = False, stop_agents: bool = False
    ) -> None:
        self._services = services
        self._wiring = wiring
        self._until_idle = until_idle
        self._stop_agents = stop_agents
        self._stopping = asyncio.Event()
        self._reason = ""
        self._guard = Guard(self._failed)
        self.scheduler = Scheduler(services, self._guard, wiring.state, wiring.save_state)
        self._desk = RequestDesk(wiring.paths.control, self.scheduler, services, self._guard, self._stop_for)
        self._refused: dict[str, str] = {}
        self._settings_refused = False
        self._lost = False
        self._halted = asyncio.Event()
        """The course was stopped by the night's rules."""
        services.course.record = self._record
        services.course.changed = self._show_course
        self._endings = Endings()
        services.course.remember(self._endings.listening(wiring.recent()))

    def stop(self, reason: str) -> None:
        """End the core soon; agents keep running unless it was made with `stop_agents`."""
        self._reason = self._reason or reason
        self._stopping.set()

    def _stop_for(self, reason: str) -> str:
        """End the core soon for a person who asked for it; return what becomes of its agents."""
        self.stop(reason)
        if self._services.runtime.survives and not self._stop_agents:
            return "it stops; its agents go on"
        return "it stops; its agents end with it, and their tasks wait for the next start"

    async def run(self) -> str:
        """Dispatch until stopped; return the reason."""
        services, wakeups = self._services, self._services.wakeups
        try:
            self._desk.read_brakes()
            owner, frozen = services.lease.owner, self.scheduler.state.frozen
            services.record("core.started", mode=owner.mode, pid=owner.pid, frozen=frozen)
            self._tell_of_the_sandbox()
            await services.runtime.sweep()
            self._guard.spawn("tree watch", wakeups.run())
            await self._open_places()
            self._guard.spawn("new workspaces", self._watch_workspaces())
            self._guard.spawn("configuration", self._watch_settings())
            self._guard.spawn("providers", self._watch_providers())
            self._guard.spawn("lease", self._watch_lease())
            self._guard.spawn("requests", self._desk.run())
            self._guard.spawn("scheduler", self.scheduler.run())
            self._show_course()
            if owner.mode == "headless":
                self._guard.spawn("until stopped", self._stop_when_stopped())
            if self._until_idle:
                self._guard.spawn("until idle", self._stop_when_idle())
            await self._stopping.wait()
            if self._stop_agents and not self._lost:
                await self.scheduler.stop_agents(self._reason)
        finally:
            await self._close()
        return self._reason

    def _tell_of_the_sandbox(self) -> None:
        unguarded = self._services.settings().sandbox.kind == "off"
        self.scheduler.change_state(unguarded=unguarded)
        if unguarded:
            self._services.record("fleet.unguarded")

    async def carry_out_alone(self, request: Request) -> str:
        """Carry out one request without dispatching, for a command that found nobody in charge."""
        self._guard.spawn("tree watch", self._services.wakeups.run())
        try:
            workspace, _, task_id = request.task.partition("/")
            if request.kind is RequestKind.CHECK:
                for name in self._wiring.paths.workspace_names():
                    self.scheduler.open_for_one(await self._wiring.open_place(name), "")
            elif workspace:
                self.scheduler.open_for_one(await self._wiring.open_place(workspace), task_id)
            return await self._desk.carry_out(request)
        finally:
            await self._close()

    async def _close(self) -> None:
        await self._guard.close()
        await self._services.runtime.close()
        try:
            if self._lost:
                self._services.tell("core.stopped", reason=self._reason)
            else:
                self._services.record("core.stopped", reason=self._reason)
                self._hand_off(self._reason)
        finally:
            self._services.lease.release()

    def _hand_off(self, reason: str) -> None:
        """Leave a person what they need to go on; a command that did one thing alone has stopped nothing."""
        if self._services.lease.owner.mode == "command":
            return
        try:
            self._wiring.hand_off(reason)
        except (OSError, OmniError) as error:
            self._services.tell("core.fault", where="the hand-off", error=str(error))

    async def _stop_when_idle(self) -> None:
        await self.scheduler.idle.wait()
        self.stop(self.scheduler.standstill or "idle: nothing runs and nothing can start")

    # -- the course of the run -------------------------------------------------------------------------------------

    def _record(self, decided: Decided) -> None:
        """Write down what the course has decided, and tell a person."""
        data = decided.data
        if decided.event == "provider.parked" and data["until"] is None:
            data = data | {"premise": self.scheduler.supply.mending.premise(data["provider"])}
        self._services.record(decided.event, workspace=decided.workspace, **data)
        title, text = DECISIONS[decided.event]
        words = text.format(workspace=decided.workspace, **decided.data)
        self._guard.spawn(f"notice of {decided.event}", self._services.notify(Urgency.ATTENTION, title, words))
        if decided.event == "fleet.stopped":
            self._hand_off(decided.data["reason"])
            self._guard.spawn("hand-off of a stop", self._hand_off_once_idle())

    async def _hand_off_once_idle(self) -> None:
        """Hand over again once what still ran when the run was stopped has ended."""
        await self.scheduler.idle.wait()
        if reason := self._services.course.course.stopped:
            self._hand_off(reason)

    def _show_course(self) -> None:
        course = self._services.course.course
        if course.stopped and not course.unserved:  # one that waits for a provider may go on by itself
            self._halted.set()
        else:
            self._halted.clear()
        self.scheduler.change_state(
            stopped=course.stopped, parked=course.parked, pauses=pauses(course), near=near(course)
        )
        self.scheduler.wake.set()

    async def _stop_when_stopped(self) -> None:
        """End a run that nobody watches once its own rules have stopped it and what ran has ended."""
        course = self._services.course
        while True:
            await self._halted.wait()
            await self.scheduler.idle.wait()
            if course.course.stopped:  # nobody has thawed it while the last agents ended
                self.stop(course.course.stopped)
                return

    def _failed(self, name: str, error: BaseException) -> None:
        """Say that something of ours failed; without its loops, or unable to put a task away, the core cannot go on.

        Once the lease is lost nothing is written any more: the fleet's tree is another's.
        """
        words = f"{type(error).__name__}: {error}"
        if isinstance(error, LeaseLostError):
            if not self._lost:  # every loop comes upon it
                self._lost = True
                self.stop(str(error))
                self._services.tell("core.fault", where=name, error=words)
            return
        if name in VITAL or name.startswith("delivery of "):
            self.stop(f"{name} failed: {error}")
        self._services.record("core.fault", where=name, error=words)
        self.scheduler.change_state(message=f"{name} failed: {error}")

    # -- what changes while it runs --------------------------------------------------------------------------------

    async def _open_places(self) -> None:
        names = self._wiring.paths.workspace_names()
        self.scheduler.look_again_but_at(names)
        for name in names:
            if self.scheduler.place(name) is None:
                await self._open_place(name)

    async def _open_place(self, name: str) -> None:
        try:
            place = await self._wiring.open_place(name)
            await clear_away(self._services, place)
        except OmniError as error:
            if self._refused.get(name) != str(error):
                self._refused[name] = str(error)
                self._services.record("workspace.refused", workspace=name, error=str(error))
                self.scheduler.change_state(message=str(error))
                await self._services.notify(Urgency.ATTENTION, f"workspace {name} cannot be used", str(error))
            return
        self._refused.pop(name, None)
        self._services.record("workspace.opened", workspace=name)
        await self._endings.tell(place, self._services)
        self.scheduler.open(place)

    async def _watch_workspaces(self) -> None:
        """Open a workspace as soon as its directory is there and whole."""
        changed, wakeups = asyncio.Event(), self._services.wakeups
        wakeups.add(changed, self._wiring.paths.workspaces)
        watched: set[Path] = set()
        while True:
            changed.clear()
            wanted = self._growing()
            for path in wanted - watched:
                wakeups.add(changed, path)
            for path in watched - wanted:
                wakeups.remove(changed, path)
            if wanted - watched:
                changed.set()  # something may have come before it was watched
            watched = wanted
            await self._open_places()
            await changed.wait()

    def _growing(self) -> set[Path]:
        """Return the directories whose change may make a workspace whole: a clone writes its refs last."""
        places = [self._wiring.paths.workspace(name) for name in self._wiring.paths.workspace_names()]
        closed = [place for place in places if self.scheduler.place(place.name) is None]
        inner = [path for place in closed for path in (place.repo, place.repo / "refs/heads") if path.is_dir()]
        return {*(place.root for place in places), *inner}

    async def _watch_settings(self) -> None:
        """Take over a changed configuration; leave a bad one aside and say so."""
        changed, path = asyncio.Event(), self._wiring.paths.config
        self._services.wakeups.add(changed, path.parent, path)
        changed.set()  # it may have changed before it was watched
        while True:
            await changed.wait()
            changed.clear()
            self._take_settings(path.name)

    async def _watch_providers(self) -> None:
        """Take over changed files of providers; leave bad ones aside and say so."""
        changed, directory = asyncio.Event(), self._wiring.paths.providers
        make_dirs(directory, disk=self._services.disk)  # a fleet of an earlier version may have none
        self._services.wakeups.add(changed, directory)
        changed.set()  # they may have changed before they were watched
        while True:
            await changed.wait()
            changed.clear()
            self._take_providers()

    def _take_providers(self) -> None:
        before = self._services.provision.providers()
        try:
            after = self._wiring.reload_providers()
        except OmniError as error:
            self._services.record("config.refused", file="providers/", error=str(error))
            self.scheduler.change_state(message=f"the last good providers stay in force: {error}")
            return
        if after != before:
            self._services.record("config.taken", file="providers/", later=())
            self.scheduler.change_state(message="")
        self.scheduler.wake.set()

    async def _watch_lease(self) -> None:
        """Stop at once when the lease is taken away, not only before the next side effect."""
        changed, path = asyncio.Event(), self._wiring.paths.lease
        self._services.wakeups.add(changed, path.parent, path)
        changed.set()  # it may have been taken away before it was watched
        while True:
            await changed.wait()
            changed.clear()
            self._services.lease.check()

    def _take_settings(self, name: str) -> None:
        before = self._services.settings()
        try:
            after = self._wiring.reload()
        except OmniError as error:
            self._settings_refused = True
            self._services.record("config.refused", file=name, error=str(error))
            self.scheduler.change_state(message=f"the last good configuration stays in force: {error}")
            return
        if after != before or self._settings_refused:
            self._settings_refused = False
            self._services.record("config.taken", file=name, later=bound_at_start(before, after))
            self.scheduler.review_spares()
        self.scheduler.change_state(message="")
        self.scheduler.wake.set()
