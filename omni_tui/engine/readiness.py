"""Readiness: writes down how many tasks wait for a slot alone, from which the report tells how idle the slots were."""

from __future__ import annotations

from collections.abc import Mapping

from omni_tui.engine.services import Services
from omni_tui.model.task import TaskRef
from omni_tui.policy.holds import Hold, HoldKind


class Readiness:
    """Told once for each change, so that a quiet night writes nothing."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._told: tuple[int, int] | None = None

    def look(self, holds: Mapping[TaskRef, Hold], running: int) -> None:
        """Take in the holds after a decision, with how many tasks run; more than there are slots need not be told."""
        slots = self._services.settings().scheduler.limit
        waiting = sum(hold.kind is HoldKind.SLOTS for hold in holds.values())
        ready = min(waiting, slots)
        if (ready, slots) != self._told:
            self._told = (ready, slots)
            self._services.record("slots.wanted", ready=ready, slots=slots, running=running)
