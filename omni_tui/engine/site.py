"""A site: an open workplace with what the scheduler keeps for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from omni_tui.engine.intake import Intake
from omni_tui.engine.premises import Premises
from omni_tui.engine.survey import Surveyor
from omni_tui.engine.wakeups import Wakeups
from omni_tui.engine.workplace import Workplace
from omni_tui.model.task import Status


@dataclass
class Site:
    """A workplace with what the scheduler keeps for it."""

    place: Workplace
    intake: Intake
    premises: Premises
    surveyor: Surveyor
    plan_changed: asyncio.Event = field(default_factory=asyncio.Event)
    keeper: asyncio.Task[None] | None = None
    """What keeps its spares."""

    def watch(self, wakeups: Wakeups, wake: asyncio.Event) -> None:
        """Hear of its changes, and wake the scheduler at each."""
        for event, directory, file in self._ears(wake):
            wakeups.add(event, directory, file)

    def leave(self, wakeups: Wakeups, wake: asyncio.Event) -> None:
        """Hear of them no more."""
        for event, directory, file in self._ears(wake):
            wakeups.remove(event, directory, file)

    def _ears(self, wake: asyncio.Event) -> Iterator[tuple[asyncio.Event, Path, Path | None]]:
        """Give who hears of what."""
        paths = self.place.paths
        for status in Status:
            for event in (self.intake.changed, wake):
                yield event, paths.queue(status), None
        for changed, file in ((self.premises.changed, paths.flags), (self.plan_changed, paths.plan)):
            for event in (changed, wake):
                yield event, paths.root, file
