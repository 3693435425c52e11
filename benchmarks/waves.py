"""Scheduling at size: 10,000 tasks with three touch points each, planned in waves, and decided on after one change.

All is measured in seconds of the processor: nothing here waits, so on an idle machine these are what the clock shows.
"""

from __future__ import annotations

import math
import time
from pathlib import Path

from benchmarks.claim import PICKS
from benchmarks.measure import Result, calls, median
from omni_tui.model.flag import Flag, Flags
from omni_tui.model.task import Task
from omni_tui.model.taskfile import parse
from omni_tui.model.touch import PointKind, TouchPoint
from omni_tui.policy.backlog import Backlog, Capacity
from omni_tui.policy.lineup import Lineup
from omni_tui.policy.scheduling import plan
from omni_tui.policy.waves import waves

TASKS = 10_000
GROWTH = 10
"""So many times as many tasks are planned too, to see how it grows."""
N_LOG_N = GROWTH * math.log(TASKS * GROWTH) / math.log(TASKS)
PLAN_SECONDS = 2.0
DECISION_MS = 5.0
FLAGS = {"bench": Flags(known={name: Flag(state=name) for name in ("on", "off")})}


def run(directory: Path) -> list[Result]:  # noqa: ARG001 - nothing is written
    """Measure all; the floor is to read the same heads."""
    floor, tasks = median([read(TASKS)[0] for _ in range(5)]), read(TASKS)[1]
    planned = median([planning(tasks) for _ in range(5)])
    heads_grown, more = read(TASKS * GROWTH)
    grown = min(planning(more) for _ in range(3))
    decided = deciding(tasks)
    return [
        Result(name="plan 10,000, to reading the heads", unit="s", ours=planned, floor=floor, limit=2, samples=5),
        Result(name="plan 10,000", unit="s", ours=planned, floor=floor, limit=PLAN_SECONDS, absolute=True, samples=5),
        Result(name="plan 100,000, to reading the heads", unit="s", ours=grown, floor=heads_grown, limit=3, samples=3),
        Result(
            name="plan 100,000, to n log n of 10,000",
            unit="calls",
            ours=counted(more),
            floor=counted(tasks) * N_LOG_N,
            limit=1,
            samples=1,
        ),
        Result(
            name="decide after one change of 10,000",
            unit="ms",
            ours=decided * 1e3,
            floor=floor * 1e3,
            limit=DECISION_MS,
            absolute=True,
            samples=PICKS * 5,
        ),
        Result(
            name="decide on 100,000, to ten times that",
            unit="ms",
            ours=deciding(more) * 1e3,
            floor=decided * GROWTH * 1e3,
            limit=1.5,
            samples=PICKS * 5,
        ),
    ]


def heads(count: int) -> list[bytes]:
    """Return task files: one of ten names a directory's pattern, one of three depends on another.

    One of a hundred requires a flag, which for one of ten of these is off.
    """
    texts = []
    for number in range(count):
        spread = [(number * step + step) % (count // 3) for step in (7, 11, 13)]
        touches = [f'"src/p{at % (count // 20)}/f{at}.py"' for at in spread]
        if number % 10 == 0:
            touches[0] = f'"src/p{spread[0] % (count // 20)}/**"'
        needs = f'depends_on = ["t{number // 2}"]\n' if number % 3 == 1 and number > 1 else ""
        if number % 100 == 3:
            needs += f'requires_flags = ["{"off" if number % 1000 == 3 else "on"}"]\n'
        head = f'id = "t{number}"\ntitle = "Task {number}"\npriority = {number % 7}\n'
        texts.append(f"+++\n{head}touches = [{', '.join(touches)}]\n{needs}+++\n\nDo it.\n".encode())
    return texts


def read(count: int) -> tuple[float, list[Task]]:
    """Read so many heads; return the seconds that it took, and the tasks."""
    texts = heads(count)
    began = time.process_time()
    tasks = [parse(text, workspace="bench", stem="t", created_at=number) for number, text in enumerate(texts)]
    return time.process_time() - began, tasks


def points_of(task: Task) -> tuple[TouchPoint, ...]:
    """Return a task's points as its head declares them."""
    return tuple(TouchPoint(PointKind.PATH, name, "its head declares it") for name in task.touches)


def planning(tasks: list[Task]) -> float:
    """Put all tasks into waves; return the seconds."""
    points = {task.ref: points_of(task) for task in tasks}
    began = time.process_time()
    waves(tasks, points, {})
    return time.process_time() - began


def counted(tasks: list[Task]) -> float:
    """Put all tasks into waves; return the calls."""
    points = {task.ref: points_of(task) for task in tasks}
    return calls(lambda: waves(tasks, points, {}))


def deciding(tasks: list[Task]) -> float:
    """Decide again and again after one task has gone and one has come, with seven at work; return one's seconds."""
    points = {task.ref: points_of(task) for task in tasks}
    lineup = Lineup(tasks, {})
    capacity = Capacity(slots=8, now=1e9)
    taken = []
    for _ in range(PICKS * 5):
        gone = lineup.tasks[len(lineup.tasks) // 2]
        tasks = [task for task in tasks if task is not gone] + [parse_again(gone)]
        running = {task.ref for task in lineup.tasks[:7]}
        began = time.process_time()
        lineup.update(tasks, {})
        plan(Backlog(waiting=tasks, status_of={}, running=running, points=points, flags=FLAGS), capacity, lineup)
        taken.append(time.process_time() - began)
    return median(taken)


def parse_again(task: Task) -> Task:
    """Return the task as a changed file gives it: another object."""
    return parse(
        f'+++\nid = "{task.id}"\ntitle = "Changed"\n+++\n'.encode(),
        workspace="bench",
        stem="t",
        created_at=task.created_at,
    )
