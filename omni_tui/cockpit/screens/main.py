"""The main screen: the fleet on one page, kept up to date by views, and the keys."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input, Static

from omni_tui.cockpit.actions import Actions
from omni_tui.cockpit.desk import Desk
from omni_tui.cockpit.keymap import KEYMAP, Situation, key_by_id
from omni_tui.cockpit.look import look
from omni_tui.cockpit.ports import Ports
from omni_tui.cockpit.screens.watching import Watching
from omni_tui.cockpit.story import tell
from omni_tui.cockpit.tones import Tone
from omni_tui.cockpit.widgets.header import FleetHeader
from omni_tui.cockpit.widgets.keybar import KeyBar
from omni_tui.cockpit.widgets.lines import LinesView, Reading
from omni_tui.cockpit.widgets.live import LiveScreen
from omni_tui.cockpit.widgets.notices import AttentionLine, MessageLine, PaneTitle
from omni_tui.cockpit.widgets.standing import HoldLines, StopLine
from omni_tui.cockpit.widgets.task_table import TaskTable
from omni_tui.model.brakes import FLEET, Scope
from omni_tui.model.request import Request, RequestKind
from omni_tui.model.settings import CockpitSettings
from omni_tui.model.task import Status, TaskRef
from omni_tui.model.text import plural
from omni_tui.model.view import FleetView, TaskRow

BESIDE_FROM = 160
"""Columns from which the pane stands beside the table; below, it stands under it."""
LEAST = (60, 15)
"""Columns and rows below which there is nothing worth showing."""
TOO_SMALL_HINT = "q quits; agents keep running."
SAID_SECONDS = 8.0
"""How long a message stays."""
STEP_SECONDS = 10.0
"""Ages and load move in these steps, all together: a frame a second costs more than all the rest of an idle fleet."""
NEVER = 0.0
"""When a fleet that has not been read yet was looked at."""
NO_TASKS = (
    ("No tasks yet.", Tone.STRONG),
    ("", Tone.TEXT),
    ("Add a project:   omni-tui workspace add NAME --repo PATH", Tone.TEXT),
    ('Add a task:      omni-tui add NAME --title "what to do"', Tone.TEXT),
    ("or drop a Markdown file into workspaces/NAME/queue/todo/", Tone.TEXT),
    ("", Tone.TEXT),
    ("It shows up here by itself.", Tone.QUIET),
)


class MainScreen(Screen[None]):
    """Header, why it stopped, what needs a person, what is held back, table, pane, message, keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(",".join(key.keys), f"press('{key.id}')", key.help, priority=key.id == "next_pane") for key in KEYMAP
    ]

    def __init__(self, ports: Ports, settings: CockpitSettings) -> None:
        super().__init__()
        self.ports = ports
        self.view = FleetView(root=str(ports.reader.paths.root), taken_at=NEVER)
        self._desk = Desk(ports)
        self._actions = Actions(self)
        self._words = ""
        self._trouble = ""
        self._moment, self._load = NEVER, ""
        self.table = TaskTable(id="table", now=ports.now())
        self._header = FleetHeader(here=ports.here)
        self._stop = StopLine()
        self._holds = HoldLines()
        self._attention = AttentionLine()
        self._title = PaneTitle()
        self._live = LiveScreen(id="live", look=ports.insight.screen, hz=settings.screen_hz)
        self._detail = Reading(id="detail")
        self._field = Input(id="filter", placeholder="filter: a word of id, title, workspace, agent, state or reason")
        self._message = MessageLine(here=ports.here)
        self._keys = KeyBar(KEYMAP)
        self._too_small = Static(Content(""), id="too-small")

    def compose(self) -> ComposeResult:
        """Lay out all parts; which are seen is up to the style sheet."""
        yield self._header
        yield self._stop
        yield self._attention
        yield self._holds
        with Container(id="body"):
            yield self.table
            with Vertical(id="side"):
                yield self._title
                yield self._live
                yield self._detail
        yield self._field
        yield self._message
        yield self._keys
        yield self._too_small

    def on_mount(self) -> None:
        """Show the first view."""
        self._field.cursor_blink = False
        self.table.focus()
        self.show(self.view)

    @property
    def above(self) -> Watching | None:
        """The screen on top, where it is one that follows this one."""
        top = self.app.screen
        return top if isinstance(top, Watching) else None

    def take_settings(self, settings: CockpitSettings) -> None:
        """Take over changed settings."""
        self._live.take_rate(settings.screen_hz)

    def situation(self) -> Situation:
        """Return what decides over the keys now."""
        return Situation(view=self.view, row=self.table.selected, here=self.ports.here, filtered=bool(self._words))

    def show(self, view: FleetView) -> None:
        """Show `view`, changing only what differs."""
        self.view = view
        rows = [row for row in view.rows if _holds(row, self._words)] if self._words else view.rows
        self.table.show(rows, self._hint())
        self._stop.show(view)
        self._attention.show(view)
        self._show_answers()
        self.tick()
        self._show_keys()
        if self.above is not None:
            self.above.show(view)

    def _hint(self) -> tuple[tuple[str, Tone], ...]:
        """Return what stands where tasks would."""
        if self.view.taken_at == NEVER:
            return (("Reading the fleet ...", Tone.QUIET),)
        return ((f"Nothing matches {self._words!r}; Esc shows all.", Tone.QUIET),) if self.view.rows else NO_TASKS

    def tick(self) -> None:
        """Show what time has changed: ages, load, messages."""
        now = self.ports.now()
        if now - self._moment >= STEP_SECONDS:
            self._moment, self._load = now - now % STEP_SECONDS, self.ports.load()
        self._header.show(self.view, self._load)
        self._holds.show(self.view, self._moment)
        self.table.tick(self._moment)
        self._message.show(self.view, now)
        self._show_title()
        if self._desk.open:
            self._show_answers()
        if self.above is not None:
            self.above.tick(now)

    def say(self, text: str) -> None:
        """Tell the person something."""
        self._message.say(text, self.ports.now() + SAID_SECONDS)
        if self.above is not None:
            self.above.say(text)

    def ask(self, kind: RequestKind, ref: TaskRef | None = None, reason: str = "", scope: Scope = FLEET) -> None:
        """File a wish for the fleet's owner, and say so."""
        self.file(Request(id="", kind=kind, task=str(ref) if ref else "", reason=reason, scope=scope))

    def file(self, wish: Request) -> None:
        """File a wish for the fleet's owner, and say so."""
        try:
            self.say(self._desk.ask(wish))
        except OSError as error:
            self.say(f"The wish could not be filed: {error}")

    def farewell(self) -> str:
        """Return what is left on the terminal when the cockpit closes."""
        running = self.view.count(Status.DOING)
        agents = f"{plural(running, 'agent')} keep{'s' if running == 1 else ''} running" if running else "No agent runs"
        return f"{agents}. `omni-tui` brings the cockpit back."

    async def action_press(self, name: str) -> None:
        """Do what a pressed key does, or say why not."""
        if why_not := key_by_id(name).why_not(self.situation()):
            self.say(why_not)
        else:
            await self._actions.press(name)

    def scroll_or_move(self, scroll: str, rows: int) -> None:
        """Move in whichever pane has the keys: select `rows` further in the table, or scroll the other."""
        if isinstance(self.focused, LinesView):
            getattr(self.focused, f"scroll_{scroll}")(animate=False)
        else:
            self.table.move(rows)

    def swap_focus(self) -> None:
        """Give the keys to the other pane."""
        pane = self._live if self._live.display else self._detail
        (pane if self.table.has_focus else self.table).focus()

    def open_filter(self) -> None:
        """Let the person type a filter."""
        self._field.add_class("-open")
        self._field.focus()

    def clear_filter(self) -> None:
        """Show all tasks again."""
        self._field.value = ""
        self._filter("")
        self._close_filter()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._filter(event.value)

    @on(Input.Submitted)
    def _close_filter(self) -> None:
        self.table.focus()
        self._field.set_class(bool(self._words), "-open")

    def _filter(self, words: str) -> None:
        if words.strip().lower() != self._words:
            self._words = words.strip().lower()
            self.show(self.view)

    @on(TaskTable.Selected)
    async def _selected(self) -> None:
        row = self.table.selected
        running = row is not None and row.status is Status.DOING
        self._live.display = running
        self._detail.display = not running
        self._show_title()
        self._show_keys()
        self._live.watch_task(row.ref if row and running else None, row.attempt if row else 0)
        if row is None:
            self.workers.cancel_group(self, "story")
            self._detail.tell(())
        elif not running:
            self._show_story(row)

    @on(TaskTable.Opened)
    async def _opened(self) -> None:
        await self.action_press("details")

    @on(KeyBar.Pressed)
    async def _clicked(self, event: KeyBar.Pressed) -> None:
        await self.action_press(event.key.id)

    @on(LiveScreen.Trouble)
    def _troubled(self, event: LiveScreen.Trouble) -> None:
        self._trouble = event.text
        self._show_title()

    def on_resize(self, event: events.Resize) -> None:
        """Choose the layout for the size."""
        columns, rows = event.size
        self.set_class(columns >= BESIDE_FROM, "-beside")
        small = columns < LEAST[0] or rows < LEAST[1]
        self.set_class(small, "-small")
        if small:
            text = f"{columns}×{rows} is too small:\nthe cockpit needs {LEAST[0]}×{LEAST[1]}.\n{TOO_SMALL_HINT}"
            self._too_small.update(Content(text))
        self.call_after_refresh(self._selected)

    @work(group="story", exclusive=True)
    async def _show_story(self, row: TaskRow) -> None:
        detail = await asyncio.to_thread(self.ports.reader.detail, row)
        self._detail.tell(tell(row, detail))

    def _show_title(self) -> None:
        row = self.table.selected
        running = row is not None and row.status is Status.DOING
        self._title.show(row, self._moment, self._trouble if running else "")

    def _show_keys(self) -> None:
        self._keys.show(self.situation())

    def _show_answers(self) -> None:
        for text in self._desk.answers():
            self.say(text)


def _holds(row: TaskRow, words: str) -> bool:
    told = f"{row.ref} {row.title} {row.agent} {look(row).word} {row.reason}".lower()
    return all(word in told for word in words.split())
