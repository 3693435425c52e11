"""The fleet in one line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip

from omni_tui.cockpit.look import BLOCKED, LANDED, RUNNING, WAITING, Look
from omni_tui.cockpit.tones import Tone, Toned
from omni_tui.model.brakes import Scope
from omni_tui.model.effective import Effective
from omni_tui.model.task import Status
from omni_tui.model.text import one_line
from omni_tui.model.view import FleetView

Piece = tuple[str, Tone]
COUNTS: tuple[tuple[Status, Look], ...] = (
    (Status.DOING, RUNNING),
    (Status.BLOCKED, BLOCKED),
    (Status.TODO, WAITING),
    (Status.DONE, LANDED),
)


class FleetHeader(Toned):
    """Name, what holds it back, counts, who dispatches, load; drawn again only when a word changes."""

    def __init__(self, *, here: bool) -> None:
        super().__init__()
        self._here = here
        self._groups: list[Piece] = []

    def show(self, view: FleetView, load: str) -> None:
        """Show what `view` says, and the machine's load."""
        groups: list[Piece] = [(f" {one_line(Path(view.root).name)} ", Tone.STRONG)]
        groups += [(f" {word} ", Tone.ALARM) for word in alarms(view)]
        if view.unguarded:
            groups.append((" no sandbox", Tone.ASKING))
        for status, shown in COUNTS:
            count = view.count(status)
            groups.append((f" {shown.glyph} {count} {shown.word}", shown.tone if count else Tone.QUIET))
            if status is Status.DOING and view.effective is not None:
                groups[-1:] = _running(count, view.effective, groups[-1][1])
        groups += [_owner(view, here=self._here), (f"  load {load} ", Tone.QUIET)]
        if groups != self._groups:
            self._groups = groups
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw the line; what does not fit goes from its end, but the state of the fleet stays."""
        width = self.size.width
        shown = _that_fit(self._groups, width) if y == 0 else []
        used = sum(cell_len(text) for text, _ in shown)
        segments = [Segment(text, self.tones.get(tone)) for text, tone in shown]
        if shown and shown[-1] is self._groups[-1]:
            segments.insert(-1, Segment(" " * (width - used), self.rich_style))
        return Strip(segments).adjust_cell_length(width, self.rich_style)


def _running(count: int, limit: Effective, tone: Tone) -> list[Piece]:
    """Say how many run, of how many that may now, and what binds that where it is not the setting.

    Where nothing may start an alarm beside it says so already.
    """
    if not limit.slots:
        return [(f" {RUNNING.glyph} {count} {RUNNING.word}", tone)]
    pieces = [(f" {RUNNING.glyph} {count} of {limit.slots} {RUNNING.word}", tone)]
    return pieces + ([(f" · {limit.bound}", Tone.ASKING)] if limit.lowered else [])


def alarms(view: FleetView) -> list[str]:
    """Return the words that say what is held back: of the fleet, else of the first part; and of how many more parts."""
    words = ["STOPPED"] if view.stopped else []
    freezes, throttles = view.brakes.freezes, view.brakes.throttles
    brakes = [(each.scope, "FROZEN", "hard" if each.hard else "") for each in freezes]
    brakes += [(each.scope, "THROTTLED", f"{each.most}" if each.most > 1 else "") for each in throttles]
    words += [_braked(*brake) for brake in brakes if brake[0].is_fleet]
    parts = [_braked(*brake) for brake in brakes if not brake[0].is_fleet]
    named = words or parts[:1]
    more = len(parts) if words else len(parts) - 1
    return [*named[:-1], f"{named[-1]} +{more}"] if named and more > 0 else named


def _braked(scope: Scope, word: str, more: str) -> str:
    return " ".join(filter(None, (word, one_line(scope.workspace or scope.provider), more)))


def _owner(view: FleetView, *, here: bool) -> Piece:
    if view.owner is None:
        return "  nobody dispatches", Tone.ASKING
    return ("  dispatching", Tone.QUIET) if here else (f"  observing pid {view.owner.pid}", Tone.ASKING)


def _that_fit(groups: Sequence[Piece], width: int) -> list[Piece]:
    kept: list[Piece] = []
    room = width
    for group in groups:
        room -= cell_len(group[0])
        if room < 0:
            break
        kept.append(group)
    return kept
