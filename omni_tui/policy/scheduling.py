"""Scheduling: what starts next, and for all that may not start, the one reason that binds.

Higher priority first, then the older, then by id; `depends_on` is respected. Times are seconds on one clock, the
caller's; which clock it is does not matter here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from omni_tui.model.brakes import Brakes, Throttle
from omni_tui.model.course import Course
from omni_tui.model.effective import Effective
from omni_tui.model.provider import Standing
from omni_tui.model.task import Task, TaskRef
from omni_tui.policy.apart import Apart
from omni_tui.policy.backlog import Backlog, Capacity
from omni_tui.policy.braking import Braked, frozen_by, unfrozen
from omni_tui.policy.effective import effective
from omni_tui.policy.flags import FlagGates
from omni_tui.policy.holds import Hold, HoldKind
from omni_tui.policy.judges import Delays, Ending, Judge, Needs, Pauses
from omni_tui.policy.lineup import Lineup
from omni_tui.policy.planned import Planned
from omni_tui.policy.room import Room
from omni_tui.policy.serving import Serving
from omni_tui.policy.specs import Refusals

NO_BRAKES = Brakes()

FOR_ROOM = frozenset({HoldKind.PROVIDER_SLOTS, HoldKind.PREFLIGHT, HoldKind.THROTTLED})
"""Holds of a part that ends as soon as it has room."""

TOLD = 100
"""Of so many waiting tasks it is told what holds them, even where there is no room for any; of the others on demand."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to start now, in this order; why not the others; and when time alone will change that."""

    start: tuple[Task, ...]
    holds: Mapping[TaskRef, Hold]
    """Of those that were looked at."""
    wake_at: float | None
    """None: only an event can change anything."""
    line: tuple[TaskRef, ...] = ()
    """Those of them that only want of room holds, here or at their provider, in the order in which they start."""
    unseen: int = 0
    """How many wait behind those, for which there is no room whatever else holds them."""
    effective: Effective
    """How many may run at once now."""


class Explained(msgspec.Struct, frozen=True):
    """What binds one task."""

    hold: Hold
    line: tuple[TaskRef, ...]
    """Who is next in line: what starts at once, then what only want of room holds."""


def plan(backlog: Backlog, capacity: Capacity, lineup: Lineup | None = None, told: int = TOLD) -> Plan:
    """Decide what starts now. `lineup` are the tasks that wait, where somebody has kept them in order."""
    lineup = lineup or Lineup(backlog.waiting, backlog.status_of)
    serving = Serving(backlog.standings, _unfrozen(backlog))
    judges = _judges(backlog, capacity, lineup, serving)
    room = Room(capacity, running=len(backlog.running), stopped=backlog.course.stopped)
    start: list[Task] = []
    holds: dict[TaskRef, Hold] = {}
    line: list[TaskRef] = []
    for task in lineup.tasks:
        if (room.closed or serving.full(len(lineup.tasks))) and len(holds) >= told:
            break
        hold = _first(judges, task)
        if hold is not None and hold.until is not None:
            room.wake(hold.until)
        own, hold = hold, hold or room.admit()
        if hold is not None:
            holds[task.ref] = hold
            if len(holds) <= told and _in_line(judges, task, own):
                line.append(task.ref)
            continue
        start.append(task)
        for judge in judges:
            judge.begin(task)
    unseen = len(lineup.tasks) - len(start) - len(holds)
    limit = effective(backlog, capacity, starting=len(start))
    return Plan(start=tuple(start), holds=holds, wake_at=room.wake_at, line=tuple(line), unseen=unseen, effective=limit)


def _judges(backlog: Backlog, capacity: Capacity, lineup: Lineup, serving: Serving) -> tuple[Judge, ...]:
    """Return who judges, in the order in which their reasons bind."""
    gates = FlagGates(lineup, backlog.flags)
    return (
        Ending(backlog.running),
        Refusals(backlog.refused),
        gates,
        Needs(lineup.dependencies, gates.ends),
        Planned(backlog, lineup),
        Pauses(backlog.course),
        Delays(backlog.not_before, capacity.now),
        Braked(backlog.brakes, backlog.course, backlog.running, backlog.providers),
        serving,
        Apart(backlog, capacity),
    )


def _unfrozen(backlog: Backlog) -> Mapping[TaskRef, Collection[str]]:
    """Return who could serve each task but for who is frozen."""
    if not backlog.brakes.freezes:
        return backlog.providers
    return {ref: unfrozen(backlog.brakes, names) for ref, names in backlog.providers.items()}


def _in_line(judges: Iterable[Judge], task: Task, own: Hold | None) -> bool:
    """Whether a task would start next if there was room: here, at its provider, or beneath a part's throttle."""
    if own is None:
        return True
    return own.kind in FOR_ROOM and _first((judge for judge in judges if isinstance(judge, Apart)), task) is None


def _first(judges: Iterable[Judge], task: Task) -> Hold | None:
    return next((hold for judge in judges if (hold := judge.hold(task)) is not None), None)


def nobody_serves(holds: Iterable[Hold]) -> str:
    """Return why no task can start where all of them wait for a provider that only a person can mend; else nothing.

    Tasks that wait for other tasks are held by what holds those.
    """
    first = [hold for hold in holds if hold.kind is not HoldKind.DEPENDENCY]
    for_good = (HoldKind.PARKED, HoldKind.BUDGET)
    messages = [hold.message if hold.kind in for_good and hold.until is None else "" for hold in first]
    return f"no provider serves: {messages[0]}" if messages and all(messages) else ""


def may_go_on(
    task: Task,
    course: Course,
    providers: Collection[str],
    standings: Mapping[str, Standing],
    brakes: Brakes = NO_BRAKES,
) -> bool:
    """Whether a task whose attempt failed may have the next one at once, in the slot that it has."""
    if course.stopped or frozen_by(brakes, task.workspace, providers) is not None:
        return False
    judges = (Pauses(course), Serving(standings, {task.ref: unfrozen(brakes, providers)}))
    return _first(judges, task) is None


def explain(ref: TaskRef, backlog: Backlog, capacity: Capacity) -> Explained:
    """Return the reason that binds one task, also where it is not waiting or nothing holds it; and who is next."""
    decided = plan(backlog, capacity, told=len(backlog.waiting))
    line = (*(task.ref for task in decided.start), *decided.line)
    if all(task.ref != ref for task in backlog.waiting):
        status = backlog.status_of.get(ref)
        message = f"it is in {status}/, not in todo/" if status else "there is no such task"
        return Explained(Hold(kind=HoldKind.NOT_WAITING, message=message), line)
    hold = decided.holds.get(ref, Hold(kind=HoldKind.NEXT, message="nothing holds it: it starts next"))
    if decided.start and _is_of_room(hold, capacity):  # they do not run yet: maybe nobody dispatches
        hold = msgspec.structs.replace(hold, message=f"{_first_of(decided.start)} first: then {hold.message}")
    return Explained(hold, line)


def _is_of_room(hold: Hold, capacity: Capacity) -> bool:
    """Whether a hold is the whole fleet's, for which it is all the same which tasks run."""
    fleet_wide = hold.kind is HoldKind.THROTTLED and hold.message == str(Throttle(most=capacity.throttled))
    return fleet_wide or hold.kind in (HoldKind.SLOTS, HoldKind.LOAD, HoldKind.STAGGER)


def _first_of(start: Sequence[Task]) -> str:
    """Say who goes first, the very first by name."""
    more = len(start) - 1
    return f"{start[0].ref} and {more} more go" if more else f"{start[0].ref} goes"
