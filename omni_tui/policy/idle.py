"""Idleness: how much of the slots' time went by unused though tasks waited that nothing held. Pure: events in.

The scheduler writes down how many tasks wait for a slot alone, whenever that changes. From then on each slot that is
free is one that it leaves idle, until it fills it or says that fewer wait. While nobody dispatches nothing is counted.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from omni_tui.model.event import Event
from omni_tui.model.task import TaskRef

BEGIN = frozenset({"task.claimed", "task.adopted"})
END = frozenset({"task.landed", "task.blocked", "task.requeued", "task.withdrawn"})


class Idleness(msgspec.Struct, frozen=True, kw_only=True):
    """The slots' time in a span, in seconds: two slots for a minute are 120."""

    idle: float = 0.0
    """Of it went by unused though a task waited for nothing but a slot."""
    total: float = 0.0
    """All of it, while somebody dispatched."""

    @property
    def share(self) -> float:
        """The idle part, from 0 to 1."""
        return self.idle / self.total if self.total else 0.0


def idleness(events: Iterable[Event], until: float) -> Idleness:
    """Return how idle the slots were from the first event to a moment, UTC seconds; what it tells begins anywhere."""
    count = _Count()
    for event in events:
        if event.time > until:
            break
        count.hear(event)
    count.go_on(until)
    return Idleness(idle=count.idle, total=count.total)


class _Count:
    """Follows the events. Until the scheduler has said how things stand nothing is known, so nothing is counted."""

    def __init__(self) -> None:
        self.idle = self.total = 0.0
        self._slots = self._ready = 0
        self._running: set[TaskRef] = set()
        self._unnamed = 0
        """Tasks that run since before the first event."""
        self._at = 0.0

    def hear(self, event: Event) -> None:
        """Let the time until the event pass, and take it in. When a dispatcher was killed, nothing tells."""
        if event.event == "core.started":
            self._slots, self._unnamed = 0, 0
            self._running.clear()
        self.go_on(event.time)
        ref = TaskRef(event.workspace, event.task)
        if event.event == "slots.wanted":
            self._slots, self._ready = _number(event, "slots"), _number(event, "ready")
            self._unnamed = max(0, _number(event, "running") - len(self._running))
        elif event.event == "core.stopped":
            self._slots = 0
        elif event.event in BEGIN:
            self._running.add(ref)
        elif event.event in END and ref in self._running:
            self._running.discard(ref)
        elif event.event in END:
            self._unnamed = max(0, self._unnamed - 1)

    def go_on(self, time: float) -> None:
        """Let time pass as things stand."""
        passed, self._at = max(0.0, time - self._at), time
        free = max(0, self._slots - len(self._running) - self._unnamed)
        self.total += self._slots * passed
        self.idle += min(free, self._ready) * passed


def _number(event: Event, name: str) -> int:
    value = event.data.get(name, 0)
    return value if isinstance(value, int) else 0
