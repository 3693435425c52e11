"""What holds the fleet, or a part of it, and what ends that: above all else, because nobody else will."""

from __future__ import annotations

from collections.abc import Iterator

from omni_tui.cockpit.tones import Tone
from omni_tui.cockpit.widgets.notices import Notice
from omni_tui.cockpit.widgets.paragraphs import Paragraph
from omni_tui.model.effective import Bound
from omni_tui.model.text import one_line
from omni_tui.model.view import FleetView
from omni_tui.words import parked_for, source_said

SHOWN = 3
"""Lines of what holds something; the screen of parts shows all."""
TOLD = frozenset({Bound.LOAD, Bound.DISK, Bound.PROVIDERS})
"""What binds the limit and is told in full; of the rest something else on the screen tells, or it soon passes."""


class StopLine(Notice):
    """Why the run was stopped, and the key that goes on."""

    LINES = 2

    def show(self, view: FleetView) -> None:
        """Show the reason, where there is one."""
        line = (("stopped", Tone.ASKING), (" f goes on", Tone.KEY), (f" · {one_line(view.stopped)}", Tone.STRONG))
        self.put(*((line,) if view.stopped else ()))


class HoldLines(Notice):
    """What holds the fleet or a part of it, for how long, which key ends that; a line each, what to mend first."""

    LINES = 1

    def show(self, view: FleetView, now: float) -> None:
        """Show what holds a part of the fleet at the UTC time `now`; minutes are counted down, not seconds."""
        held = [*_held(view, now), *_refilling(view)]
        if len(held) > SHOWN:
            more = (
                ("held", Tone.ASKING),
                (" P shows all", Tone.KEY),
                (f" · {len(held) - SHOWN + 1} more", Tone.ASKING),
            )
            held = [*held[: SHOWN - 1], more]
        self.put(*held)


def _held(view: FleetView, now: float) -> Iterator[Paragraph]:
    parked = sorted(view.parked.items())
    yield from (_line("held", "c goes on", parked_for(name, each, now)) for name, each in parked if each.until is None)
    yield from (_line("held", "c goes on", pause) for pause in view.pauses)
    limit = view.effective
    if limit is not None and limit.bound in TOLD:
        yield _line("limit", "", f"{limit.slots} of {limit.of} at once · {limit.bound}: {limit.reason}")
    elif limit is None and view.load:
        yield _line("limit", "", view.load)
    for freeze in view.brakes.freezes:
        if not freeze.scope.is_fleet or freeze.reason or freeze.hard:
            words = f"{freeze.scope}{', its agents are suspended' if freeze.hard else ''}"
            key = "f thaws" if freeze.scope.is_fleet else "P thaws"
            yield _line("frozen", key, words + (f": {freeze.reason}" if freeze.reason else ""))
    yield from (_line("held", "", parked_for(name, each, now)) for name, each in parked if each.until is not None)
    for throttle in view.brakes.throttles:
        if throttle.doubt:
            yield _line("slowed", "P ends that", str(throttle))
        elif not throttle.scope.is_fleet:
            yield _line("slowed", "P ends that", f"{throttle.scope}: {throttle.most} at a time")
    yield from (_line("budget", "", near) for near in view.near)


def _refilling(view: FleetView) -> Iterator[Paragraph]:
    """Say what the sources said of an empty queue."""
    for note in view.refilling:
        yield (("refill", Tone.QUIET), (f" · {source_said(note)}", Tone.QUIET))


def _line(head: str, key: str, words: str) -> Paragraph:
    return ((head, Tone.ASKING), (f" {key}" if key else "", Tone.KEY), (f" · {one_line(words)}", Tone.ASKING))
