"""The spares: prepared checkouts, kept at the newest tip in the background, so that a start does not wait for one."""

from __future__ import annotations

from omni_tui.engine.services import Services
from omni_tui.engine.workplace import Workplace
from omni_tui.errors import OmniError

STARTS_FIRST_SECONDS = 0.5
"""What makes spares due often makes a start due as well: that one takes a spare and the machine first."""


class SpareKeeper:
    """Keeps one spare a slot in one workplace; asleep until the workplace says that they are due."""

    def __init__(self, place: Workplace, services: Services) -> None:
        self._place = place
        self._services = services

    async def run(self) -> None:
        """Keep the spares until cancelled.

        A failure is told once and tried again when they are due again; meanwhile a start makes its own checkout.
        """
        told, due = "", self._place.spares_due
        due.set()
        while True:
            await due.wait()
            await self._services.clock.sleep(STARTS_FIRST_SECONDS)
            due.clear()
            scheduler = self._services.settings().scheduler
            count = scheduler.limit if scheduler.spares else 0
            try:
                await self._place.checkouts.make_spares(await self._place.scm.tip(), count)
                told = ""
            except OmniError as error:
                if str(error) != told:
                    told = str(error)
                    self._services.record("workspace.spare_failed", workspace=self._place.name, error=told)
