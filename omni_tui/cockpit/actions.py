"""What each key of the main screen does. The names are the ids of `keymap.KEYMAP`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from omni_tui.cockpit.keymap import holds_all
from omni_tui.cockpit.look import needs_person
from omni_tui.cockpit.screens.confirm import ConfirmScreen
from omni_tui.cockpit.screens.pages import diff_page, help_page, story_page, told_page
from omni_tui.cockpit.screens.parts import PartsScreen
from omni_tui.cockpit.screens.plan import PlanScreen
from omni_tui.cockpit.screens.why import WhyScreen
from omni_tui.errors import OmniError
from omni_tui.model.brakes import Scope
from omni_tui.model.request import RequestKind
from omni_tui.model.task import Status
from omni_tui.model.view import TaskRow

if TYPE_CHECKING:
    from omni_tui.cockpit.screens.main import MainScreen


class Actions:
    """Carries out keys on the main screen."""

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen

    async def press(self, name: str) -> None:
        """Do what the key called `name` does; every one is a method here."""
        await getattr(self, name)()

    async def up(self) -> None:
        """Select the task above."""
        self._screen.scroll_or_move("up", -1)

    async def down(self) -> None:
        """Select the task below."""
        self._screen.scroll_or_move("down", 1)

    async def page_up(self) -> None:
        """Go up by a page."""
        self._screen.scroll_or_move("page_up", -self._screen.table.page)

    async def page_down(self) -> None:
        """Go down by a page."""
        self._screen.scroll_or_move("page_down", self._screen.table.page)

    async def first(self) -> None:
        """Go to the first task."""
        self._screen.scroll_or_move("home", -len(self._screen.table.rows))

    async def last(self) -> None:
        """Go to the last task."""
        self._screen.scroll_or_move("end", len(self._screen.table.rows))

    async def next_pane(self) -> None:
        """Give the keys to the other pane."""
        self._screen.swap_focus()

    async def next_needed(self) -> None:
        """Select the next task that needs a person, round and round; a filter that hides it goes."""
        table = self._screen.table
        if not any(needs_person(row) for row in table.rows):
            self._screen.clear_filter()
        count = len(table.rows)
        order = [(table.index + step) % count for step in range(1, count + 1)]
        table.select(next(index for index in order if needs_person(table.rows[index])))

    async def details(self) -> None:
        """Open the selected task's whole story."""
        row = self._row()
        ports = self._screen.ports
        detail = await asyncio.to_thread(ports.reader.detail, row)
        remarks = await asyncio.to_thread(ports.remarks, row)
        self._screen.app.push_screen(story_page(row, detail, remarks))

    async def diff(self) -> None:
        """Open what the latest attempt has changed."""
        row = self._row()
        try:
            patch = await self._screen.ports.insight.diff(row.ref)
        except OmniError as error:
            self._screen.say(str(error))
            return
        if patch.strip():
            self._screen.app.push_screen(diff_page(row, patch))
        else:
            self._screen.say(f"{row.ref.id} has changed nothing yet.")

    async def attach(self) -> None:
        """Go to the agent's terminal, and come back."""
        row = self._row()
        try:
            visit = await self._screen.ports.insight.attach(row.ref)
            with self._screen.app.suspend():
                status = self._screen.ports.go(visit)
        except (OmniError, OSError, SuspendNotSupported) as error:
            self._screen.say(f"Could not attach to {row.ref.id}: {error}")
            return
        self._screen.say(f"Back from {row.ref.id}." if status == 0 else f"{visit.argv[0]} ended with status {status}.")

    async def kill(self) -> None:
        """Ask, then have the agent killed."""
        row = self._row()
        self._confirm(
            f"Kill the agent of {row.ref.id}?",
            "The agent and all it started end now. Its unfinished work is kept, and the attempt counts as used.",
            RequestKind.KILL,
            row,
        )

    async def block(self) -> None:
        """Ask, and ask why, then have the task set aside."""
        row = self._row()
        consequences = {
            Status.DOING: "Its agent ends now, its unfinished work is kept. It stays aside until it is redispatched.",
            Status.TODO: "It stays aside until it is redispatched.",
        }
        self._confirm(f"Block {row.ref.id}?", consequences[row.status], RequestKind.BLOCK, row, ask_why=True)

    async def redispatch(self) -> None:
        """Queue the task again; ask first where work would end or a landed task would run again."""
        row = self._row()
        consequences = {
            Status.DOING: "Its agent ends now, its unfinished work is kept, and it starts again with fresh attempts.",
            Status.DONE: "Its change has landed and stays; the task is done once more from the start.",
        }
        if row.status in consequences:
            self._confirm(f"Redispatch {row.ref.id}?", consequences[row.status], RequestKind.REDISPATCH, row)
        else:
            self._screen.ask(RequestKind.REDISPATCH, row.ref)

    async def undo(self) -> None:
        """Bring back what the latest attempt left that left anything, and show where it is."""
        row = self._row()
        try:
            told = await self._screen.ports.insight.undo(row)
        except OmniError as error:
            self._screen.say(str(error))
            return
        self._screen.app.push_screen(told_page(row, told))

    async def freeze(self) -> None:
        """Start nothing new, or start again."""
        self._screen.ask(RequestKind.THAW if holds_all(self._screen.view) else RequestKind.FREEZE)

    async def freeze_workspace(self) -> None:
        """Start and merge nothing in the selected task's workspace, or go on there."""
        scope = Scope(workspace=self._row().ref.workspace)
        frozen = self._screen.view.brakes.freeze_of(scope) is not None
        self._screen.ask(RequestKind.THAW if frozen else RequestKind.FREEZE, scope=scope)

    async def throttle_workspace(self) -> None:
        """One task at a time in the selected task's workspace, or as many as there are slots."""
        scope = Scope(workspace=self._row().ref.workspace)
        throttled = self._screen.view.brakes.throttle_of(scope) is not None
        self._screen.ask(RequestKind.UNTHROTTLE if throttled else RequestKind.THROTTLE, scope=scope)

    async def resume(self) -> None:
        """Go on with what is paused or parked until a person has mended its cause."""
        self._screen.ask(RequestKind.THAW)

    async def throttle(self) -> None:
        """One at a time, or as many as there are slots."""
        self._screen.ask(RequestKind.UNTHROTTLE if self._screen.view.throttled else RequestKind.THROTTLE)

    async def why(self) -> None:
        """Open what keeps the selected task from starting."""
        ports = self._screen.ports
        self._screen.app.push_screen(WhyScreen(self._row(), self._screen.view, ports.foresight, ports.now()))

    async def plan(self) -> None:
        """Open the waves."""
        self._screen.app.push_screen(PlanScreen(self._screen.view, self._screen.ports.foresight))

    async def parts(self) -> None:
        """Open the fleet's parts: their health and their brakes."""
        ports = self._screen.ports
        self._screen.app.push_screen(PartsScreen(self._screen.view, ports, self._screen.file, ports.now()))

    async def filter(self) -> None:
        """Open the filter."""
        self._screen.open_filter()

    async def unfilter(self) -> None:
        """Show all tasks again."""
        self._screen.clear_filter()

    async def help(self) -> None:
        """Open the keys."""
        self._screen.app.push_screen(help_page(self._screen.situation()))

    async def quit(self) -> None:
        """Close the cockpit. What is said is left on the terminal: agents keep running."""
        self._screen.app.exit(message=self._screen.farewell())

    def _row(self) -> TaskRow:
        row = self._screen.table.selected
        assert row is not None, "a key that needs a task is off without one"  # noqa: S101
        return row

    def _confirm(
        self, question: str, consequence: str, kind: RequestKind, row: TaskRow, *, ask_why: bool = False
    ) -> None:
        def answered(reason: str | None) -> None:
            if reason is not None:
                self._screen.ask(kind, row.ref, reason)
            else:
                self._screen.say("Left as it was.")

        self._screen.app.push_screen(ConfirmScreen(question, consequence, ask_why=ask_why), answered)
