"""The plan on a page: worked out on a thread when it is opened, as looking through a repository takes a while."""

from __future__ import annotations

import asyncio

from textual import work

from omni_tui.cockpit.planpage import tell_plan
from omni_tui.cockpit.ports import Foresight
from omni_tui.cockpit.screens.page import PageScreen
from omni_tui.cockpit.tones import Tone
from omni_tui.cockpit.widgets.lines import Reading
from omni_tui.errors import OmniError
from omni_tui.model.text import one_line
from omni_tui.model.view import FleetView


class PlanScreen(PageScreen):
    """Shows the waves of the fleet as it is when this is opened."""

    def __init__(self, view: FleetView, foresight: Foresight) -> None:
        super().__init__("The plan: what may run side by side, and what ties what does not", self._begin)
        self._view, self._foresight = view, foresight

    def _begin(self, page: Reading) -> None:
        page.tell([(("looking what the tasks will touch ...", Tone.QUIET),)])
        self._look(page)

    @work(exclusive=True)
    async def _look(self, page: Reading) -> None:
        try:
            ahead = await asyncio.to_thread(self._foresight.plan)
        except (OmniError, OSError) as error:
            page.tell([((one_line(str(error)), Tone.ASKING),)])
            return
        page.tell(list(tell_plan(ahead, self._view)))
