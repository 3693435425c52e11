"""Reads what `plan` is made of: the tasks that are to be done, what they will touch, and the frozen plan."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, count
from pathlib import Path
from typing import NamedTuple

from omni_tui.config import load_plan
from omni_tui.engine.survey import Surveyed, declared, survey
from omni_tui.errors import OmniError
from omni_tui.fleet import Fleet
from omni_tui.ground import ProjectGround
from omni_tui.linting import Linter
from omni_tui.model.frozen import FrozenPlan, render
from omni_tui.model.task import Status, Task, TaskRef
from omni_tui.model.touch import Knowledge
from omni_tui.policy.dependencies import Dependencies, parse_ref
from omni_tui.policy.flags import FlagWarning
from omni_tui.policy.routing import nobody_takes
from omni_tui.policy.waves import Placed, require_no_cycle, waves
from omni_tui.store.files import publish

FORMER = "plan.toml.before"
"""Names the frozen plan that another was written in place of; more of them are numbered, from 2."""

TO_DO = (Status.TODO, Status.DOING)
"""What a plan is about."""


@dataclass(frozen=True)
class Outlook:
    """One workspace's tasks in waves."""

    workspace: str
    placed: Sequence[Placed]
    points: Surveyed
    frozen: FrozenPlan
    unplanned: Sequence[TaskRef]
    """Waiting tasks that the frozen plan does not name; empty where there is none."""
    flags: Mapping[TaskRef, Sequence[FlagWarning]]
    """What a person should know of the flags that a task meets."""
    refused: Mapping[TaskRef, str]
    """Which of them the settings refuse for what their text has, and why."""
    strange: Sequence[str] = ()
    """What the frozen plan names and is no task of the workspace, whether it waits or has landed."""
    repeated: Sequence[str] = ()
    """What the frozen plan names more than once; where it does so first counts."""
    elsewhere: Mapping[TaskRef, Sequence[TaskRef]] = field(default_factory=dict)
    """What tasks depend on that is still to be done in another workspace."""
    unserved: Mapping[TaskRef, str] = field(default_factory=dict)
    """Which tasks name an agent, a harness or a provider that is not there, and what is."""

    @cached_property
    def behind(self) -> Mapping[TaskRef, Sequence[FlagWarning]]:
        """For each task what is said of those that it comes after."""
        found: dict[TaskRef, list[FlagWarning]] = defaultdict(list)
        for warning in (warning for warnings in self.flags.values() for warning in warnings):
            for ref in warning.behind:
                found[ref].append(warning)
        return found

    @cached_property
    def wave_of(self) -> Mapping[TaskRef, int]:
        """The wave of each task, from 0."""
        return {each.task.ref: each.wave for each in self.placed}

    @cached_property
    def waves(self) -> list[list[Placed]]:
        """The waves, each with its tasks."""
        found: list[list[Placed]] = [[] for _ in range(max((each.wave + 1 for each in self.placed), default=0))]
        for each in self.placed:
            found[each.wave].append(each)
        return found

    def beside(self, wave: Sequence[Placed]) -> str:
        """Say how many are in a wave, and which of them run beside no other: a person can have put those there."""
        if len(wave) == 1:
            return "1 task"
        there = {each.task.ref for each in wave}
        if following := [each.task.ref.id for each in wave if not there.isdisjoint(each.needs)]:
            return f"{len(wave)} tasks, {', '.join(following)} after others of them"
        unknown = sum(1 for each in wave if not self.points.get(each.task.ref))
        return f"{len(wave)} tasks side by side" + (f'; {unknown} of them alone with slots = "auto"' if unknown else "")

    def obstacles(self, each: Placed) -> Iterator[str]:
        """Say what will keep a task from starting when its wave comes, but for flags."""
        if each.stuck:
            yield f"cannot start: {each.stuck}"
        if each.task.ref in self.unserved:
            yield f"cannot start: {self.unserved[each.task.ref]}"
        if each.task.ref in self.refused:
            yield self.refused[each.task.ref]

    @property
    def amiss(self) -> Iterator[str]:
        """What does not fit in the frozen plan."""
        if self.unplanned:
            yield f"not in the frozen plan, so they come after it: {', '.join(ref.id for ref in self.unplanned)}"
        if self.strange:
            yield f"named in the frozen plan, but no task here: {', '.join(self.strange)}"
        if self.repeated:
            yield f"named in the frozen plan more than once, the first counts: {', '.join(self.repeated)}"


class Planner:
    """Puts what waits or runs into waves, as the fleet's files are now. Blocks."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self.linter = Linter(fleet)
        self._flags: dict[TaskRef, list[FlagWarning]] = defaultdict(list)
        for warning in self.linter.flag_warnings():
            self._flags[warning.task].append(warning)
        self._refused = self.linter.refusals()
        self._faults: list[str] = []

    @property
    def faults(self) -> Sequence[str]:
        """What could not be read, so that something may be missing."""
        return [*self.linter.faults, *self._faults, *map(str, self.linter.unreadable)]

    def look_ahead(self, workspace: str, *, afresh: bool = False) -> Outlook:
        """Return a workspace's waves: those of its frozen plan, where it has one, unless they are asked for `afresh`.

        Raises `CycleError`, `ScmError` and what the files say.
        """
        tasks = [task for task in self.linter.tasks(*TO_DO) if task.workspace == workspace]
        rows = self.linter.view.rows
        require_no_cycle([circle for circle in self._circles if any(ref.workspace == workspace for ref in circle)])
        status_of = {row.ref: row.status for row in rows if row.status not in TO_DO or row.ref.workspace != workspace}
        points = read_points(self._fleet, workspace, tasks)
        frozen = FrozenPlan() if afresh else load_plan(self._fleet.paths.workspace(workspace).plan)
        named = Counter(task_id for wave in frozen.waves for task_id in wave)
        there = {row.ref.id for row in rows if row.ref.workspace == workspace}
        return Outlook(
            workspace=workspace,
            placed=waves(tasks, points, status_of, {workspace: frozen}),
            points=points,
            frozen=frozen,
            unplanned=[task.ref for task in tasks if frozen.waves and task.id not in named],
            strange=[task_id for task_id in named if task_id not in there],
            repeated=[task_id for task_id, times in named.items() if times > 1],
            elsewhere={task.ref: found for task in tasks if (found := _elsewhere(task, status_of))},
            flags={task.ref: self._flags[task.ref] for task in tasks if task.ref in self._flags},
            refused=self._refused,
            unserved=self._unserved(workspace, tasks),
        )

    def _unserved(self, workspace: str, tasks: Sequence[Task]) -> Mapping[TaskRef, str]:
        try:
            agents = self._fleet.served(workspace)
        except OmniError as error:  # no task could start there
            self._faults.append(str(error))
            return {}
        picky = [task for task in tasks if agents and (task.agent or task.harness or task.provider)]
        return {task.ref: problem for task in picky if (problem := nobody_takes(task, agents))}

    @cached_property
    def _circles(self) -> Sequence[Sequence[TaskRef]]:
        """The circles in which tasks of the whole fleet wait for each other."""
        return Dependencies([task for task in self.linter.tasks(*TO_DO) if task.depends_on], {}).cycles


def _elsewhere(task: Task, status_of: Mapping[TaskRef, Status]) -> list[TaskRef]:
    refs = (parse_ref(text, task.workspace) for text in task.depends_on)
    return [ref for ref in refs if ref.workspace != task.workspace and status_of.get(ref) in TO_DO]


def read_points(fleet: Fleet, workspace: str, tasks: Sequence[Task]) -> Surveyed:
    """Return what tasks of a workspace will touch, by the fleet's own repository: nothing is asked of the origin.

    Raises `ScmError`.
    """
    ground = ProjectGround(fleet.paths.workspace(workspace), fleet.workspace_settings(workspace))
    commit = ground.commit()
    if not commit:
        return declared(tasks, Knowledge())
    return asyncio.run(survey(fleet.scm(workspace), commit, tasks))


class Frozen(NamedTuple):
    """Where a plan was written, and where the one is that was there before, if another was."""

    path: Path
    former: Path | None


def freeze(fleet: Fleet, outlook: Outlook) -> Frozen:
    """Write the waves as the workspace's `plan.toml`; what a person made of the one that is there is kept beside it."""
    path = fleet.paths.workspace(outlook.workspace).plan
    before = path.read_bytes() if path.exists() else b""
    plan = render([[each.task for each in wave] for wave in outlook.waves]).encode()
    former = _kept(path, before) if before not in (b"", plan) else None
    publish(path, plan)
    return Frozen(path, former)


def _kept(path: Path, plan: bytes) -> Path:
    """Keep `plan` beside `path` under a name that nothing else is kept under; return where."""
    names = chain((FORMER,), (f"{FORMER}.{number}" for number in count(2)))
    places = (path.with_name(name) for name in names)
    former = next(each for each in places if not each.exists() or each.read_bytes() == plan)
    publish(former, plan)
    return former
