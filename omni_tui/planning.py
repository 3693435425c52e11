"""Reads what `plan` is made of: the tasks that are to be done, what they will touch, and the frozen plan."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from omni_tui.config import load_plan
from omni_tui.engine.survey import survey
from omni_tui.errors import ScmError
from omni_tui.fleet import Fleet
from omni_tui.model.frozen import FrozenPlan, render
from omni_tui.model.task import Status, Task, TaskRef
from omni_tui.model.touch import TouchPoint
from omni_tui.model.view import FleetView
from omni_tui.policy.waves import Placed, waves
from omni_tui.store.files import publish
from omni_tui.store.taskread import read_task

TO_DO = (Status.TODO, Status.DOING)
"""What a plan is about."""


@dataclass(frozen=True)
class Outlook:
    """One workspace's tasks in waves."""

    workspace: str
    placed: Sequence[Placed]
    points: dict[TaskRef, Sequence[TouchPoint]]
    frozen: FrozenPlan
    unplanned: Sequence[TaskRef]
    """Waiting tasks that the frozen plan does not name; empty where there is none."""

    @property
    def waves(self) -> list[list[Placed]]:
        """The waves, each with its tasks."""
        found: list[list[Placed]] = [[] for _ in range(max((each.wave + 1 for each in self.placed), default=0))]
        for each in self.placed:
            found[each.wave].append(each)
        return found


async def look_ahead(fleet: Fleet, view: FleetView, workspace: str) -> Outlook:
    """Put what waits or runs in a workspace into waves. Raises `CycleError`, `ScmError` and what its files say."""
    tasks = _tasks(view, workspace)
    status_of = {row.ref: row.status for row in view.rows if row.status not in TO_DO}
    points = await _points(fleet, workspace, tasks)
    frozen = load_plan(fleet.paths.workspace(workspace).plan)
    named = {task_id for wave in frozen.waves for task_id in wave}
    unplanned = [task.ref for task in tasks if frozen.waves and task.id not in named]
    return Outlook(workspace, waves(tasks, points, status_of), points, frozen, unplanned)


def read_points(fleet: Fleet, view: FleetView, workspace: str) -> dict[TaskRef, Sequence[TouchPoint]]:
    """Return what the tasks of a workspace that wait or run will touch. Raises `ScmError`."""
    return asyncio.run(_points(fleet, workspace, _tasks(view, workspace)))


def _tasks(view: FleetView, workspace: str) -> list[Task]:
    rows = (row for row in view.rows if row.ref.workspace == workspace and row.status in TO_DO)
    return [read_task(Path(row.path), workspace) for row in rows]


async def _points(fleet: Fleet, workspace: str, tasks: Sequence[Task]) -> dict[TaskRef, Sequence[TouchPoint]]:
    scm = fleet.scm(workspace)
    try:
        commit = await scm.tip()
    except ScmError:  # nobody has dispatched it yet: its release branch will begin where the base is
        commit = await scm.base_tip()
    return dict(await survey(scm, commit, tasks))


def freeze(fleet: Fleet, outlook: Outlook) -> Path:
    """Write the waves as the workspace's `plan.toml`, in place of the one that is there; return where it is."""
    path = fleet.paths.workspace(outlook.workspace).plan
    publish(path, render([[each.task for each in wave] for wave in outlook.waves]).encode())
    return path
