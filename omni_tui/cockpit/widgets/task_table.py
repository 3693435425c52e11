"""The table of tasks, drawn line by line: a change refreshes the lines it is in, time the ages that it moved.

Not a `DataTable`: that draws every visible cell again on any update (facts: limits, Screen).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from omni_tui.cockpit.look import signal_age
from omni_tui.cockpit.text import fit
from omni_tui.cockpit.tones import Tone, Toned
from omni_tui.cockpit.widgets.columns import MARGIN, Column, Extent, cell, measure, plan
from omni_tui.model.task import TaskRef
from omni_tui.model.view import TaskRow

HEAD = 1
"""Lines that stay on top: the columns' titles."""
MARK = "› "


class TaskTable(Toned, ScrollView, can_focus=True):
    """Shows tasks and holds which one is selected, by name: it stays selected when it moves."""

    class Selected(Message):
        """Another task is selected, or the selected one has changed; None: there is none."""

        def __init__(self, row: TaskRow | None) -> None:
            super().__init__()
            self.row = row

    class Opened(Message):
        """The selected task was double-clicked."""

    EMPTY: ClassVar[tuple[tuple[str, Tone], ...]] = ()

    def __init__(self, *, id: str, now: float) -> None:  # noqa: A002 (textual's name)
        super().__init__(id=id)
        self.rows: tuple[TaskRow, ...] = ()
        self.hint = self.EMPTY
        self._now = now
        self._selected = 0
        self._extent = Extent()
        self._columns: tuple[Column, ...] = plan(80, self._extent)
        self._ages: dict[TaskRef, str] = {}

    @property
    def selected(self) -> TaskRow | None:
        """The selected task."""
        return self.rows[self._selected] if self.rows else None

    def show(self, rows: Sequence[TaskRow], hint: tuple[tuple[str, Tone], ...]) -> None:
        """Show `rows`; where there are none, `hint`. Draws again only what differs."""
        before, old = self.selected, self.rows
        self.rows, self.hint = tuple(rows), hint
        self._selected = self._index_of(before.ref) if before else 0
        self._lay_out(measure(self.rows))
        if len(old) == len(self.rows) and old:
            for index in self._visible():
                if old[index] is not self.rows[index]:
                    self._refresh_row(index)
        else:
            self.virtual_size = Size(0, len(self.rows) + HEAD)
            self.refresh()
        if self.selected is not before:
            self._reveal()
            self.post_message(self.Selected(self.selected))

    def tick(self, now: float) -> None:
        """Draw the ages that read differently at `now`, UTC seconds."""
        self._now = now
        column = next(column for column in self._columns if column.name == "age")
        for index in self._visible():
            row = self.rows[index]
            if self._ages.get(row.ref) != signal_age(row, now):
                self.refresh(Region(column.x, self._line_of(index), column.width, 1))

    def select(self, index: int) -> None:
        """Select the task at `index`, the nearest there is."""
        if not self.rows:
            return
        index = max(0, min(index, len(self.rows) - 1))
        if index != self._selected:
            before, self._selected = self._selected, index
            self._refresh_row(before)
            self._refresh_row(index)
            self.post_message(self.Selected(self.selected))
        self._reveal()

    def move(self, lines: int) -> None:
        """Select the task `lines` further down."""
        self.select(self._selected + lines)

    @property
    def index(self) -> int:
        """The selected task's place."""
        return self._selected

    @property
    def page(self) -> int:
        """How many tasks fit."""
        return max(1, self.size.height - HEAD)

    def render_line(self, y: int) -> Strip:
        """Draw one line."""
        width = self.size.width
        if y < HEAD:
            return self._head(width)
        if not self.rows:
            return self._hint_line(y - HEAD, width)
        index = y - HEAD + self.scroll_offset.y
        if index >= len(self.rows):
            return Strip.blank(width, self.rich_style)
        return self._row(index, width)

    def on_resize(self, event: events.Resize) -> None:
        """Lay the columns out for the new width."""
        self._lay_out(self._extent, width=event.size.width)
        self._reveal()

    def on_focus(self) -> None:
        """Show that the keys go here."""
        self._refresh_row(self._selected)

    def on_blur(self) -> None:
        """Show that they go elsewhere."""
        self._refresh_row(self._selected)

    def on_click(self, event: events.Click) -> None:
        """Select what is clicked; a double click opens it."""
        index = event.y - HEAD + self.scroll_offset.y
        if event.y >= HEAD and index < len(self.rows):
            self.select(index)
            if event.chain == 2:
                self.post_message(self.Opened())

    def _lay_out(self, extent: Extent, width: int = 0) -> None:
        columns = plan(width or self.size.width or 80, extent)
        self._extent = extent
        if columns != self._columns:
            self._columns = columns
            self.refresh()

    def _index_of(self, ref: TaskRef) -> int:
        for index, row in enumerate(self.rows):
            if row.ref == ref:
                return index
        return max(0, min(self._selected, len(self.rows) - 1))

    def _visible(self) -> range:
        top = self.scroll_offset.y
        return range(min(top, len(self.rows)), min(top + self.page, len(self.rows)))

    def _line_of(self, index: int) -> int:
        return index - self.scroll_offset.y + HEAD

    def _refresh_row(self, index: int) -> None:
        line = self._line_of(index)
        if HEAD <= line < self.size.height:
            self.refresh(Region(0, line, self.size.width, 1))

    def _reveal(self) -> None:
        """Scroll as little as is needed to see the selected task."""
        top = self.scroll_offset.y
        target = max(self._selected - self.page + 1, min(top, self._selected))
        if target != top:
            self.scroll_to(y=target, animate=False, force=True)

    def _head(self, width: int) -> Strip:
        style = self.tones.get(Tone.QUIET)
        text = " " * MARGIN + " ".join(fit(column.title, column.width) for column in self._columns)
        return Strip([Segment(text, style)]).adjust_cell_length(width, style)

    def _hint_line(self, line: int, width: int) -> Strip:
        if not 0 < line <= len(self.hint):
            return Strip.blank(width, self.rich_style)
        text, tone = self.hint[line - 1]
        return Strip([Segment(fit("  " + text, width), self.tones.get(tone))], width)

    def _row(self, index: int, width: int) -> Strip:
        row = self.rows[index]
        ground = None
        if index == self._selected:
            ground = Tone.CURSOR if self.has_focus else Tone.SELECTED
        quiet = self.tones.get(Tone.TEXT, ground)
        segments = [Segment(MARK if ground else " " * MARGIN, self.tones.get(Tone.KEY, ground))]
        for column in self._columns:
            segments += [Segment(text, self.tones.get(tone, ground)) for text, tone in cell(column, row, self._now)]
            segments.append(Segment(" ", quiet))
        self._ages[row.ref] = signal_age(row, self._now)
        return Strip(segments).adjust_cell_length(width, quiet)
