"""Driving a cockpit in a test: waiting until it shows what it has been told, and reading it as text."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from textual.pilot import Pilot
from textual.screen import Screen

from omni_tui.cockpit.app import CockpitApp
from omni_tui.cockpit.screens.main import MainScreen
from omni_tui.cockpit.widgets.lines import LinesView
from omni_tui.model.request import RequestKind
from omni_tui.model.task import Status
from omni_tui.store import control
from tests.support.cockpit_ports import make_ports
from tests.support.fleet_tree import FleetTree
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


Driven = tuple[Pilot[None], MainScreen]


@asynccontextmanager
async def cockpit(tree: FleetTree, size: tuple[int, int] = (100, 30), **ports: object) -> AsyncIterator[Driven]:
    """Open a cockpit on `tree`."""
    app = CockpitApp(make_ports(tree, **ports))  # type: ignore[arg-type]
    async with app.run_test(size=size) as pilot:
        yield pilot, await settle(pilot)


def select(screen: MainScreen, name: str) -> None:
    """Select the task of that id."""
    screen.table.select([row.ref.id for row in screen.table.rows].index(name))


async def opens(pilot: Pilot[None], kind: type[Screen[Any]]) -> None:
    """Wait until a screen of that kind is on top."""
    await wait_for_async(lambda: isinstance(pilot.app.screen, kind), f"{kind.__name__} on top")


async def shows(pilot: Pilot[None], word: str) -> None:
    """Wait until that is on the screen."""
    await wait_for_async(lambda: word in text_of(pilot), f"{word!r} on the screen")


def asked(tree: FleetTree) -> list[tuple[RequestKind, str]]:
    """Return what has been filed, and for which task."""
    return [(request.kind, request.task) for request in control.pending(tree.paths.control)]
