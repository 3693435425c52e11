"""The fleet: opens it, and puts its parts together. The one place where implementations are chosen."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path

import msgspec

from omni_tui.config import load_agents, load_plan, load_settings, load_workspace
from omni_tui.crew import Crew
from omni_tui.engine.clock import Clock, SystemClock
from omni_tui.engine.core import Core, Wiring
from omni_tui.engine.course import CourseKeeper
from omni_tui.engine.fenced import fenced
from omni_tui.engine.held import Held, secrets_of
from omni_tui.engine.provision import Provision
from omni_tui.engine.services import Services
from omni_tui.engine.wakeups import Wakeups
from omni_tui.engine.workplace import Workplace
from omni_tui.errors import OmniError, PluginError, WorkspaceError
from omni_tui.ground import ProjectGround
from omni_tui.handoff import Handoff, render
from omni_tui.lookback import read_night, read_release
from omni_tui.model.attempt import AgentSpec
from omni_tui.model.confinement import Confinement
from omni_tui.model.event import Event
from omni_tui.model.fence import Fence
from omni_tui.model.load import Sample
from omni_tui.model.project_settings import WorkspaceSettings
from omni_tui.model.settings import Settings, Slots
from omni_tui.model.task import Status
from omni_tui.model.text import throughout
from omni_tui.plugins import detection, load, registry
from omni_tui.plugins.agent.protocol import Agent
from omni_tui.plugins.notifier.protocol import Notifier, NotifierSpec
from omni_tui.plugins.proxy.command import proxies
from omni_tui.plugins.reaction.protocol import Reaction, ReactionSpec
from omni_tui.plugins.runtime.protocol import Runtime, RuntimeSpec
from omni_tui.plugins.scm.protocol import Scm, ScmSpec
from omni_tui.plugins.source.protocol import Source
from omni_tui.plugins.terminal.protocol import Terminal
from omni_tui.plugins.tracker.protocol import Tracker, TrackerSpec
from omni_tui.plugins.workspace.protocol import Workspace, WorkspaceSpec
from omni_tui.policy import holding
from omni_tui.policy.course import NIGHT_SECONDS
from omni_tui.policy.redaction import Secret
from omni_tui.shelter import Shelter
from omni_tui.sources import make_sources
from omni_tui.store.files import DISK, Disk, publish
from omni_tui.store.journal import Journal, read_events
from omni_tui.store.layout import create_workspace
from omni_tui.store.lease import Lease
from omni_tui.store.paths import FleetPaths, WorkspacePaths
from omni_tui.store.queue import Queue
from omni_tui.store.reader import FleetReader
from omni_tui.store.runs import Runs
from omni_tui.store.state import take_state, write_state
from omni_tui.store.watch import TreeWatch
from omni_tui.suppliers import Suppliers

DAY_SECONDS = 86400.0  # how far back a hand-off looks, as `omni-tui report` does
RUNTIMES = ("tmux", "process")
"""What `auto` takes: the first that can be used here."""


def find_runtime(kind: str) -> str | None:
    """Return the runtime plugin that `kind` means on this machine; None: it cannot be used. Raises `PluginError`."""
    kinds = RUNTIMES if kind == "auto" else (kind,)
    return next((name for name in kinds if registry.load("runtime", name).find() is not None), None)


class Fleet:
    """An opened fleet: its paths, its settings in force, and its parts, each made when it is asked for."""

    def __init__(
        self,
        root: Path,
        *,
        slots: Slots | None = None,
        take_over: bool = False,
        clock: Clock | None = None,
        disk: Disk = DISK,
    ) -> None:
        """Take where it is; `slots` instead of those that are set; whether to `take_over` from another dispatcher."""
        self.paths = FleetPaths(root)
        self.suppliers = Suppliers(self.paths.providers)
        self.clock = clock or SystemClock()
        self.disk = disk
        self._owned = disk
        self._fence = Fence()
        self._slots = slots
        self._take_over = take_over

    @cached_property
    def settings(self) -> Settings:
        """What is in force. Raises `ConfigError` at the first look; what needs no setting works with a wrong file."""
        return self._load()

    def _load(self) -> Settings:
        settings = load_settings(self.paths.config)
        if self._slots is None:
            return settings
        return msgspec.structs.replace(
            settings, scheduler=msgspec.structs.replace(settings.scheduler, slots=self._slots)
        )

    def reload(self) -> Settings:
        """Read `config.toml` again and put it in force. Raises `ConfigError`; then the last good one stays."""
        self.settings = self._load()
        return self.settings

    # -- parts that serve the whole fleet --------------------------------------------------------------------------

    @cached_property
    def runtime(self) -> Runtime:
        """Where agents run."""
        settings = self.settings.runtime
        kind = find_runtime(settings.kind)
        if kind is None:
            raise PluginError(
                f"no runtime can be used here: {', '.join(RUNTIMES) if settings.kind == 'auto' else settings.kind}",
                where=str(self.paths.config),
                fix='install tmux, or set `kind = "process"` under [runtime]',
            )
        runtime: Runtime = registry.load("runtime", kind)(
            RuntimeSpec(
                root=self.paths.root,
                columns=settings.columns,
                rows=settings.rows,
                history_lines=settings.history_lines,
                sandbox=self.shelter.kind,
                proxies=proxies(os.environ),
                redact=self.redact,
            )
        )
        return runtime

    @cached_property
    def shelter(self) -> Shelter:
        """What keeps agents, checks and set-up commands from the rest of this machine."""
        return Shelter(self.settings, str(self.paths.config))

    @cached_property
    def terminal(self) -> Terminal:
        """How a person gets to an agent's terminal."""
        terminal: Terminal = registry.load("terminal", self.settings.plugins.terminal)()
        return terminal

    @cached_property
    def held(self) -> Held:
        """The secrets that nothing of ours may show: of our environment, and of every workspace there is."""
        held = Held(holding.in_environment(os.environ), detection.known_shapes)
        for name in self.paths.workspace_names():
            with contextlib.suppress(OmniError):  # a wrong file is told where its workspace is opened
                held.hold(self.secrets(name))
        return held

    def redact(self, text: str) -> str:
        """Return `text` with every held secret masked; they are read at the first text."""
        return self.held.redact(text)

    def load_plugins(self) -> None:
        """Load the plugins that serve the whole fleet now, rather than at their first use. Raises `PluginError`."""
        _ = self.runtime, self.terminal

    def lead(
        self, mode: str, listener: Callable[[Event], None], *, until_idle: bool = False, stop_agents: bool = False
    ) -> Core:
        """Take the lease and return the core, made for the loop this is called on.

        Raises `ConfigError` for a wrong `config.toml`, before the lease is taken, and `LeaseHeldError`.
        """
        _ = self.settings, self.suppliers.now()
        lease = self.take_lease(mode)
        self._owned = self.disk.through(lease.door)
        self._fence = Fence(epoch=lease.epoch, check=lease.check)
        return Core(self._services(lease, listener), self._wiring(), until_idle=until_idle, stop_agents=stop_agents)

    def take_lease(self, mode: str) -> Lease:
        """Become the one dispatcher. Raises `LeaseHeldError`."""
        return Lease.acquire(self.paths.lease, mode, self.clock.now, take_over=self._take_over, disk=self.disk)

    def watch(self) -> TreeWatch:
        """Return what tells of changes in the tree."""
        return TreeWatch()

    def load(self) -> Sample:
        """Return how loaded the machine is, and what is free on the fleet's disk."""
        return load.sample(self.paths.root)

    async def sample(self) -> Sample:
        """Return the same, looked at on a thread."""
        return await asyncio.to_thread(self.load)

    def notifiers(self) -> Sequence[Notifier]:
        """Return the ways by which a person hears of what needs them."""
        spec = NotifierSpec(root=self.paths.root)
        return [registry.load("notifier", name)(spec) for name in self.settings.plugins.notifiers]

    def harness(self, name: str) -> Agent:
        """Return a fresh reader of an attempt's signals."""
        harness: Agent = registry.load("agent", name)()
        return harness

    def _services(self, lease: Lease, listener: Callable[[Event], None]) -> Services:
        course = CourseKeeper(lambda: self.settings.night, self.suppliers.now)
        return Services(
            clock=self.clock,
            journal=Journal(self.paths.journal, self.clock.now, self._owned),
            lease=lease,
            disk=self._owned,
            runtime=fenced(self.runtime, lease.check),
            wakeups=Wakeups(self.watch()),
            reactions=self.reactions,
            notifiers=[fenced(notifier, lease.check) for notifier in self.notifiers()],
            variables=os.environ,
            held=self.held,
            settings=lambda: self.settings,
            listener=listener,
            course=course,
            provision=Provision(self.suppliers.now, course, self.clock.now),
            sample=self.sample,
        )

    def reactions(self) -> Sequence[Reaction]:
        """Return what proposes an answer to a failure, by the settings in force."""
        spec = ReactionSpec(repairs=self.settings.limits.repairs)
        return [registry.load("reaction", name)(spec) for name in self.settings.plugins.reactions]

    def _wiring(self) -> Wiring:
        return Wiring(
            paths=self.paths,
            open_place=self.open_place,
            reload=self.reload,
            reload_providers=self.suppliers.reload,
            state=take_state(self.paths.root, self._owned),
            recent=self.recent,
            hand_off=self.hand_off,
            save_state=lambda state: write_state(self.paths.root, throughout(state, self.redact), self._owned),
        )

    def recent(self) -> Iterable[Event]:
        """Read what happened in the hours of which the course of a run is made."""
        return read_events(self.paths.journal, self.clock.now() - NIGHT_SECONDS)

    def hand_off(self, reason: str) -> None:
        """Write `HANDOFF.md`: how the run stands that stops for `reason`. Raises `OSError`."""
        reader = FleetReader(self.paths, self.clock.now)
        night = read_night(reader, reader.read(), DAY_SECONDS)
        releases = tuple(
            filter(None, (read_release(self.paths.workspace(name)) for name in self.paths.workspace_names()))
        )
        text = render(Handoff(root=str(self.paths.root), reason=reason, night=night, releases=releases))
        publish(self.paths.handoff, self.redact(text).encode("utf-8", "replace"), disk=self._owned)

    # -- one workspace ---------------------------------------------------------------------------------------------

    def workspace_settings(self, name: str) -> WorkspaceSettings:
        """Return a workspace's settings. Raises `WorkspaceError` where there is none, `ConfigError` for wrong ones."""
        paths = self.paths.workspace(name)
        if name not in self.paths.workspace_names():
            there = ", ".join(self.paths.workspace_names()) or "none yet"
            raise WorkspaceError(
                f"there is no workspace {name!r}", where=str(self.paths.workspaces), fix=f"there is: {there}"
            )
        return load_workspace(paths.toml)

    def sources(self, name: str) -> Sequence[Source]:
        """Return what refills a workspace's queue. Raises `ConfigError` naming what is wrong in its settings."""
        return make_sources(
            self.paths.workspace(name).toml, self.workspace_settings(name).sources, os.environ, self.clock.now
        )

    def queue(self, name: str) -> Queue:
        """Return a workspace's queue, as anybody may add to it."""
        return self._queue(name, self.disk)

    def _queue(self, name: str, disk: Disk) -> Queue:
        return Queue(self.paths.workspace(name), self.clock.now, disk, redact=self.redact)

    def scm(self, name: str) -> Scm:
        """Return a workspace's scm."""
        return self.scm_in(self.paths.workspace(name), self.workspace_settings(name))

    def scm_in(self, paths: WorkspacePaths, settings: WorkspaceSettings) -> Scm:
        """Return the scm of the workspace at `paths`, which may not be one of the fleet's yet."""
        scm: Scm = registry.load("scm", settings.scm or self.settings.plugins.scm)(
            ScmSpec(
                repo=paths.repo,
                base=settings.base,
                release=settings.release,
                author=self.settings.merge.author,
                origin=settings.repo,
                now=self.clock.now,
                fence=self._fence,
            )
        )
        return scm

    async def open_place(self, name: str) -> Workplace:
        """Make a workspace ready to take tasks. Raises `OmniError` if it cannot be used (yet)."""
        settings, paths = self.workspace_settings(name), self.paths.workspace(name)
        if not paths.repo.is_dir():
            raise WorkspaceError(
                "the workspace has no repo.git", where=str(paths.root), fix="clone one there with `git clone --bare`"
            )
        create_workspace(paths)
        queue, check = self._queue(name, self._owned), self._fence.check
        crew = Crew(paths.agents, settings)
        scm = fenced(self.scm(name), check)
        await scm.open()
        return Workplace(
            name=name,
            settings=settings,
            paths=paths,
            queue=queue,
            runs=Runs(paths, self._owned, redact=self.redact),
            tracker=fenced(self._tracker(settings, paths, queue), check),
            checkouts=fenced(self._checkouts(settings, paths), check),
            scm=scm,
            agents=lambda: self.suppliers.serve(crew.now(), paths.agents),
            harness=self.harness,
            ground=ProjectGround(paths, settings),
            secrets=lambda: self.secrets(name),
            read_plan=lambda: load_plan(paths.plan),
            sources=[fenced(source, check) for source in self.sources(name)],
        )

    def agents(self, name: str) -> Sequence[AgentSpec]:
        """Return a workspace's agents, in the order that tasks go to them."""
        return load_agents(self.paths.workspace(name).agents, self.workspace_settings(name))

    def served(self, name: str) -> Sequence[AgentSpec]:
        """Return a workspace's agents, each as often as there are providers that fit it. Raises `ConfigError`."""
        return self.suppliers.serve(self.agents(name), self.paths.workspace(name).agents)

    def secrets(self, name: str) -> Sequence[Secret]:
        """Read what a workspace's agents get to see and nobody else may. Raises `OmniError` for wrong settings."""
        settings, paths = self.workspace_settings(name), self.paths.workspace(name)
        agents = self.served(name)
        named = {variable for agent in agents for variable in agent.secrets}
        named.update(*(source.secrets for source in self.sources(name)))
        source = paths.copy_from(settings)
        held = secrets_of(os.environ, named, (source / file for file in settings.copy))
        return [*held, *(secret for name in {agent.harness for agent in agents} for secret in self._login(name))]

    def _login(self, harness: str) -> Iterable[Secret]:
        """Yield the tokens that a harness logs in with; one that is not there is told where an agent needs it."""
        with contextlib.suppress(PluginError):
            plugin: type[Agent] = registry.load("agent", harness)
            for token in plugin.tokens(self.paths.logins / harness, os.environ):
                yield Secret(f"the login of {harness}", token)

    def _tracker(self, settings: WorkspaceSettings, paths: WorkspacePaths, queue: Queue) -> Tracker:
        plugin = registry.load("tracker", settings.tracker or self.settings.plugins.tracker)
        tracker: Tracker = plugin(
            TrackerSpec(
                workspace=paths.name,
                todo=paths.queue(Status.TODO),
                read=queue.read_finished,
                taken=queue.taken,
                remark=queue.remark,
                now=self.clock.now,
            )
        )
        return tracker

    def _checkouts(self, settings: WorkspaceSettings, paths: WorkspacePaths) -> Workspace:
        shelter = self.shelter
        environment = shelter.variables(os.environ, net=settings.net)

        def confine(checkout: Path, scratch: Path) -> Sequence[str]:
            reach = Confinement(read=(str(paths.repo),), write=(str(checkout),), hide=(str(self.paths.root),))
            return shelter.confine(reach, environment, scratch, net=settings.net)

        plugin = registry.load("workspace", settings.workspace or self.settings.plugins.workspace)
        workspace: Workspace = plugin(
            WorkspaceSpec(
                name=paths.name,
                repo=paths.repo,
                worktrees=paths.worktrees,
                release=settings.release,
                copy_from=paths.copy_from(settings),
                copy=settings.copy,
                setup=settings.setup,
                setup_seconds=settings.setup_minutes * 60,
                fence=self._fence,
                environment=environment,
                confine=confine,
            )
        )
        return workspace
