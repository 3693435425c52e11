"""A question before something that cannot be undone. No is the default."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from omni_tui.model.text import one_line


class Choice(Static, can_focus=True):
    """One answer."""

    def on_click(self, event: events.Click) -> None:
        """Take this answer."""
        event.stop()
        self.focus()
        self.screen.dismiss(self.id == "yes")


class ConfirmScreen(ModalScreen[bool]):
    """Asks; the answer is yes only if somebody says yes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "yes"),
        Binding("n,escape,q", "answer(False)", "no"),
        Binding("enter", "take", "take the marked answer"),
        Binding("left,right,h,l,tab", "app.focus_next", "the other answer"),
    ]

    def __init__(self, question: str, consequence: str) -> None:
        super().__init__()
        self._question, self._consequence = one_line(question), one_line(consequence)

    def compose(self) -> ComposeResult:
        """Lay out the question, what follows, and both answers."""
        with Vertical(id="box"):
            yield Static(Content(self._question), id="question")
            yield Static(Content(self._consequence), id="consequence")
            with Horizontal(id="choices"):
                yield Choice(Content("n  No"), id="no")
                yield Choice(Content("y  Yes"), id="yes")

    def on_mount(self) -> None:
        """Mark no."""
        self.query_one("#no").focus()

    def action_answer(self, answer: bool) -> None:
        """Give `answer`."""
        self.dismiss(answer)

    def action_take(self) -> None:
        """Give the marked answer."""
        self.dismiss(self.focused is not None and self.focused.id == "yes")
