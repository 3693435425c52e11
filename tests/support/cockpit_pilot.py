"""Driving a cockpit in a test: waiting until it shows what it has been told, and reading it as text."""

from __future__ import annotations

from textual.pilot import Pilot

from omni_tui.cockpit.app import CockpitApp
from omni_tui.cockpit.screens.main import MainScreen
from omni_tui.cockpit.widgets.lines import LinesView
from omni_tui.model.task import Status
from tests.support.waiting import wait_for_async


def main_screen(pilot: Pilot[None]) -> MainScreen | None:
    """Return the main screen once it is there and has a table."""
    app = pilot.app
    assert isinstance(app, CockpitApp)
    screens = [screen for screen in app.screen_stack if isinstance(screen, MainScreen)]
    return screens[0] if screens and screens[0].is_mounted and screens[0].query("TaskTable") else None


async def settle(pilot: Pilot[None]) -> MainScreen:
    """Wait until the fleet is read, the pane of the selected task is filled, and nothing is left to draw."""
    screen = await wait_for_async(lambda: main_screen(pilot), "the main screen")
    await wait_for_async(lambda: screen.view.taken_at, "the first look at the fleet")
    await pilot.pause()

    def filled() -> bool:
        row = screen.table.selected
        if row is None or not screen.query_one("#side").display:
            return True
        pane = screen.query_one("#live" if row.status is Status.DOING else "#detail", LinesView)
        return pane.virtual_size.height > 0

    await wait_for_async(filled, "the selected task's pane")
    await pilot.pause()
    return screen


def text_of(pilot: Pilot[None]) -> str:
    """Return what the screen on top shows, a line each."""
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips)
