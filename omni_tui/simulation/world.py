"""The simulated world: what outlives a dispatcher. The machine with its agents, the repository, the tree."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

import msgspec
import tomli_w

from omni_tui.model.event import Event
from omni_tui.model.flag import ON, Flag
from omni_tui.model.project_settings import WorkspaceSettings
from omni_tui.model.settings import Settings
from omni_tui.model.signal import Health
from omni_tui.model.task import Task
from omni_tui.plugins.runtime.protocol import Launch
from omni_tui.plugins.source.protocol import Offer
from omni_tui.simulation.clock import WorldTime
from omni_tui.simulation.conditions import Conditions
from omni_tui.simulation.conduct import Conduct, draw
from omni_tui.simulation.loop import VirtualLoop
from omni_tui.simulation.oracle import Oracle
from omni_tui.simulation.repository import MemoryRepository, digest
from omni_tui.simulation.runtime import FakeAgent, FakeMachine
from omni_tui.simulation.script import BREAKAGE, SCRIPTS, SHARED, Hand, tries
from omni_tui.simulation.service import PREFLIGHT, RefusedError, Service
from omni_tui.simulation.source import MemoryRemote
from omni_tui.simulation.vanity import Vanity
from omni_tui.simulation.watching import SimulatedBackend
from omni_tui.store.files import publish
from omni_tui.store.layout import create_fleet, create_workspace
from omni_tui.store.queue import Queue

WORKSPACE = "app"
FLAG = "night"
"""The feature flag that some tasks of a drawn night require."""
SECRET = "not-for-agents-4711"  # noqa: S105 - looked for, so that none is given away
FILES = {SHARED: "# App\n", "src/app.py": "def run():\n    return 1\n"}
PROJECT = 'check = "make test"\n'


def own_file(task_id: str) -> str:
    """Return the file that a task is about which nobody else touches."""
    return f"src/{task_id}.py"


class Stint(msgspec.Struct, kw_only=True):
    """One agent's time: from its start to its end, seconds after the beginning; of one that lives the end is -1."""

    task: str
    attempt: int
    conduct: Conduct
    began: float
    ended: float = -1.0
    outcome: str = ""
    """`landed`, or the kind of its failure; empty: neither."""
    limited: list[tuple[float, float]] = msgspec.field(default_factory=list)
    """When it waited for its provider."""


class World:
    """Everything but the dispatchers."""

    def __init__(
        self,
        root: Path,
        seed: int,
        settings: Settings,
        given: Mapping[tuple[str, int], Conduct],
        faults: frozenset[str],
        files: Mapping[str, str] = FILES,
    ) -> None:
        """Make the tree at `root`. `given` says how certain attempts go; the others are drawn, with `faults` alone.

        `files` are what the project holds.
        """
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)  # noqa: S101 - a night has no other
        self.loop = loop
        self.seed = seed
        self.settings = settings
        self.chance = Random(f"{seed} world")  # noqa: S311 - the same each time, on purpose
        self.time = WorldTime(loop)
        self.conditions = Conditions(Random(f"{seed} conditions"))  # noqa: S311
        self.repository = MemoryRepository(files)
        self.origin = MemoryRepository(files)
        self.machine = Machine(self)
        self.paths = create_fleet(root, "")
        self.place = self.paths.workspace(WORKSPACE)
        create_workspace(self.place, PROJECT)
        self.place.repo.mkdir()
        self.project = WorkspaceSettings(check="make test")
        self.oracle = Oracle(self.place, self.repository, settings, self.project.release, loop.time)
        self.oracle.secret = SECRET
        self.remote: MemoryRemote | None = None
        """Where the tasks come from that nobody puts into the queue."""
        self.vanity = Vanity(lambda: loop.time() - self.oracle.away, self.time.now)
        self.service = Service(self.time.now)
        self.backends: list[SimulatedBackend] = []
        """Of the living dispatchers."""
        self.stints: dict[tuple[str, int], Stint] = {}
        self.events: list[Event] = []
        self.last_landing = 0.0
        """When the last task landed, seconds after the beginning."""
        self.flags: Mapping[str, Flag] = {}
        """The project's feature flags, as they are now."""
        self._edits: dict[str, tuple[str, ...]] = {}
        self._given = given
        self._faults = faults
        self._queue = Queue(self.place, self.time.now)
        for number in range(settings.scheduler.limit):
            agent = self.place.agents / f"agent{number + 1}"
            agent.mkdir()
            (agent / "agent.toml").write_text('harness = "simulated"\n', encoding="utf-8")

    def heal(self) -> None:
        """Let nothing go wrong any more: neither with the world, nor with agents that start from now on."""
        self.conditions.heal()
        self.service.heal()
        self._given, self._faults = {}, frozenset()

    def add(self, number: int, depends_on: Sequence[str] = (), requires_flags: Sequence[str] = ()) -> None:
        """Put a task of a file of its own into the queue."""
        task_id = f"{number:04d}"
        draft = Task(
            workspace=WORKSPACE,
            id=task_id,
            title=f"Do number {number}",
            touches=(own_file(task_id),),
            depends_on=tuple(depends_on),
            requires_flags=tuple(requires_flags),
        )
        self.put(draft, (own_file(task_id),))

    def put(self, draft: Task, edits: tuple[str, ...]) -> None:
        """Put a task into the queue; its agents change the files `edits`."""
        self._edits[draft.id] = edits
        task = self._queue.add(draft)
        found = self._queue.find(task.id)
        assert found is not None  # noqa: S101 - it was just put there
        os.utime(found[1], (self.time.now(), self.time.now()))
        self.oracle.admitted(found[1].name, requires_flags=bool(task.requires_flags))
        self.tell(found[1])

    def offer(self, number: int) -> None:
        """Offer a task on the remote; the queue gives it its id."""
        assert self.remote is not None  # noqa: S101 - the night has one
        self.remote.put(Offer(key=f"remote#{number}", title=f"Do offer {number}"))

    def set_flags(self, states: Mapping[str, str]) -> None:
        """Put the project's feature flags into these states, as a person does."""
        publish(self.place.flags, tomli_w.dumps({name: {"state": state} for name, state in states.items()}).encode())
        self.flags = {name: Flag(state=state) for name, state in states.items()}
        self.oracle.flagged(on=states.get(FLAG, ON) == ON)
        self.tell(self.place.flags)

    def tell(self, path: Path) -> None:
        """Tell those who watch of a change in the tree."""
        for backend in self.backends:
            backend.tell(path)

    def heard(self, event: Event) -> None:
        """Hear of an event of the journal."""
        self.events.append(event)
        self.oracle.heard(event)
        if event.event in {"fleet.thawed", "provider.changed"}:
            self.vanity.mended()
        stint = self.stints.get((event.task, event.attempt))
        match event.event:
            case "attempt.failed" if stint is not None:
                stint.outcome = str(event.data.get("kind", "failed"))
            case "attempt.signal" if stint is not None:
                self._note_limit(stint, limited=event.data.get("health") == "limited")
            case "task.landed":
                self.last_landing = self.loop.time()
                last = max(number for task, number in self.stints if task == event.task)
                self.stints[event.task, last].outcome = "landed"

    def _note_limit(self, stint: Stint, *, limited: bool) -> None:
        now = self.loop.time()
        if limited:
            stint.limited.append((now, -1.0))
        elif stint.limited and stint.limited[-1][1] < 0:
            stint.limited[-1] = (stint.limited[-1][0], now)

    def edits(self, task: str) -> tuple[str, ...]:
        """Return the files that a task's agents change: one of its own, where nothing else is said."""
        return self._edits.get(task, (own_file(task),))

    def conduct(self, task: str, attempt: int) -> Conduct:
        """Return how an attempt goes."""
        drawn = draw(Random(f"{self.seed} {task} {attempt}"), self._faults)  # noqa: S311 - the same each time
        return self._given.get((task, attempt), drawn)


def is_attempt(launch: Launch) -> bool:
    """Whether a process is an agent at a task: no check, and no preflight."""
    return not launch.env.get("OMNI_TASK", PREFLIGHT).startswith(PREFLIGHT)


class Machine(FakeMachine):
    """The machine that agents and checks run on."""

    def __init__(self, world: World) -> None:
        super().__init__({"simulated": self._work, "/bin/sh": self._check}, world.time.now)
        self._world = world

    def start(self, launch: Launch, columns: int, rows: int) -> FakeAgent:
        """Start a process; of an agent the stint begins."""
        if "OMNI_TASK" in launch.env:
            task, number = launch.env["OMNI_TASK"], int(launch.env["OMNI_ATTEMPT"])
            if in_vain := self._world.vanity.sent(f"{task}#{number}", self._world.settings.scheduler.limit):
                self._world.oracle.violated(3, in_vain)
        if is_attempt(launch):
            conduct, now = self._world.conduct(task, number), self._world.loop.time()
            self._world.stints[task, number] = Stint(task=task, attempt=number, conduct=conduct, began=now)
        return super().start(launch, columns, rows)

    def end(self, agent: FakeAgent, status: int | None, over_mb: float = 0.0) -> None:
        """End a process; of an agent the stint ends."""
        if not agent.ended.done() and is_attempt(agent.launch):
            key = agent.launch.env["OMNI_TASK"], int(agent.launch.env["OMNI_ATTEMPT"])
            self._world.stints[key].ended = self._world.loop.time()
            self._world.oracle.ended(agent)
        super().end(agent, status, over_mb)

    def living(self) -> list[FakeAgent]:
        """Return the agents and checks that live."""
        return [agent for agent in self.agents.values() if not agent.ended.done()]

    async def _work(self, agent: FakeAgent) -> int:
        world, env = self._world, agent.launch.env
        key = env["OMNI_TASK"], int(env["OMNI_ATTEMPT"])
        chance = Random(f"{world.seed} {key} work")  # noqa: S311 - the same each time
        hand = Hand(
            agent,
            world.repository,
            chance,
            world.edits(key[0]),
            service=world.service,
            tell=world.tell,
            vanity=world.vanity,
        )
        try:
            return await (SCRIPTS[world.stints[key].conduct](hand) if is_attempt(agent.launch) else tries(hand))
        except RefusedError as refused:
            limited = refused.fatal == "rate_limit"
            hand.say(Health.LIMITED if limited else Health.DEAD, fatal=refused.fatal, until=refused.until)
            return 1

    async def _check(self, agent: FakeAgent) -> int:
        """Test what is in the checkout: as long as a small project's tests take."""
        files = dict(self._world.repository.checkouts[agent.launch.cwd].files)
        await asyncio.sleep(self._world.chance.uniform(10, 90))
        if any(BREAKAGE in text for text in files.values()):
            return 1
        self._world.oracle.tested.add(digest(files))
        return 0
