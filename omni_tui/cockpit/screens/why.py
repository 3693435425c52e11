"""Why not? The one reason that keeps a task from starting, what lifts it, when it ends, and who is next in line."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from rich.cells import cell_len
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from omni_tui.cockpit.look import look
from omni_tui.cockpit.ports import Foresight
from omni_tui.cockpit.screens.watching import Watching
from omni_tui.cockpit.text import fit
from omni_tui.cockpit.tones import Tone
from omni_tui.cockpit.widgets.notices import Notice
from omni_tui.cockpit.widgets.paragraphs import Paragraph
from omni_tui.errors import OmniError
from omni_tui.model.text import one_line
from omni_tui.model.view import FleetView, TaskRow
from omni_tui.whynot import Why
from omni_tui.words import until

IN_LINE = 5
"""So many of those that start next are named."""
BLANK: Paragraph = ()


class WhyScreen(Watching):
    """Asks again when the fleet has changed."""

    BINDINGS = [Binding("escape,q,w,enter", "app.pop_screen", "back")]  # noqa: RUF012 (textual's)

    def __init__(self, row: TaskRow, view: FleetView, foresight: Foresight, now: float) -> None:
        super().__init__(view, now)
        self._row, self._foresight = row, foresight
        self._why: Why | None = None
        self._text = Notice(id="why")

    def compose(self) -> ComposeResult:
        """Lay out the answer, and the way back."""
        with Vertical(id="box"):
            yield self._text
            yield Static(Content("esc w: back"), id="hint")

    def on_mount(self) -> None:
        """Ask."""
        self._text.put(_head(self._row), BLANK, (("looking ...", Tone.QUIET),))
        self.look()

    def look(self) -> None:
        """Ask again; a task that is not there any more leaves what was said of it last."""
        self._row = next((row for row in self.view.rows if row.ref == self._row.ref), self._row)
        self._ask()

    def draw(self) -> None:
        """Count down."""
        if self._why is not None:
            self._text.put(*tell(self._row, self._why, self.view, self.now))

    @work(group="why", exclusive=True)
    async def _ask(self) -> None:
        try:
            self._why = await asyncio.to_thread(self._foresight.why, self._row, self.view)
        except (OmniError, OSError) as error:
            self._text.put(_head(self._row), BLANK, ((one_line(str(error)), Tone.ASKING),))
            return
        self.draw()


def tell(row: TaskRow, why: Why, view: FleetView, now: float) -> Iterator[Paragraph]:
    """Yield what is said of why `row` waits, most important first."""
    hold = why.hold
    yield _head(row)
    yield BLANK
    yield ((one_line(hold.message), Tone.ASKING),)
    yield BLANK
    if hold.remedy:
        yield (("Lifted ", Tone.KEY), (one_line(hold.remedy), Tone.STRONG))
    if hold.until is not None:
        yield (("Ends ", Tone.KEY), (until(hold.until, now), Tone.STRONG))
    if why.also:
        yield (("Also ", Tone.KEY), (f"{one_line(why.also)}, so nothing starts at all", Tone.ASKING))
    yield BLANK
    yield from _line(row, why, view)


def _head(row: TaskRow) -> Paragraph:
    shown = look(row)
    return ((f"{shown.glyph} ", shown.tone), (f"{row.ref.id} ", Tone.STRONG), (one_line(row.title), Tone.TEXT))


def _line(row: TaskRow, why: Why, view: FleetView) -> Iterator[Paragraph]:
    """Yield who is next in line, with the task's own place where that is further back."""
    if not why.line:
        yield (("Next in line ", Tone.KEY), ("is nobody: all that waits is held", Tone.QUIET))
        return
    rows = {str(each.ref): each for each in view.rows}
    shown = [*enumerate(why.line, 1)][:IN_LINE]
    mine = str(row.ref)
    if mine in why.line[IN_LINE:]:
        shown[-1] = (why.line.index(mine) + 1, mine)
    widest = max(cell_len(name) for _, name in shown)
    yield (("Next in line", Tone.KEY),)
    for place, name in shown:
        tone = Tone.STRONG if name == mine else Tone.TEXT
        title = one_line(rows[name].title, 40) if name in rows else ""
        yield ((f"{place:>3}  ", Tone.QUIET), (f"{fit(name, widest)}  ", tone), (title, tone))
    if (more := len(why.line) - len(shown)) > 0:
        yield ((f"     and {more} more", Tone.QUIET),)
