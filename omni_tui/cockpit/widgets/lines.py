"""Scrolling views of lines: an agent's screen, a diff, a text to read. Drawn again is only a line that changed."""

from __future__ import annotations

from collections.abc import Sequence

from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from omni_tui.cockpit.tones import Toned
from omni_tui.cockpit.widgets.paragraphs import Paragraph, wrap


class LinesView(Toned, ScrollView, can_focus=True):
    """Shows strips. `follow` keeps the end in sight, as a terminal does, until somebody scrolls up."""

    def __init__(self, *, id: str, follow: bool = False) -> None:  # noqa: A002 (textual's name)
        super().__init__(id=id)
        self._lines: tuple[Strip, ...] = ()
        self._follow = follow

    def show(self, lines: Sequence[Strip]) -> None:
        """Show `lines` instead of what was there."""
        old, self._lines = self._lines, tuple(lines)
        at_end = self.scroll_offset.y >= self.max_scroll_y
        size = Size(max((line.cell_length for line in self._lines), default=0), len(self._lines))
        if size != self.virtual_size:
            self.virtual_size = size
            self.refresh()
        else:
            self._refresh_changed(old)
        if self._follow and at_end:
            self.call_after_refresh(self._to_end)

    def restart(self) -> None:
        """Something else is shown from here on: go back to the top, or the end where this follows."""
        self._lines = ()
        self.virtual_size = Size(0, 0)
        self.scroll_to(0, 0, animate=False, force=True)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw one line."""
        width, offset = self.size.width, self.scroll_offset
        index = y + offset.y
        if index >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        return self._lines[index].crop_extend(offset.x, offset.x + width, self.rich_style).apply_style(self.rich_style)

    def _to_end(self) -> None:
        self.scroll_to(y=self.max_scroll_y, animate=False, force=True)

    def _refresh_changed(self, old: Sequence[Strip]) -> None:
        top = self.scroll_offset.y
        for line in range(min(self.size.height, len(self._lines) - top)):
            if old[top + line] is not self._lines[top + line] and old[top + line] != self._lines[top + line]:
                self.refresh(Region(0, line, self.size.width, 1))


class Reading(LinesView):
    """A text to read, wrapped to the width that there is."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 (textual's name)
        super().__init__(id=id)
        self._text: tuple[Paragraph, ...] = ()

    def tell(self, text: Sequence[Paragraph]) -> None:
        """Show `text` instead of what was there, from its beginning."""
        self._text = tuple(text)
        self._wrap()
        self.scroll_home(animate=False, force=True)

    def on_resize(self) -> None:
        """Wrap to the new width."""
        if self._text:
            self._wrap()

    def notify_style_update(self) -> None:
        """Take the new colours."""
        super().notify_style_update()
        if self._text and self.is_mounted:
            self._wrap()

    def _wrap(self) -> None:
        """Wrap to the width; a view that has just been revealed has none yet, and is resized in a moment."""
        if self.size.width:
            self.show(wrap(self._text, self.tones, self.size.width, self.app.console))
