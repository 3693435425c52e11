"""Rehearsal: a backlog lived through in simulated nights: one after the other, side by side blindly, and in waves.

The nights are the same but for how many run at once and what the scheduler knows. Agents take as long in each, and
change the files that the plan expects, each at the same place: two that change one from the same base conflict. So a
rehearsal tells what the waves are worth if the plan is right, not whether it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath

import msgspec

from omni_tui.model.failure import FailureKind
from omni_tui.model.settings import Settings
from omni_tui.model.task import Task, TaskRef
from omni_tui.model.touch import PointKind, TouchPoint
from omni_tui.policy.dependencies import parse_ref
from omni_tui.policy.lineup import order
from omni_tui.policy.paths import is_plain, matches
from omni_tui.simulation.night import Night, Part
from omni_tui.simulation.play import Played, play
from omni_tui.simulation.world import WORKSPACE, own_file

LOST_TO_OTHERS = (FailureKind.CONFLICT.value, FailureKind.OVERTAKEN.value)
"""What becomes of an attempt whose change cannot be merged with one that came first."""

Points = Mapping[TaskRef, Sequence[TouchPoint]]


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """A workspace's tasks that are to be done, as they are planned."""

    tasks: Sequence[Task]
    landed: frozenset[TaskRef]
    """What they depend on and is done."""
    points: Points
    flags: Mapping[str, str]
    """The feature flags and their states."""


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """How a backlog can be worked through."""

    name: str
    slots: int | str
    """As the setting."""
    informed: bool = True
    """Whether the scheduler knows what the tasks touch."""


class Rehearsed(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one way."""

    way: Way
    tasks: int
    landed: int
    waiting: int
    """Tasks that could not start, such as behind a flag."""
    blocked: int
    conflicts: int
    """Attempts that did not land because another change had come first, or that the radar ended for that in time."""
    attempts: int
    hours: float
    """Until the last one landed."""
    busy: float
    """The share of the slots' time until then in which an agent worked."""
    violations: tuple[str, ...]


def ways(most: int) -> tuple[Way, ...]:
    """Return what is compared, with at most so many at once."""
    return (
        Way(name="one after the other", slots=1),
        Way(name=f"{most} at once, blindly", slots=most, informed=False),
        Way(name=f"in waves, {most} at most", slots="auto"),
    )


def rehearse(backlog: Backlog, way: Way, night: Night) -> Rehearsed:
    """Live through the backlog in one way; `night` says all else: the seed, how long it is, what goes wrong."""
    settings = _with_slots(night.settings, way)
    parts = tuple(_parts(backlog, informed=way.informed))
    lived = msgspec.structs.replace(night, settings=settings, tasks=len(parts), backlog=parts, flags=backlog.flags)
    return _told(way, play(lived))


def _with_slots(settings: Settings, way: Way) -> Settings:
    most = settings.scheduler.most if isinstance(way.slots, str) else way.slots
    scheduler = msgspec.structs.replace(settings.scheduler, slots=way.slots, most=most)
    return msgspec.structs.replace(settings, scheduler=scheduler)


def _told(way: Way, played: Played) -> Rehearsed:
    worked = sum(stint.ended - stint.began for stint in played.stints if stint.ended >= 0)
    whole = played.slots * played.last_landing
    blocked = sum(played.reasons.values())
    return Rehearsed(
        way=way,
        tasks=played.tasks,
        landed=played.landed_in_all,
        waiting=played.tasks - played.landed_in_all - blocked,
        blocked=blocked,
        conflicts=sum(played.outcomes.get(kind, 0) for kind in LOST_TO_OTHERS),
        attempts=played.attempts,
        hours=played.last_landing / 3600,
        busy=min(1.0, worked / whole) if whole else 0.0,
        violations=played.violations,
    )


def _parts(backlog: Backlog, *, informed: bool) -> Iterator[Part]:
    """Give each task by a number, in the order in which they start; what it touches is in its head, or nowhere."""
    tasks = sorted(backlog.tasks, key=order)
    numbers = {task.ref: f"{number:04d}" for number, task in enumerate(tasks, 1)}
    files = _files(point.name for points in backlog.points.values() for point in points if point.kind is PointKind.PATH)
    for task in tasks:
        points = backlog.points.get(task.ref, ())
        needs = (parse_ref(text, task.workspace) for text in task.depends_on)
        known = [point.name for point in points if point.kind in {PointKind.PATH, PointKind.MIGRATION}]
        simulated = Task(
            workspace=WORKSPACE,
            id=numbers[task.ref],
            title=f"Do number {numbers[task.ref]}",
            priority=task.priority,
            depends_on=tuple(numbers.get(need, "gone") for need in needs if need not in backlog.landed),
            requires_flags=task.requires_flags,
            stubs_flags=task.stubs_flags,
            touches=tuple(known) if informed else (),
            locks=task.locks if informed else (),
        )
        yield Part(task=simulated, edits=_edits(points, files) or (own_file(simulated.id),))


def _files(names: Iterable[str]) -> frozenset[str]:
    """Return those of the paths that are files: neither patterns nor above others."""
    plain = {name for name in names if is_plain(name)}
    return frozenset(plain - {str(above) for name in plain for above in PurePosixPath(name).parents})


def _edits(points: Sequence[TouchPoint], files: frozenset[str]) -> tuple[str, ...]:
    """Return the files that a task changes: of a pattern those that other tasks name; a migration goes on the last."""
    found: dict[str, None] = {}
    for point in points:
        if point.kind is PointKind.MIGRATION:
            found[f"{point.name}/last"] = None
        elif point.name in files:
            found[point.name] = None
        elif point.kind is PointKind.PATH:
            found |= dict.fromkeys(name for name in sorted(files) if matches(point.name, name))
    return tuple(found)
