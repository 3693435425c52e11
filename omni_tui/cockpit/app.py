"""The cockpit: a Textual app that shows the files of a fleet and files wishes. It dispatches nothing itself."""

from __future__ import annotations

import asyncio
import os
from contextlib import closing, suppress
from pathlib import Path
from queue import SimpleQueue
from typing import ClassVar

from rich.console import RenderableType
from textual.app import App

from omni_tui.cockpit.ports import Ports
from omni_tui.cockpit.screens.main import MainScreen
from omni_tui.cockpit.themes import ANSI_DARK, ANSI_LIGHT, DARK, THEMES
from omni_tui.errors import OmniError
from omni_tui.model.view import FleetView
from omni_tui.store.watch import TreeWatch

BATCH_SECONDS = 0.15
"""Least time between two looks at what has changed: many changes make one frame."""
TICK_SECONDS = 1.0
STYLES = ("tones.tcss", "main.tcss", "dialogs.tcss")


class CockpitApp(App[None]):
    """Everything that it needs is handed in by `ports`."""

    ENABLE_COMMAND_PALETTE: ClassVar[bool] = False
    TITLE = "omni-tui"

    def __init__(self, ports: Ports) -> None:
        super().__init__(css_path=[ports.styles / name for name in STYLES])
        self._ports = ports
        self._main: MainScreen | None = None
        self._watched: set[Path] = set()
        self._loop_here: asyncio.AbstractEventLoop | None = None
        self.leaving: SimpleQueue[None] = SimpleQueue()
        """Gets an entry when the app has been told to leave; unlike an event, also from a signal handler."""
        self._reading = asyncio.Lock()  # a reader takes one call at a time
        for theme in THEMES.values():
            self.register_theme(theme)
        self._settings = ports.settings()
        self.theme = THEMES[self._settings.theme].name
        self.ansi_theme_dark, self.ansi_theme_light = ANSI_DARK, ANSI_LIGHT
        self.animation_level = "none"

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Name the tones to every theme, also those that are not ours."""
        return dict(DARK.variables)

    async def on_mount(self) -> None:
        """Show the screen at once, then fill it from the files and follow them."""
        self._loop_here = asyncio.get_running_loop()
        if not self.leaving.empty():
            self.exit()
        self._main = MainScreen(self._ports, self._settings)
        await self.push_screen(self._main)
        self.run_worker(self._follow(), name="follow")
        self.set_interval(TICK_SECONDS, self._tick, name="clock")

    def exit(self, result: None = None, return_code: int = 0, message: RenderableType | None = None) -> None:
        """Leave the terminal and end."""
        self.leaving.put(None)
        super().exit(result, return_code, message)

    def leave(self) -> None:
        """End soon; safe from a signal handler and from any thread, also while the app's own loop stands still."""
        self.leaving.put(None)
        if self._loop_here is not None:
            with suppress(RuntimeError):  # the loop has ended, so the app has left already
                self._loop_here.call_soon_threadsafe(self.exit)

    async def _follow(self) -> None:
        """Show what changes in the tree, as it changes."""
        with closing(TreeWatch()) as watch:
            await self._take(watch, set())
            async for changed in watch:
                await self._take(watch, changed)
                await asyncio.sleep(BATCH_SECONDS)

    async def _take(self, watch: TreeWatch, changed: set[Path]) -> None:
        """Take in `changed` (empty: anything), and what came to be while a new directory was not watched yet."""
        reader = self._ports.reader
        if reader.paths.config in changed:
            self._take_settings()
        async with self._reading:
            view = await (asyncio.to_thread(reader.update, changed) if changed else asyncio.to_thread(reader.read))
            while new := self._watch_all(watch):
                view = await asyncio.to_thread(reader.update, new)
        self._show(view)

    def _take_settings(self) -> None:
        """Take over changed settings; where they are wrong, the last good ones stay, and the person hears why."""
        try:
            self._settings = self._ports.settings()
        except OmniError as error:
            if self._main is not None:
                self._main.say(f"The last good settings stay in force: {error}")
            return
        self.theme = THEMES[self._settings.theme].name
        if self._main is not None:
            self._main.take_settings(self._settings)

    def _watch_all(self, watch: TreeWatch) -> set[Path]:
        """Watch what matters now; return what is watched only since."""
        wanted = self._ports.reader.watched()
        for path in self._watched - wanted:
            watch.remove(path)
        new = {path for path in wanted - self._watched if watch.add(path)}
        self._watched = (self._watched & wanted) | new
        return new

    def _show(self, view: FleetView) -> None:
        if self._main is not None and view is not self._main.view:
            self._main.show(view)

    async def _tick(self) -> None:
        async with self._reading:
            self._show(self._ports.reader.check_owner())
        if self._main is not None and (self.screen is self._main or self._main.above is not None):
            self._main.tick()


def machine_load() -> str:
    """Return the load of the last minute against the processors there are, as in `0.8/2`."""
    return f"{os.getloadavg()[0]:.1f}/{os.cpu_count() or 1}"
