"""Reads what scheduling decides on from the files alone, for commands that say what a dispatcher would do."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping, Sequence
from functools import reduce

from omni_tui.config import load_plan, provider_files
from omni_tui.engine.past import look_back
from omni_tui.errors import OmniError
from omni_tui.fleet import Fleet
from omni_tui.linting import Linter
from omni_tui.model.brakes import FLEET, Brakes
from omni_tui.model.course import Course
from omni_tui.model.provider import Provider, Standing
from omni_tui.model.task import Status, Task, TaskRef
from omni_tui.model.touch import TouchPoint
from omni_tui.model.view import FleetView
from omni_tui.planning import TO_DO, read_points
from omni_tui.policy.backlog import Backlog, Capacity
from omni_tui.policy.course import fold
from omni_tui.policy.load import follow
from omni_tui.policy.machine import shortage
from omni_tui.policy.routing import provider_of, providers_for, serve
from omni_tui.store.brakes import read_brakes
from omni_tui.store.runs import Runs


def read_course(fleet: Fleet) -> Course:
    """Return the course of the run that the journal tells of."""
    return reduce(fold, fleet.recent(), Course())


def read_standings(fleet: Fleet, view: FleetView) -> Mapping[str, Standing]:
    """Return how the providers stand. Raises `OmniError`, `OSError`."""
    running = {row.ref for row in view.rows if row.status is Status.DOING}
    return fleet.suppliers.standings(read_course(fleet), running, fleet.clock.now())


def read_providers(fleet: Fleet) -> frozenset[str]:
    """Return everybody whom a brake can hold: who has a file, could serve an agent, serves, or is parked.

    A wrong file hides no more than what is read with it: a brake must hold beside it.
    """
    course = read_course(fleet)
    providers: Mapping[str, Provider] = {}
    with contextlib.suppress(OmniError):
        providers = fleet.suppliers.now()
    names = {path.stem for path in provider_files(fleet.paths.providers)}
    names.update(course.parked, course.providers.values())
    for workspace in fleet.paths.workspace_names():
        with contextlib.suppress(OmniError):
            names.update(map(provider_of, serve(fleet.agents(workspace), providers)))
    return frozenset(names)


def read_backlog(fleet: Fleet, view: FleetView) -> Backlog:
    """Return the tasks of the fleet that `view` shows, and the course of its run."""
    linter, course = Linter(fleet), read_course(fleet)
    waiting = linter.tasks(Status.TODO)
    running = {row.ref for row in view.rows if row.status is Status.DOING}
    return Backlog(
        waiting=waiting,
        status_of={row.ref: row.status for row in view.rows if row.status is not Status.TODO},
        running=running,
        not_before=_delays(fleet, view),
        course=course,
        providers=_providers(fleet, waiting),
        brakes=brakes_in_force(fleet, view),
        points=_points(fleet, linter),
        plans={name: load_plan(fleet.paths.workspace(name).plan) for name in fleet.paths.workspace_names()},
        flags=linter.flags,
        refused=linter.refusals(),
        standings=fleet.suppliers.standings(course, running, view.taken_at),
    )


def read_capacity(fleet: Fleet, view: FleetView) -> Capacity:
    """Return how much may run."""
    settings, brakes = fleet.settings, brakes_in_force(fleet, view)
    freeze, sample = brakes.freeze_of(FLEET), fleet.load()
    return Capacity(
        slots=settings.scheduler.limit,
        proven=settings.scheduler.proven,
        now=view.taken_at,
        frozen=brakes.frozen,
        why_frozen=freeze.reason if freeze else "",
        throttled=brakes.throttled,
        load=follow(None, sample, 0.0, settings.load),
        load_limits=settings.load,
        short=shortage(sample.space, settings.limits),
    )


def brakes_in_force(fleet: Fleet, view: FleetView) -> Brakes:
    """Return the brakes that are on, also by a file that nobody has taken over yet."""
    return view.brakes.and_those(read_brakes(fleet.paths.control))


def _points(fleet: Fleet, linter: Linter) -> dict[TaskRef, Sequence[TouchPoint]]:
    """Return what each task will touch, where more than one may run at once."""
    if fleet.settings.scheduler.limit == 1:
        return {}
    tasks: dict[str, list[Task]] = {written.task.workspace: [] for written in linter.waiting}
    for task in linter.tasks(*TO_DO):
        if task.workspace in tasks:
            tasks[task.workspace].append(task)
    return {ref: points for name in tasks for ref, points in read_points(fleet, name, tasks[name]).items()}


def _delays(fleet: Fleet, view: FleetView) -> dict[TaskRef, float]:
    """Return when the pause after its last attempt ends, of each waiting task that had one."""
    found: dict[TaskRef, float] = {}
    for row in view.rows:
        if row.status is Status.TODO and row.attempt:
            with contextlib.suppress(OmniError):  # a spoilt run is told of when the task is taken up
                past = look_back(Runs(fleet.paths.workspace(row.ref.workspace)), row.ref)
                if past.not_before is not None:
                    found[row.ref] = past.not_before
    return found


def _providers(fleet: Fleet, waiting: Collection[Task]) -> dict[TaskRef, frozenset[str]]:
    """Return who could serve each task; wrong settings of an agent are told at the start that needs them."""
    found: dict[TaskRef, frozenset[str]] = {}
    for workspace in {task.workspace for task in waiting}:
        with contextlib.suppress(OmniError):
            agents = fleet.served(workspace)
            found |= {task.ref: providers_for(task, agents) for task in waiting if task.workspace == workspace}
    return found
