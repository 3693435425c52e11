"""Scheduling: what starts next, and for all that may not start, the one reason that binds.

Higher priority first, then the older, then by id; `depends_on` is respected. Times are seconds on one clock, the
caller's; which clock it is does not matter here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum

import msgspec

from omni_tui.model.task import Status, Task, TaskRef
from omni_tui.policy.dependencies import Dependencies, Unmet, UnmetKind


class HoldKind(StrEnum):
    """Why a task may not start now."""

    DEPENDENCY = "dependency"
    """Waits for another task that can still be done."""
    DEPENDENCY_BLOCKED = "dependency_blocked"
    DEPENDENCY_MISSING = "dependency_missing"
    CYCLE = "cycle"
    DELAYED = "delayed"
    """Waits before its next attempt."""
    FROZEN = "frozen"
    THROTTLED = "throttled"
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


class Capacity(msgspec.Struct, frozen=True, kw_only=True):
    """How much may run."""

    slots: int
    now: float
    frozen: bool = False
    throttled: bool = False
    """One at a time, whatever `slots` says."""
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
    gate = _Gate(capacity, running=len(backlog.running))
    dependencies = Dependencies(backlog.waiting, backlog.status_of)
    start: list[Task] = []
    holds: dict[TaskRef, Hold] = {}
    for task in sorted(backlog.waiting, key=_order):
        ref = task.ref
        hold = _own_hold(task, ref, backlog, dependencies, capacity.now)
        if hold is None:
            hold = gate.admit()
        elif hold.until is not None:
            gate.wake(hold.until)
        if hold is None:
            start.append(task)
        else:
            holds[ref] = hold
    return Plan(start=tuple(start), holds=holds, wake_at=gate.wake_at)


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
    until = backlog.not_before.get(ref)
    if until is not None and until > now:
        return Hold(kind=HoldKind.DELAYED, message="waits before its next attempt", until=until)
    return None


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


class _Gate:
    """Admits tasks one after another, as far as there is room; remembers what binds the rest, and until when."""

    def __init__(self, capacity: Capacity, running: int) -> None:
        self._capacity = capacity
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
        room = not self._capacity.frozen and self._running < self._limit
        return self._earliest if room else None

    def _state(self) -> Hold | None:
        capacity = self._capacity
        if capacity.frozen:
            return Hold(kind=HoldKind.FROZEN, message="the fleet is frozen: no new starts")
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
