"""A small world for killing: the real engine, policy and store on a tree of files; agents and repository in memory.

What is in memory outlives the dispatcher as the real world does: a fork has it as it was at that moment, and `revive`
lets its agents go on, on the loop of the next dispatcher.
"""

from __future__ import annotations

import asyncio
import functools
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random

import msgspec

from omni_tui.engine.clock import Clock, SystemClock
from omni_tui.engine.fenced import fenced
from omni_tui.engine.workplace import Workplace
from omni_tui.fleet import Fleet
from omni_tui.model.event import Event
from omni_tui.model.project_settings import WorkspaceSettings
from omni_tui.model.signal import Health
from omni_tui.model.task import Status, Task
from omni_tui.plugins.runtime.protocol import RuntimeSpec
from omni_tui.plugins.scm.protocol import ScmSpec
from omni_tui.plugins.workspace.protocol import WorkspaceSpec
from omni_tui.simulation.agent import SimulatedAgent
from omni_tui.simulation.conditions import Conditions
from omni_tui.simulation.repository import MemoryRepository, digest
from omni_tui.simulation.runtime import FakeAgent, FakeMachine, FakeRuntime
from omni_tui.simulation.scm import MemoryScm
from omni_tui.simulation.watching import SimulatedBackend
from omni_tui.simulation.workspace import MemoryWorkspace
from omni_tui.store.layout import create_fleet, create_workspace
from omni_tui.store.paths import WorkspacePaths
from omni_tui.store.queue import Queue
from omni_tui.store.watch import TreeWatch

SETTINGS = """\
[limits]
handover_seconds = 3600
stall_minutes = 1440
wall_minutes = 10080
[scheduler]
spares = false
"""
"""Nothing ends by time: a parent waits for its forks, and its agents must not be ended for that."""

DEEDS = ("accept", "write", "commit", "finish", "fail")
"""What a scripted agent can do: say that it has the task, leave a file, commit, say that it is done, exit with 1."""


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """One task's life: what its agent does in each attempt, and what has to come of it, whoever is killed when."""

    name: str
    attempts: tuple[tuple[str, ...], ...]
    """The deeds of each attempt, in order."""
    ends: Status


LANDS = ("accept", "write", "commit", "finish")
FORGETS = ("accept", "write", "finish")

SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario(name="lands", attempts=(LANDS,), ends=Status.DONE),
        Scenario(name="repaired", attempts=(FORGETS, LANDS), ends=Status.DONE),
        Scenario(name="hopeless", attempts=(FORGETS, FORGETS), ends=Status.BLOCKED),
    )
}


class World:
    """What outlives a dispatcher: the machine with its agents, the repository, the one it came from."""

    def __init__(self, scenario: Scenario, clock: Clock) -> None:
        self.scenario = scenario
        self.repository = MemoryRepository({"README.md": "# App\n"})
        self.origin = MemoryRepository({"README.md": "# App\n"})
        self.machine = FakeMachine({"simulated": self._work, "/bin/sh": self._check}, clock.now)
        self.tested: set[str] = set()
        """The trees that a check has seen."""
        self.watching = SimulatedBackend(Conditions(Random(0)))
        """What the dispatcher hears of its agents by. The kernel takes long to end a process that has inotify open."""
        self._done: dict[str, int] = {}
        """How many of its deeds each agent has done, by run directory."""

    def revive(self) -> None:
        """Let the agents that live go on, on the loop of the caller: the one they were on went with its process."""
        loop = asyncio.get_running_loop()
        for agent in self.machine.agents.values():
            ended, agent.ended = agent.ended, loop.create_future()
            if ended.done():
                agent.ended.set_result(ended.result())
            else:
                agent.task = asyncio.ensure_future(self.machine._run(agent))

    def lose_power(self) -> None:
        """Lose every process, and all memory of it; the repository and the checkouts are on the medium."""
        self.machine.agents.clear()
        self._done.clear()

    async def _work(self, agent: FakeAgent) -> int:
        """Do the attempt's deeds, from the first that was not done yet."""
        run = agent.launch.run_dir
        deeds = self.scenario.attempts[min(int(run.name), len(self.scenario.attempts)) - 1]
        for number in range(self._done.get(str(run), 0), len(deeds)):
            await asyncio.sleep(0)
            if deeds[number] == "fail":
                return 1
            self._do(deeds[number], agent)
            self._done[str(run)] = number + 1
        await asyncio.Event().wait()  # an agent in its terminal does not end by itself
        return 0

    def unfinished(self) -> list[int]:
        """Return the attempts whose agent has left a file and not committed it."""
        return [int(Path(run).name) for run, done in self._done.items() if {"write"} == self._deeds(run, done)]

    def _deeds(self, run: str, done: int) -> set[str]:
        script = self.scenario.attempts[min(int(Path(run).name), len(self.scenario.attempts)) - 1]
        return {deed for deed in script[:done] if deed in {"write", "commit"}}

    def _do(self, deed: str, agent: FakeAgent) -> None:
        checkout, run = agent.launch.cwd, agent.launch.run_dir
        if deed == "write":
            self.repository.checkouts[checkout].files[f"{run.parent.name}.txt"] = f"attempt {run.name}\n"
        elif deed == "commit":
            self.repository.commit_in(checkout, {})
        else:
            health = Health.FINISHED if deed == "finish" else Health.THINKING
            with (run / "events.jsonl").open("ab") as events:
                events.write(SimulatedAgent.line(health, accepted=deed == "accept") + b"\n")
            self.watching.tell(run / "events.jsonl")

    async def _check(self, agent: FakeAgent) -> int:
        self.tested.add(digest(dict(self.repository.checkouts[agent.launch.cwd].files)))
        return 0


class WorldFleet(Fleet):
    """A fleet whose agents and repository are a `World`'s."""

    def __init__(self, root: Path, world: World, clock: Clock) -> None:
        super().__init__(root, clock=clock)
        self._world = world
        self.runtime = FakeRuntime(RuntimeSpec(root=root), world.machine)

    def watch(self) -> TreeWatch:
        """Return what tells of what the agents write."""
        self._world.watching = SimulatedBackend(Conditions(Random(0)))
        return TreeWatch(self._world.watching)

    def scm_in(self, paths: WorkspacePaths, settings: WorkspaceSettings) -> MemoryScm:
        """Return the scm on the world's repository."""
        spec = ScmSpec(
            repo=paths.repo,
            base=settings.base,
            release=settings.release,
            author=self.settings.merge.author,
            origin=settings.repo,
            now=self.clock.now,
        )
        return MemoryScm(spec, self._world.repository, self._world.origin)

    async def open_place(self, name: str) -> Workplace:
        """Open a workspace as the real fleet does, with the world's checkouts and agents."""
        place = await super().open_place(name)
        spec = WorkspaceSpec(name=name, repo=place.paths.repo, worktrees=place.paths.worktrees, copy_from=None)
        return replace(
            place,
            checkouts=fenced(MemoryWorkspace(spec, self._world.repository), self._fence.check),
            harness=lambda _: SimulatedAgent(),
        )


def make_tree(root: Path, clock: Clock) -> Task:
    """Make a fleet's tree at `root` with one workspace, `app`, one agent and one task; return the task."""
    paths = create_fleet(root, SETTINGS).workspace("app")
    create_workspace(paths, 'check = "true"\n')
    paths.repo.mkdir()
    agent = paths.agents / "ada"
    agent.mkdir()
    (agent / "agent.toml").write_text('harness = "simulated"\n', encoding="utf-8")
    return Queue(paths, clock.now).add(Task(workspace="app", id="", title="Survive"))


async def dispatch(root: Path, world: World, clock: Clock, hear: Callable[[Event], None] | None = None) -> list[str]:
    """Dispatch until nothing is left to do; return the faults that were told. `hear` is told each event."""
    heard: list[Event] = []
    fleet = WorldFleet(root, world, clock)
    core = fleet.lead("headless", hear or heard.append, until_idle=True)
    reason = await core.run()
    told = [f"{event.event}: {event.data}" for event in heard if event.event in FAULTS]
    return told if reason.startswith("idle") else [*told, f"stopped: {reason}"]


FAULTS = ("core.fault", "workspace.refused", "task.unreadable", "task.withdrawn")
"""Events that have no place where nothing but the dispatcher was harmed."""


CHANGES = {
    FakeRuntime: ("start", "kill", "release"),
    MemoryScm: ("open", "collect", "rescue", "squash", "land", "push"),
    MemoryWorkspace: ("prepare", "checkout", "remove"),
}
"""What the core does to the world outside its tree."""


@contextmanager
def watched(reach: Callable[[str], None]) -> Iterator[None]:
    """Say `before` and `after` each change of the world, as long as the context lasts."""
    kept = [(owner, name, getattr(owner, name)) for owner, names in CHANGES.items() for name in names]
    for owner, name, method in kept:
        setattr(owner, name, _around(name, method, reach))
    try:
        yield
    finally:
        for owner, name, method in kept:
            setattr(owner, name, method)


def _around(
    name: str, method: Callable[..., Awaitable[object]], reach: Callable[[str], None]
) -> Callable[..., Awaitable[object]]:
    @functools.wraps(method)
    async def wrapped(*arguments: object, **named: object) -> object:
        reach(f"before {name}")
        result = await method(*arguments, **named)
        reach(f"after {name}")
        return result

    return wrapped


# -- what must hold --------------------------------------------------------------------------------------------------


def broken_promises(root: Path, world: World) -> list[str]:
    """Return what of "What must always hold" (DESIGN.md) does not, once a dispatcher has come to rest."""
    scenario, paths = world.scenario, WorkspacePaths(root / "workspaces" / "app", "app")
    works = kept(world, _starts(world))
    places = [path.parent.name for status in Status for path in Queue(paths, SystemClock().now).files(status)]
    promises = {
        f"the task is in {places}": places == [scenario.ends.value],
        f"landed {_landings(world)} times": _landings(world) == (scenario.ends is Status.DONE),
        f"attempts {_attempts(paths)}": _attempts(paths) == list(range(1, len(scenario.attempts) + 1)),
        f"started {_starts(world)}": _starts(world) == list(range(1, len(scenario.attempts) + 1)),
        "an agent lives": all(agent.ended.done() for agent in world.machine.agents.values()),
        f"work of {world.unfinished()} is kept of {works} alone": set(world.unfinished()) <= set(works),
        "another branch was written": _foreign(world) == [],
        "the tree that landed is not one that was tested": _tip_tree(world) in world.tested | {_first_tree(world)},
        "it was not pushed": scenario.ends is not Status.DONE or _tip(world.origin) == _tip(world.repository),
        f"checkouts are left: {list(world.repository.checkouts)}": not world.repository.checkouts,
    }
    return [words for words, holds in promises.items() if not holds]


RELEASE = "refs/heads/release/omni"


def _tip(repository: MemoryRepository) -> str:
    return repository.refs.get(RELEASE, "")


def _landings(world: World) -> int:
    commits = world.repository.commits
    if not _tip(world.repository):
        return 0
    return sum(
        "Omni-Task: app/0001" in commits[name].message for name in world.repository.history(_tip(world.repository))
    )


def _attempts(paths: WorkspacePaths) -> list[int]:
    return sorted(int(entry.name) for entry in paths.runs.glob("0001/*") if entry.name.isdigit())


def _starts(world: World) -> list[int]:
    return sorted(int(Path(run).name) for run in world.machine.agents if re.fullmatch(r"\d+", Path(run).name))


def kept(world: World, attempts: Iterable[int]) -> list[int]:
    """Return the attempts whose file is on a ref, or still in their checkout, as the agent left it."""
    repository = world.repository
    found = []
    for number in attempts:
        refs = (f"refs/omni/rescue/0001/{number}", f"refs/heads/omni/0001/{number}", RELEASE)
        trees = [repository.tree(repository.refs[ref]) for ref in refs if ref in repository.refs]
        trees += [place.files for path, place in repository.checkouts.items() if path.name == f"0001-{number}"]
        found += [number] if any(tree.get("0001.txt") == f"attempt {number}\n" for tree in trees) else []
    return found


def _foreign(world: World) -> list[str]:
    """Return the refs that are neither ours to write nor as they were."""
    first = next(iter(world.repository.commits))
    ours = (RELEASE, "refs/heads/omni/", "refs/omni/")
    refs = world.repository.refs
    return [name for name in refs if not name.startswith(ours) and (name, refs[name]) != ("refs/heads/main", first)]


def _tip_tree(world: World) -> str:
    tip = _tip(world.repository)
    return digest(dict(world.repository.tree(tip))) if tip else _first_tree(world)


def _first_tree(world: World) -> str:
    return digest(dict(world.repository.tree(next(iter(world.repository.commits)))))
