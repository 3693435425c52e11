"""A page over the whole screen to read and scroll: a task's story, a diff, the help. Escape or q goes back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.console import Console
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widgets import Static

from omni_tui.cockpit.tones import ToneSet
from omni_tui.cockpit.widgets.lines import LinesView
from omni_tui.model.text import one_line

Lines = Callable[[ToneSet, int, Console], Sequence[Strip]]
"""Makes a page's lines for a width in cells."""
HINT = "j k, PgUp PgDn, g G: scroll   esc q: back"


class PageScreen(ModalScreen[None]):
    """Shows one page."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "app.pop_screen", "back"),
        Binding("j,down", "page('scroll_down')"),
        Binding("k,up", "page('scroll_up')"),
        Binding("pagedown,space,ctrl+f", "page('scroll_page_down')"),
        Binding("pageup,ctrl+b", "page('scroll_page_up')"),
        Binding("g,home", "page('scroll_home')"),
        Binding("G,end", "page('scroll_end')"),
    ]

    def __init__(self, title: str, lines: Lines) -> None:
        super().__init__()
        self._title = one_line(title)
        self._make = lines

    def compose(self) -> ComposeResult:
        """Lay out title, page and hint."""
        yield Static(Content(self._title), id="title")
        yield LinesView(id="page")
        yield Static(Content(HINT), id="hint")

    def on_mount(self) -> None:
        """Take the keys."""
        self.query_one(LinesView).focus()

    def on_resize(self) -> None:
        """Lay the text out for the new width."""
        self.call_after_refresh(self._fill)

    def action_page(self, move: str) -> None:
        """Scroll, at once."""
        getattr(self.query_one(LinesView), move)(animate=False)

    def _fill(self) -> None:
        page = self.query_one(LinesView)
        page.show(self._make(page.tones, page.size.width, self.app.console))
