"""Room: how many tasks may start, whichever they are."""

from __future__ import annotations

from collections.abc import Iterator

from omni_tui.model.brakes import Throttle
from omni_tui.policy.backlog import Capacity
from omni_tui.policy.holds import Hold, HoldKind
from omni_tui.policy.load import binds

DISK_SECONDS = 30.0
"""After so long a full disk is looked at again: nothing tells when there is room."""
LOAD_SECONDS = 10.0
"""After so long a loaded machine is looked at again."""


class Room:
    """Admits tasks one after another, as far as there is room; remembers what binds the rest, and until when."""

    def __init__(self, capacity: Capacity, running: int, stopped: str) -> None:
        self._capacity = capacity
        self._stopped = stopped
        self._running = running
        self._last_start = capacity.last_start
        self._earliest: float | None = None
        self._limit = min(capacity.throttled, capacity.slots) if capacity.throttled else capacity.slots
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

    @property
    def closed(self) -> bool:
        """Whether no task can be admitted, whichever it is; when time opens it again it wakes whoever asked."""
        if self._closed is not None and self._closed.until is not None:
            self.wake(self._closed.until)
        return self._closed is not None

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
        found = limits(self._capacity, self._running, self._stopped)
        full = next((hold for slots, hold in found if self._running >= slots), None)
        return full or stagger(self._capacity, self._running, self._last_start)


def limits(capacity: Capacity, running: int, stopped: str) -> Iterator[tuple[int, Hold]]:
    """Yield how many may run by each limit there is, with what holds the others; in the order in which they bind."""
    if capacity.frozen:
        yield 0, Hold(kind=HoldKind.FROZEN, message=f"the fleet is frozen: {capacity.why_frozen or 'no new starts'}")
    if stopped:
        yield 0, Hold(kind=HoldKind.STOPPED, message=f"the run was stopped: {stopped}")
    if capacity.short:
        yield running, Hold(kind=HoldKind.DISK, message=capacity.short, until=capacity.now + DISK_SECONDS)
    if 0 < capacity.throttled < capacity.slots:
        yield capacity.throttled, Hold(kind=HoldKind.THROTTLED, message=str(Throttle(most=capacity.throttled)))
    taken = "the only slot is" if capacity.slots == 1 else f"all {capacity.slots} slots are"
    yield capacity.slots, Hold(kind=HoldKind.SLOTS, message=f"{taken} taken")
    if busy := binds(capacity.load, capacity.load_limits, running):
        yield running, Hold(kind=HoldKind.LOAD, message=busy, until=capacity.now + LOAD_SECONDS)


def stagger(capacity: Capacity, running: int, last_start: float | None) -> Hold | None:
    """Return what holds the next start because starts are spread out in time."""
    until = None if last_start is None else last_start + capacity.stagger_seconds
    if not running or until is None or until <= capacity.now:
        return None
    return Hold(kind=HoldKind.STAGGER, message="starts are spread out in time", until=until)
