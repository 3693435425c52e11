"""A page over the whole screen to read and scroll: a task's story, a diff, the keys. Escape or q goes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from omni_tui.cockpit.widgets.lines import Reading
from omni_tui.model.text import one_line

Fill = Callable[[Reading], None]
"""Puts a page's content into its view."""
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

    def __init__(self, title: str, fill: Fill) -> None:
        super().__init__()
        self._title = one_line(title)
        self._fill = fill

    def compose(self) -> ComposeResult:
        """Lay out title, page and hint."""
        yield Static(Content(self._title), id="title")
        yield Reading(id="page")
        yield Static(Content(HINT), id="hint")

    def on_mount(self) -> None:
        """Take the keys and show the content."""
        view = self.query_one(Reading)
        view.focus()
        self._fill(view)

    def action_page(self, move: str) -> None:
        """Scroll, at once."""
        getattr(self.query_one(Reading), move)(animate=False)
