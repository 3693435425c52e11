"""The spares: prepared checkouts, kept at the newest tip in the background, so that a start does not wait for one."""

from __future__ import annotations

import asyncio

from omni_tui.engine.services import Services
from omni_tui.engine.workplace import Workplace
from omni_tui.errors import OmniError


class SpareKeeper:
    """Keeps one spare a slot in one workplace; asleep until it is told that one was used, or that the tip has moved."""

    def __init__(self, place: Workplace, services: Services) -> None:
        self._place = place
        self._services = services
        self._due = asyncio.Event()
        self._due.set()

    def look(self) -> None:
        """Have it look again soon."""
        self._due.set()

    async def run(self) -> None:
        """Keep the spares until cancelled.

        A failure is told once and tried again at the next look; meanwhile a start makes its own checkout.
        """
        told = ""
        while True:
            await self._due.wait()
            self._due.clear()
            scheduler = self._services.settings().scheduler
            if not scheduler.spares:
                continue
            try:
                await self._place.checkouts.make_spare(await self._place.scm.tip())
                told = ""
            except OmniError as error:
                if str(error) != told:
                    told = str(error)
                    self._services.record("workspace.spare_failed", workspace=self._place.name, error=told)
