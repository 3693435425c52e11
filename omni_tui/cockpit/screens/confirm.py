"""A question before something that cannot be undone. No is the default."""

from __future__ import annotations

from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from omni_tui.model.text import one_line


class Choice(Static, can_focus=True):
    """One answer."""

    class Taken(Message):
        """An answer was clicked."""

        def __init__(self, choice: Choice) -> None:
            super().__init__()
            self.choice = choice

    def on_click(self, event: events.Click) -> None:
        """Take this answer."""
        event.stop()
        self.post_message(self.Taken(self))


class ConfirmScreen(ModalScreen[str | None]):
    """Asks; the answer is yes only if somebody says so. A yes is the reason given, maybe an empty one; no is None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "yes"),
        Binding("n,escape,q", "answer(False)", "no"),
        Binding("enter", "take", "take the marked answer"),
        Binding("left,right,h,l,tab", "app.focus_next", "the other answer"),
        Binding("w", "why", "say why"),
    ]

    def __init__(self, question: str, consequence: str, *, ask_why: bool = False) -> None:
        super().__init__()
        self._ask_why = ask_why
        self._reason = Input(id="reason", placeholder="w: say why, for whoever looks at it")
        self._question, self._consequence = one_line(question), one_line(consequence)

    def compose(self) -> ComposeResult:
        """Lay out the question, what follows, and both answers."""
        with Vertical(id="box"):
            yield Static(Content(self._question), id="question")
            yield Static(Content(self._consequence), id="consequence")
            if self._ask_why:
                yield self._reason
            with Horizontal(id="choices"):
                yield Choice(Content("n  No"), id="no")
                yield Choice(Content("y  Yes"), id="yes")

    def on_mount(self) -> None:
        """Mark no."""
        self._reason.cursor_blink = False
        self.query_one("#no").focus()

    def action_answer(self, answer: bool) -> None:
        """Give `answer`."""
        self.dismiss(self._reason.value.strip() if answer else None)

    def action_take(self) -> None:
        """Give the marked answer."""
        self.action_answer(self.focused is not None and self.focused.id == "yes")

    def action_why(self) -> None:
        """Let the person type a reason, where one is asked for."""
        if self._ask_why:
            self._reason.focus()

    @on(Input.Submitted)
    def _typed(self) -> None:
        """Go on to the answer: who says why means yes."""
        self.query_one("#yes").focus()

    @on(Choice.Taken)
    def _taken(self, event: Choice.Taken) -> None:
        self.action_answer(event.choice.id == "yes")
