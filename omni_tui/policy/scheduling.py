"""Scheduling: what starts next, and for all that may not start, the one reason that binds.

Higher priority first, then the older, then by id; `depends_on` is respected. Times are seconds on one clock, the
caller's; which clock it is does not matter here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum

import msgspec

from omni_tui.model.course import Course
from omni_tui.model.task import Status, Task, TaskRef
from omni_tui.policy.dependencies import Dependencies, Unmet, UnmetKind
from omni_tui.policy.parking import may_probe
from omni_tui.policy.signs import shows

DISK_SECONDS = 30.0
"""After so long a full disk is looked at again: nothing tells when there is room."""


class HoldKind(StrEnum):
    """Why a task may not start now."""

    DEPENDENCY = "dependency"
    """Waits for another task that can still be done."""
    DEPENDENCY_BLOCKED = "dependency_blocked"
    DEPENDENCY_MISSING = "dependency_missing"
    CYCLE = "cycle"
    DELAYED = "delayed"
    """Waits before its next attempt."""
    PARKED = "parked"
    """Every provider that could serve it is parked."""
    PAUSED = "paused"
    """It would fail for a cause that is known already."""
    STOPPED = "stopped"
    """The run was stopped for a reason that a person must look at."""
    FROZEN = "frozen"
    THROTTLED = "throttled"
    DISK = "disk"
    """The fleet's disk has less free than its reserve."""
    SLOTS = "slots"
    STAGGER = "stagger"
    RUNNING = "running"
    """It runs already, or its last attempt is still being ended."""
    NEXT = "next"
    """Nothing holds it: it starts as soon as there is a dispatcher. Only from `explain`."""
    NOT_WAITING = "not_waiting"
    """It is not in `todo/`. Only from `explain`."""


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """The one binding reason why a task does not start now, for `why`."""

    kind: HoldKind
    message: str
    until: float | None = None
    """When it ends by itself; None: something has to happen first."""


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """The tasks of the whole fleet."""

    waiting: Sequence[Task]
    """Those in `todo/`."""
    status_of: Mapping[TaskRef, Status]
    """Those that are not waiting."""
    running: Collection[TaskRef] = ()
    not_before: Mapping[TaskRef, float] = {}
    """Delays before another attempt."""
    course: Course = Course()
    providers: Mapping[TaskRef, Collection[str]] = {}
    """Who could serve each waiting task; one that is not named has no such limits."""


class Capacity(msgspec.Struct, frozen=True, kw_only=True):
    """How much may run."""

    slots: int
    now: float
    frozen: bool = False
    throttled: bool = False
    """One at a time, whatever `slots` says."""
    short: str = ""
    """What the disk has too little of; empty: it has enough."""
    stagger_seconds: float = 0.0
    """Least time between two starts while another agent runs."""
    last_start: float | None = None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to start now, in this order; why not the others; and when time alone will change that."""

    start: tuple[Task, ...]
    holds: Mapping[TaskRef, Hold]
    wake_at: float | None
    """None: only an event can change anything."""


def plan(backlog: Backlog, capacity: Capacity) -> Plan:
    """Decide what starts now."""
    gate = _Gate(capacity, running=len(backlog.running), stopped=backlog.course.stopped)
    serving = _Providers(backlog.course, capacity.now, backlog.running)
    dependencies = Dependencies(backlog.waiting, backlog.status_of)
    start: list[Task] = []
    holds: dict[TaskRef, Hold] = {}
    for task in sorted(backlog.waiting, key=_order):
        ref = task.ref
        hold = _own_hold(task, ref, backlog, dependencies, capacity.now) or serving.hold(backlog.providers.get(ref))
        if hold is None:
            hold = gate.admit()
        elif hold.until is not None:
            gate.wake(hold.until)
        if hold is None:
            start.append(task)
            serving.begin(backlog.providers.get(ref))
        else:
            holds[ref] = hold
    return Plan(start=tuple(start), holds=holds, wake_at=gate.wake_at)


def nobody_serves(holds: Iterable[Hold]) -> str:
    """Return why no task can start where all of them wait for a provider that only a person can mend; else nothing.

    Tasks that wait for other tasks are held by what holds those.
    """
    first = [hold for hold in holds if hold.kind is not HoldKind.DEPENDENCY]
    messages = [hold.message if hold.kind is HoldKind.PARKED and hold.until is None else "" for hold in first]
    return f"no provider serves: {messages[0]}" if messages and all(messages) else ""


def may_go_on(task: Task, course: Course, providers: Collection[str], now: float) -> bool:
    """Whether a task whose attempt failed may have the next one at once, in the slot that it has."""
    held = course.stopped or pause_of(task, course) or _Providers(course, now).hold(providers)
    return not held


def explain(ref: TaskRef, backlog: Backlog, capacity: Capacity) -> Hold:
    """Return the reason that binds one task, also where it is not waiting or nothing holds it."""
    if all(task.ref != ref for task in backlog.waiting):
        status = backlog.status_of.get(ref)
        message = f"it is in {status}/, not in todo/" if status else "there is no such task"
        return Hold(kind=HoldKind.NOT_WAITING, message=message)
    hold = plan(backlog, capacity).holds.get(ref)
    return hold or Hold(kind=HoldKind.NEXT, message="nothing holds it: it starts next")


def _order(task: Task) -> tuple[int, float, str, str]:
    return (-task.priority, task.created_at, task.id, task.workspace)


def _own_hold(task: Task, ref: TaskRef, backlog: Backlog, dependencies: Dependencies, now: float) -> Hold | None:
    """Return what holds this very task, however much room there is."""
    if ref in backlog.running:
        return Hold(kind=HoldKind.RUNNING, message="its last attempt is still being ended")
    if task.depends_on:
        unmet = dependencies.unmet(task)
        if unmet is not None:
            return _dependency_hold(unmet)
    reason = pause_of(task, backlog.course)
    if reason:
        return Hold(kind=HoldKind.PAUSED, message=reason)
    until = backlog.not_before.get(ref)
    if until is not None and until > now:
        return Hold(kind=HoldKind.DELAYED, message="waits before its next attempt", until=until)
    return None


def pause_of(task: Task, course: Course) -> str:
    """Return why a task would fail for a cause that is known already; empty: none is known."""
    if task.workspace in course.broken:
        return f"{course.broken[task.workspace]}; mend that, then `omni-tui thaw`"
    for cause in course.causes:
        if cause.workspace == task.workspace and (task.id in cause.tasks or shows(task, (cause.sign,))):
            others = ", ".join(each for each in cause.tasks if each != task.id)
            return f"shares a cause with {others}: {cause.sign}; mend that, then `omni-tui thaw`"
    return ""


def _dependency_hold(unmet: Unmet) -> Hold:
    names = ", ".join(str(ref) for ref in unmet.refs)
    be = "is" if len(unmet.refs) == 1 else "are"
    match unmet.kind:
        case UnmetKind.CYCLE:
            circle = " → ".join([*map(str, unmet.refs), *(["…"] if unmet.more else []), str(unmet.refs[0])])
            return Hold(kind=HoldKind.CYCLE, message=f"depends on itself: {circle}; take one of these out")
        case UnmetKind.MISSING:
            return Hold(kind=HoldKind.DEPENDENCY_MISSING, message=f"depends on {names}, which {be} not there")
        case UnmetKind.BLOCKED:
            return Hold(kind=HoldKind.DEPENDENCY_BLOCKED, message=f"depends on {names}, which {be} blocked")
        case UnmetKind.OPEN:
            return Hold(kind=HoldKind.DEPENDENCY, message=f"waits for {names}")


class _Providers:
    """Knows who serves: a parked provider serves nobody, and one attempt alone once its pause is over."""

    def __init__(self, course: Course, now: float, running: Collection[TaskRef] | None = None) -> None:
        """Take what runs, where that is known: an attempt whose end a crash kept from the journal tries nothing."""
        there = None if running is None else set(map(str, running))
        attempts = course.providers.items()
        self._parked = course.parked
        self._busy = {name for attempt, name in attempts if there is None or attempt.rpartition("#")[0] in there}
        self._now = now

    def hold(self, candidates: Collection[str] | None) -> Hold | None:
        """Return what holds a task that only `candidates` could serve."""
        if not candidates or any(self._serves(name) for name in candidates):
            return None
        parked = {name: self._parked[name] for name in candidates}
        again = [each.until for each in parked.values() if each.until is not None]
        words = "; ".join(f"{name}: {each.reason}" for name, each in sorted(parked.items()))
        if any(at <= self._now for at in again):
            return Hold(kind=HoldKind.PARKED, message=f"{words}; one attempt tries whether it serves again")
        mend = "" if again else "; mend that, then `omni-tui thaw`"
        return Hold(kind=HoldKind.PARKED, message=words + mend, until=min(again, default=None))

    def begin(self, candidates: Collection[str] | None) -> None:
        """Note that a task starts which one of `candidates` serves: an open one before one that is only tried."""
        serving = [name for name in candidates or () if self._serves(name)]
        if serving and all(name in self._parked for name in serving):
            self._busy.add(serving[0])

    def _serves(self, name: str) -> bool:
        parked = self._parked.get(name)
        return parked is None or (may_probe(parked, self._now) and name not in self._busy)


class _Gate:
    """Admits tasks one after another, as far as there is room; remembers what binds the rest, and until when."""

    def __init__(self, capacity: Capacity, running: int, stopped: str) -> None:
        self._capacity = capacity
        self._stopped = stopped
        self._running = running
        self._last_start = capacity.last_start
        self._earliest: float | None = None
        self._limit = min(1, capacity.slots) if capacity.throttled else capacity.slots
        self._closed = self._state()

    def admit(self) -> Hold | None:
        """Give a free slot to one task, or say what it waits for."""
        if self._closed is not None:
            if self._closed.until is not None:
                self.wake(self._closed.until)
            return self._closed
        self._running += 1
        self._last_start = self._capacity.now
        self._closed = self._state()
        return None

    def wake(self, at: float) -> None:
        """Note a moment at which time alone may let a task start."""
        if self._earliest is None or at < self._earliest:
            self._earliest = at

    @property
    def wake_at(self) -> float | None:
        """The next such moment; None while no task could use it, because something else has to happen first."""
        room = not self._capacity.frozen and not self._stopped and self._running < self._limit
        return self._earliest if room else None

    def _state(self) -> Hold | None:
        capacity = self._capacity
        if capacity.frozen:
            return Hold(kind=HoldKind.FROZEN, message="the fleet is frozen: no new starts")
        if self._stopped:
            return Hold(kind=HoldKind.STOPPED, message=f"the run was stopped: {self._stopped}; `omni-tui thaw` goes on")
        if capacity.short:
            return Hold(kind=HoldKind.DISK, message=capacity.short, until=capacity.now + DISK_SECONDS)
        if self._running >= self._limit:
            if capacity.throttled and self._running < capacity.slots:
                return Hold(kind=HoldKind.THROTTLED, message="the fleet is throttled: one at a time")
            taken = "the only slot is" if capacity.slots == 1 else f"all {capacity.slots} slots are"
            return Hold(kind=HoldKind.SLOTS, message=f"{taken} taken")
        return self._stagger()

    def _stagger(self) -> Hold | None:
        if not self._running or self._last_start is None:
            return None
        until = self._last_start + self._capacity.stagger_seconds
        if until <= self._capacity.now:
            return None
        return Hold(kind=HoldKind.STAGGER, message="starts are spread out in time", until=until)
