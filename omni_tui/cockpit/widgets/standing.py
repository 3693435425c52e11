"""What holds the fleet, or a part of it, and what ends that: above all else, because nobody else will."""

from __future__ import annotations

from collections.abc import Iterator

from omni_tui.cockpit.tones import Tone
from omni_tui.cockpit.widgets.notices import Notice
from omni_tui.cockpit.widgets.paragraphs import Paragraph
from omni_tui.model.text import one_line
from omni_tui.model.view import FleetView
from omni_tui.words import parked_for, source_said

SHOWN = 3
"""Parked providers and pauses that are named; `omni-tui report` names all."""


class StopLine(Notice):
    """Why the run was stopped, and the key that goes on."""

    LINES = 2

    def show(self, view: FleetView) -> None:
        """Show the reason, where there is one."""
        line = (("stopped", Tone.ASKING), (" f goes on", Tone.KEY), (f" · {one_line(view.stopped)}", Tone.STRONG))
        self.put(*((line,) if view.stopped else ()))


class HoldLines(Notice):
    """Who is parked, for how long, what is paused, which budget is nearly used up, what refills: a line each."""

    LINES = 1

    def show(self, view: FleetView, now: float) -> None:
        """Show what holds a part of the fleet at the UTC time `now`; minutes are counted down, not seconds."""
        held = list(_held(view, now))
        if len(held) > SHOWN:
            more = len(held) - SHOWN + 1
            held = [*held[: SHOWN - 1], ((f"held · {more} more, see `omni-tui report`", Tone.ASKING),)]
        self.put(*held)


def _held(view: FleetView, now: float) -> Iterator[Paragraph]:
    for name, parked in sorted(view.parked.items()):
        yield _line(parked_for(name, parked, now), mendable=parked.until is None)
    for pause in view.pauses:
        yield _line(pause, mendable=True)
    for near in view.near:
        yield (("budget", Tone.ASKING), (f" · {one_line(near)}", Tone.ASKING))
    for note in view.refilling:
        yield (("refill", Tone.QUIET), (f" · {source_said(note)}", Tone.QUIET))


def _line(words: str, *, mendable: bool) -> Paragraph:
    key = (" c goes on", Tone.KEY) if mendable else ("", Tone.TEXT)
    return (("held", Tone.ASKING), key, (f" · {one_line(words)}", Tone.ASKING))
