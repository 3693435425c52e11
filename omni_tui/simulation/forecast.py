"""Forecast: how far a backlog gets by a given hour, by playing the rest of the night with what stays took so far.

A stay is a task's time in `doing/`, all attempts together. Each play draws a stay of the record for every task, and
asks `scheduling.plan` whenever something ends, so that all that binds the real scheduler binds here. A bootstrap
(Efron 1979): no distribution is assumed, so a short record makes a poor forecast. The same seed tells the same.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from random import Random

import msgspec

from omni_tui.model.event import Event
from omni_tui.model.provider import Standing
from omni_tui.model.task import Status, Task, TaskRef
from omni_tui.policy.backlog import Backlog, Capacity
from omni_tui.policy.breaker import Breaker
from omni_tui.policy.dependencies import parse_ref
from omni_tui.policy.holds import Hold, HoldKind
from omni_tui.policy.scheduling import Plan, plan
from omni_tui.policy.serving import Serving

PLAYS = 100
LEAST_STAYS = 5
"""A shorter record says too little by itself."""
HOUR = 3600.0
LOW, HIGH = 0.1, 0.9
"""Which plays stand for a bad and for a good night."""
FOR_A_PERSON = frozenset(
    {
        HoldKind.DEPENDENCY_BLOCKED,
        HoldKind.DEPENDENCY_MISSING,
        HoldKind.CYCLE,
        HoldKind.FLAG,
        HoldKind.LINT,
        HoldKind.PAUSED,
    }
)
"""Holds that no night lifts by itself."""


class Stay(msgspec.Struct, frozen=True):
    """A task's time in `doing/`, in seconds, and whether it landed."""

    seconds: float
    landed: bool


class Hour(msgspec.Struct, frozen=True, kw_only=True):
    """How many tasks will have landed by a moment: in a bad night, in the middle one, and in a good one."""

    at: float
    low: int
    middle: int
    high: int


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """What the rest of the night is likely to bring. Times are UTC seconds."""

    hours: tuple[Hour, ...]
    """Hour by hour; the last is the end of the time looked at."""
    open: int
    """Tasks that wait or run now."""
    drained_at: float | None
    """When nothing is left that could go on, in the middle play; None: not within the time looked at."""
    binds: Mapping[str, float]
    """What kept waiting tasks from starting, as shares of the time in which any waited; kinds of holds."""
    stays: int
    """How many stays of the record it rests on."""


def stays_in(events: Sequence[Event]) -> tuple[Stay, ...]:
    """Return the stays that the journal tells of; one that began before it, or goes on, is none."""
    return tuple(_stays(events))


def _stays(events: Sequence[Event]) -> Iterator[Stay]:
    claimed: dict[tuple[str, str], float] = {}
    for event in events:
        key = (event.workspace, event.task)
        match event.event:
            case "task.claimed":
                claimed[key] = event.time
            case "task.landed" | "task.blocked" if key in claimed:
                yield Stay(event.time - claimed.pop(key), event.event == "task.landed")
            case "task.requeued" | "task.withdrawn":
                claimed.pop(key, None)


def forecast(
    backlog: Backlog, capacity: Capacity, record: Sequence[Stay], *, seconds: float, seed: int = 1
) -> Forecast:
    """Return what the next `seconds` are likely to bring. Raises `ValueError` for a record without any stay.

    The load of this moment says nothing of the hours to come: what load costs here is in the record.
    """
    if not record:
        raise ValueError("a forecast needs a record")
    capacity = msgspec.structs.replace(capacity, load=None)
    trimmed = _within_reach(backlog, capacity, record, seconds)
    chance = Random(seed)  # noqa: S311 - the same each time, on purpose
    plays = [_Play(trimmed, capacity, record, seconds, chance) for _ in range(PLAYS)]
    for each in plays:
        each.run()
    ends = sorted(each.drained_at for each in plays)
    bound: dict[str, float] = defaultdict(float)
    for kind, share in (item for each in plays for item in each.bound.items()):
        bound[kind] += share
    whole, most_first = sum(bound.values()), sorted(bound.items(), key=lambda item: -item[1])
    middle, all_seen = ends[len(ends) // 2], len(trimmed.waiting) == len(backlog.waiting)
    return Forecast(
        hours=tuple(_hours(plays, capacity.now, seconds)),
        open=len(backlog.waiting) + len(backlog.running),
        drained_at=middle if all_seen and middle <= capacity.now + seconds else None,
        binds={kind: share / whole for kind, share in most_first} if whole else {},
        stays=len(record),
    )


def _hours(plays: Sequence[_Play], now: float, seconds: float) -> Iterator[Hour]:
    marks = [now + HOUR * number for number in range(1, int(seconds // HOUR) + 1)]
    if not marks or marks[-1] < now + seconds:
        marks.append(now + seconds)
    for at in marks:
        landed = sorted(each.landed_by(at) for each in plays)
        low, middle, high = (landed[int(share * (len(landed) - 1))] for share in (LOW, 0.5, HIGH))
        yield Hour(at=at, low=low, middle=middle, high=high)


def _within_reach(backlog: Backlog, capacity: Capacity, record: Sequence[Stay], seconds: float) -> Backlog:
    """Leave out what cannot have its turn in the time, so that a long backlog costs no more than a short one."""
    quickest = max(1.0, min(stay.seconds for stay in record))
    most = int(capacity.slots * (seconds / quickest + 1))
    if len(backlog.waiting) <= most:
        return backlog
    by_ref = {task.ref: task for task in backlog.waiting}
    kept: dict[TaskRef, Task] = {}
    for task in sorted(backlog.waiting, key=lambda each: (-each.priority, each.created_at, each.id)):
        if len(kept) >= most:
            break
        line = [task]
        while line:
            each = line.pop()
            if each.ref not in kept:
                kept[each.ref] = each
                needs = (by_ref.get(parse_ref(text, each.workspace)) for text in each.depends_on)
                line += [need for need in needs if need is not None]
    return msgspec.structs.replace(backlog, waiting=tuple(kept.values()))


def _servers(backlog: Backlog) -> Iterator[tuple[TaskRef, str]]:
    """Give who serves each task that runs now."""
    for attempt, name in backlog.course.providers.items():
        workspace, _, task_id = attempt.rpartition("#")[0].partition("/")
        yield TaskRef(workspace, task_id), name


def _stays_open(standing: Standing, now: float) -> bool:
    return standing.state == Breaker.OPEN and (standing.until is None or standing.until > now)


class _Play:
    """One night that might come."""

    def __init__(
        self, backlog: Backlog, capacity: Capacity, record: Sequence[Stay], seconds: float, chance: Random
    ) -> None:
        self.bound: dict[str, float] = defaultdict(float)
        """Seconds for which each kind of hold bound."""
        self.drained_at = capacity.now
        self._backlog = backlog
        self._capacity = capacity
        self._record = record
        self._chance = chance
        self._until = capacity.now + seconds
        self._landings: list[float] = []
        self._status = dict(backlog.status_of)
        self._waiting = {task.ref: task for task in backlog.waiting}
        self._ends: list[tuple[float, TaskRef, bool]] = []
        self._server_of = dict(_servers(backlog))
        for ref in sorted(backlog.running):
            self._begin(ref, capacity.now)

    def run(self) -> None:
        """Play until nothing is left that could go on, or the time is up."""
        now, last_start = self._capacity.now, self._capacity.last_start
        while now <= self._until:
            decided = self._plan(now, last_start)
            for task in decided.start:
                del self._waiting[task.ref]
                self._begin(task.ref, now)
                last_start = now
            moments = [moment for moment in (decided.wake_at, self._ends[0][0] if self._ends else None) if moment]
            if not moments:
                break
            after = min(moments)
            if after <= now and not decided.start:  # what ends by itself has not ended: only a person could
                break
            self._note(decided, min(after, self._until) - now)
            now = after
            self._end(now)
        self.drained_at = now

    def landed_by(self, at: float) -> int:
        """Return how many tasks have landed by a moment."""
        return sum(landed <= at for landed in self._landings)

    def _begin(self, ref: TaskRef, now: float) -> None:
        """Let a task run for as long as some task before it did; one that runs already begins anew."""
        stay = self._chance.choice(self._record)
        if ref not in self._server_of:
            self._server_of[ref] = Serving(self._standings(now), self._backlog.providers).server_of(ref)
        self._status[ref] = Status.DOING
        heapq.heappush(self._ends, (now + max(stay.seconds, 1.0), ref, stay.landed))

    def _end(self, now: float) -> None:
        while self._ends and self._ends[0][0] <= now:
            at, ref, landed = heapq.heappop(self._ends)
            self._status[ref] = Status.DONE if landed else Status.BLOCKED
            if landed:
                self._landings.append(at)

    def _plan(self, now: float, last_start: float | None) -> Plan:
        backlog = msgspec.structs.replace(
            self._backlog,
            waiting=tuple(self._waiting.values()),
            status_of=self._status,
            running=[ref for _, ref, _ in self._ends],
            standings=self._standings(now),
        )
        return plan(backlog, msgspec.structs.replace(self._capacity, now=now, last_start=last_start))

    def _standings(self, now: float) -> dict[str, Standing]:
        """Return how the providers stand by then: each serves what runs of its own, and again once its pause is over.

        That one is tried first, with an attempt or a preflight, costs too little time to count.
        """
        used = Counter(self._server_of.get(ref, "") for _, ref, _ in self._ends)
        return {
            name: msgspec.structs.replace(
                standing,
                used=used[name],
                unproven=False,
                state=Breaker.OPEN if _stays_open(standing, now) else Breaker.CLOSED,
            )
            for name, standing in self._backlog.standings.items()
        }

    def _note(self, decided: Plan, seconds: float) -> None:
        """Note what binds for so long: slots where they are all taken, else what holds the first the night frees."""
        holds = decided.holds.values()
        if holds and seconds > 0:
            full = any(hold.kind is HoldKind.SLOTS for hold in holds)
            self.bound[HoldKind.SLOTS if full else min(holds, key=_for_a_person).kind] += seconds


def _for_a_person(hold: Hold) -> bool:
    """Whether no time passes for the sake of a hold: only a person lifts it."""
    return hold.kind in FOR_A_PERSON or (hold.kind is HoldKind.PARKED and hold.until is None)
