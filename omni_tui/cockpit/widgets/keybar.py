"""The bottom line: the keys. One that cannot be used now is dimmed and in brackets; clicking a key presses it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any, Generic, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip

from omni_tui.cockpit.keymap import Key, S
from omni_tui.cockpit.tones import Tone, Toned

ALWAYS = ("help", "quit")
"""Keys that stay however narrow the screen is: the help has all the others."""
YIELDING = ("plan", "parts", "details", "throttle", "filter", "freeze", "diff")
"""Keys that give way on a narrow screen, in this order, after those that cannot be used."""


class Entry(NamedTuple):
    """A key as it stands in the line."""

    key: Key[Any]
    label: str
    enabled: bool

    @property
    def size(self) -> int:
        """Cells that it takes."""
        return cell_len(self.key.name) + cell_len(self.label) + 3


class KeyBar(Toned, Generic[S]):
    """Shows the keys of one screen for a situation."""

    class Pressed(Message):
        """A key was clicked."""

        def __init__(self, key: Key[Any]) -> None:
            super().__init__()
            self.key = key

    def __init__(self, keymap: Sequence[Key[S]]) -> None:
        super().__init__()
        self._keymap = [key for key in keymap if key.footer]
        self._entries: tuple[Entry, ...] = ()

    def show(self, situation: S) -> None:
        """Show what can be done in `situation`."""
        entries = tuple(Entry(key, key.label_in(situation), not key.why_not(situation)) for key in self._keymap)
        if entries != self._entries:
            self._entries = entries
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw the line."""
        segments: list[Segment] = []
        for entry, _ in self._placed() if y == 0 else ():
            left, right = (" ", " ") if entry.enabled else ("(", ")")
            name = self.tones.get(Tone.KEY if entry.enabled else Tone.QUIET)
            label = self.tones.get(Tone.TEXT if entry.enabled else Tone.QUIET)
            segments += [Segment(left + entry.key.name, name), Segment(f" {entry.label}{right}", label)]
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style)

    def on_click(self, event: events.Click) -> None:
        """Press what is clicked."""
        for entry, start in self._placed():
            if start <= event.x < start + entry.size:
                self.post_message(self.Pressed(entry.key))

    def _placed(self) -> list[tuple[Entry, int]]:
        """Return the keys that fit, each with where it begins; those that cannot be used give way first."""
        kept = list(self._entries)
        for entry in sorted(self._entries, key=_staying):
            if sum(other.size for other in kept) <= self.size.width:
                break
            if entry.key.id not in ALWAYS:
                kept.remove(entry)
        starts = accumulate((entry.size for entry in kept), initial=0)
        return list(zip(kept, starts, strict=False))


def _staying(entry: Entry) -> tuple[bool, bool, int]:
    """Return what sorts the keys that give way first to the front."""
    name = entry.key.id
    return entry.enabled, name not in YIELDING, YIELDING.index(name) if name in YIELDING else 0
