"""Fleet, workspaces and providers: how each stands, and the keys that freeze, throttle and try it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from rich.segment import Segment
from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.strip import Strip
from textual.widgets import Static

from omni_tui.cockpit.partkeys import PART_KEYMAP, PartSituation
from omni_tui.cockpit.parts import Part, parts
from omni_tui.cockpit.ports import Ports
from omni_tui.cockpit.screens.watching import Watching
from omni_tui.cockpit.text import fit
from omni_tui.cockpit.tones import Tone
from omni_tui.cockpit.widgets.keybar import KeyBar
from omni_tui.cockpit.widgets.lines import LinesView
from omni_tui.cockpit.widgets.notices import Notice
from omni_tui.errors import OmniError
from omni_tui.model.provider import Standing
from omni_tui.model.request import Request, RequestKind
from omni_tui.model.view import FleetView

KIND, NAME, STATE, RUNS = 9, 12, 15, 7
"""Widths of the columns, in cells; the rest is the reason's."""


class PartsScreen(Watching):
    """Shows the parts, one of them selected; looks at the providers again whenever the fleet has changed."""

    BINDINGS = [  # noqa: RUF012 (textual's)
        Binding(name, f"press('{key.id}', '{name}')", key.help) for key in PART_KEYMAP for name in key.keys
    ]

    def __init__(self, view: FleetView, ports: Ports, file: Callable[[Request], None], now: float) -> None:
        super().__init__(view, now)
        self._ports, self._file = ports, file
        self._workspaces: tuple[str, ...] = ()
        self._standings: Mapping[str, Standing] = {}
        self._parts: list[Part] = []
        self._index = 0
        self._table = LinesView(id="parts")
        self._told, self._said = Notice(id="told"), Notice(id="said")
        self._keys = KeyBar(PART_KEYMAP)

    def compose(self) -> ComposeResult:
        """Lay out the table, what is told of the selected part, and the keys."""
        yield Static(Content("Fleet, workspaces and providers"), id="title")
        yield self._table
        yield self._told
        yield self._said
        yield self._keys

    def on_mount(self) -> None:
        """Show what is known, and look at the rest."""
        self._table.focus()
        self.look()

    def look(self) -> None:
        """Look at the providers again."""
        self._look()

    def say(self, text: str) -> None:
        """Tell the person something."""
        self._said.put(((text, Tone.STRONG),))

    def on_resize(self) -> None:
        """Lay the columns out for the new width."""
        self.draw()

    @property
    def selected(self) -> Part | None:
        """The selected part."""
        return self._parts[self._index] if self._parts else None

    def action_press(self, name: str, key: str) -> None:
        """Do what a pressed key does, or say why not."""
        pressed = next(each for each in PART_KEYMAP if each.id == name)
        if why_not := pressed.why_not(self._situation()):
            self.say(why_not)
        else:
            self._deeds[name](key)

    @on(KeyBar.Pressed)
    def _clicked(self, event: KeyBar.Pressed) -> None:
        self.action_press(event.key.id, event.key.keys[0])

    @property
    def _deeds(self) -> Mapping[str, Callable[[str], object]]:
        """What each key does."""
        return {
            "freeze": lambda _: self._wish(RequestKind.THAW if self._is_frozen else RequestKind.FREEZE),
            "freeze_hard": lambda _: self._wish(RequestKind.FREEZE, hard=True),
            "throttle": lambda key: self._wish(RequestKind.THROTTLE, most=int(key)),
            "unthrottle": lambda _: self._wish(RequestKind.UNTHROTTLE),
            "check": lambda _: self._try(),
            "up": lambda _: self._move(-1),
            "down": lambda _: self._move(1),
            "quit": lambda _: self.app.pop_screen(),
        }

    @property
    def _is_frozen(self) -> bool:
        [freeze] = [key for key in PART_KEYMAP if key.id == "freeze"]
        return freeze.is_on(self._situation())

    def _situation(self) -> PartSituation:
        return PartSituation(view=self.view, part=self.selected)

    def _wish(self, kind: RequestKind, *, most: int = 1, hard: bool = False) -> None:
        part = self.selected
        if part is not None:
            self._file(Request(id="", kind=kind, scope=part.scope, most=most, hard=hard))

    def _try(self) -> None:
        part = self.selected
        if part is not None:
            self._file(Request(id="", kind=RequestKind.CHECK, provider=part.scope.provider))

    def on_click(self, event: events.Click) -> None:
        """Select the part that is clicked."""
        line = event.y - 1 + self._table.scroll_offset.y
        if event.widget is self._table and 0 <= line < len(self._parts):
            self._move(line - self._index)

    def _move(self, by: int) -> None:
        self._index = max(0, min(self._index + by, len(self._parts) - 1))
        self.draw()
        self._table.scroll_to(y=max(0, self._index - self._table.size.height + 2), animate=False)

    @work(group="parts", exclusive=True)
    async def _look(self) -> None:
        self.draw()
        try:
            self._workspaces, self._standings = await asyncio.to_thread(self._read, self.view)
        except (OmniError, OSError) as error:
            self.say(str(error))
        self.draw()

    def _read(self, view: FleetView) -> tuple[tuple[str, ...], Mapping[str, Standing]]:
        return tuple(self._ports.reader.paths.workspace_names()), self._ports.foresight.standings(view)

    def draw(self) -> None:
        """Show what is known, counted down."""
        selected = self.selected
        self._parts = parts(self.view, self._workspaces, self._standings, self.now)
        scopes = [part.scope for part in self._parts]
        if selected is not None and selected.scope in scopes:
            self._index = scopes.index(selected.scope)  # or a key would brake what has taken its place
        self._index = min(self._index, len(self._parts) - 1)
        width = self._table.size.width
        if not width:
            return
        self._table.show([self._head(width), *(self._line(index, width) for index in range(len(self._parts)))])
        selected = self.selected
        self._told.put(*(selected.told if selected is not None else ()))
        self._keys.show(self._situation())

    def _head(self, width: int) -> Strip:
        text = "  " + " ".join((fit("PART", KIND + NAME + 1), fit("STATE", STATE), fit("RUNS", RUNS), "WHY"))
        return Strip([Segment(fit(text, width), self._table.tones.get(Tone.QUIET))], width)

    def _line(self, index: int, width: int) -> Strip:
        part, ground = self._parts[index], Tone.CURSOR if index == self._index else None
        rest = max(0, width - KIND - NAME - STATE - RUNS - 6)
        pieces = (
            ("› " if ground else "  ", Tone.KEY),
            (fit(part.kind, KIND) + " ", Tone.QUIET),
            (fit(part.name, NAME) + " ", Tone.STRONG),
            (fit(part.state, STATE) + " ", part.tone),
            (fit(part.runs, RUNS) + " ", Tone.TEXT),
            (fit(part.why, rest), part.tone if part.tone is not Tone.LANDED else Tone.QUIET),
        )
        segments = [Segment(text, self._table.tones.get(tone, ground)) for text, tone in pieces]
        return Strip(segments).adjust_cell_length(width, self._table.tones.get(Tone.TEXT, ground))
