"""Lines that come and go: what needs a person, the message of the moment, and the head of a task's pane."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from textual.geometry import Size
from textual.strip import Strip

from omni_tui.cockpit.look import doing, evidence, look, needs_person, reason
from omni_tui.cockpit.tones import Tone, Toned
from omni_tui.cockpit.widgets.paragraphs import Paragraph, wrap
from omni_tui.model.state import PublishedHold
from omni_tui.model.task import Status
from omni_tui.model.text import one_line
from omni_tui.model.view import FleetView, TaskRow
from omni_tui.words import taking, until


class Notice(Toned):
    """A few wrapped lines, as high as its text; not there at all without any."""

    LINES = 0
    """Lines that a paragraph may take, and then ends in an ellipsis; 0: as many as it needs."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 (textual's name)
        super().__init__(id=id, classes="-empty")
        self._paragraphs: tuple[Paragraph, ...] = ()

    def put(self, *paragraphs: Paragraph) -> None:
        """Show `paragraphs`."""
        if paragraphs != self._paragraphs:
            before = len(self._wrapped(self.size.width))
            self._paragraphs = paragraphs
            self.set_class(not paragraphs, "-empty")
            self.refresh(layout=before != len(self._wrapped(self.size.width)))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 (textual's)
        """Return how many lines the text takes."""
        return len(self._wrapped(width))

    def render_line(self, y: int) -> Strip:
        """Draw one line."""
        lines = self._wrapped(self.size.width)
        line = lines[y] if y < len(lines) else Strip([])
        return Strip([Segment(" ", self.rich_style), *line]).adjust_cell_length(self.size.width, self.rich_style)

    def _wrapped(self, width: int) -> list[Strip]:
        return [line for paragraph in self._paragraphs for line in self._cut(paragraph, width)]

    def _cut(self, paragraph: Paragraph, width: int) -> list[Strip]:
        lines = wrap((paragraph,), self.tones, width - 2, self.app.console)
        if not self.LINES or len(lines) <= self.LINES:
            return lines
        last = lines[self.LINES - 1]
        kept = last.crop(0, min(last.cell_length, width - 3))
        return [*lines[: self.LINES - 1], Strip([*kept, Segment("…", self.tones.get(Tone.QUIET))])]


class AttentionLine(Notice):
    """The first thing to see: which task needs a person, and why."""

    LINES = 2
    """The whole reason stands in the task's pane."""

    def show(self, view: FleetView) -> None:
        """Name the first task that needs a person, and how many more there are."""
        needed = [row for row in view.rows if needs_person(row)]
        if not needed:
            self.put()
            return
        first = needed[0]
        shown = look(first)
        head = f"{shown.glyph} needs you: " if len(needed) == 1 else f"{shown.glyph} {len(needed)} need you, first "
        what = f"{first.ref.id} {one_line(first.title, 40)}"
        why = " · " + (reason(first) or "no reason was given")
        self.put(((head, shown.tone), (what, Tone.STRONG), (why, shown.tone)))


class MessageLine(Notice):
    """What has just happened, or why a key did nothing; without that, what the fleet has to say."""

    def __init__(self, *, here: bool) -> None:
        super().__init__()
        self._here = here
        self._said = ""
        self._until = 0.0

    def say(self, text: str, until: float) -> None:
        """Show `text` up to the moment `until`, UTC seconds."""
        self._said, self._until = text, until
        self.put(((one_line(text), Tone.STRONG),))

    def show(self, view: FleetView, now: float) -> None:
        """Show the fleet's own message, unless something said is still to be read."""
        if self._said and now < self._until:
            return
        self._said = ""
        text = one_line(view.message) or self._standing(view)
        self.put(*((((text, Tone.ASKING),),) if text else ()))

    def _standing(self, view: FleetView) -> str:
        if view.owner is None and view.taken_at:
            return "Nobody dispatches this fleet: nothing starts until `omni-tui` runs on it."
        if self._here or view.owner is None:
            return ""
        owner = view.owner
        return f"You observe: the {owner.mode} dispatcher, pid {owner.pid} on {owner.host}, carries out your keys."


class PaneTitle(Notice):
    """The head of a task's pane: state, name, what it does, and the whole reason, however long."""

    def show(self, row: TaskRow | None, now: float, extra: str = "") -> None:
        """Show `row`; `extra` is said after it."""
        if row is None:
            self.put()
            return
        shown = look(row)
        head: list[tuple[str, Tone]] = [(f"{shown.glyph} {shown.word} ", shown.tone), (f"{row.ref.id} ", Tone.STRONG)]
        head.append((one_line(row.title), Tone.TEXT))
        lines: list[Sequence[tuple[str, Tone]]] = [head]
        if facts := _facts(row, now):
            lines.append([(facts, Tone.QUIET)])
        if why := reason(row):
            lines.append([(why, shown.tone)])
        if row.hold is not None:
            lines.append([(lifting(row.hold, now), Tone.QUIET)])
        if extra:
            lines.append([(one_line(extra), Tone.ASKING)])
        self.put(*map(tuple, lines))


def lifting(hold: PublishedHold, now: float) -> str:
    """Say when a hold ends and what lifts it, as in `ends 23:25, in 1h 12m · lifted by itself`."""
    ends = f"ends {until(hold.until, now)} · " if hold.until is not None else ""
    return one_line(f"{ends}lifted {hold.remedy}")


def _facts(row: TaskRow, now: float) -> str:
    if row.run is None:
        return ""
    facts = [one_line(row.agent), f"attempt {row.attempt}"]
    if row.run.model:
        facts.append(one_line(row.run.model))
    if row.status is Status.DOING:
        facts += [f"{row.run.phase} {doing(row)}" if str(row.run.phase) != doing(row) else doing(row)]
        facts.append(evidence(row, now))
        if row.run.detail and not reason(row):
            facts.append(one_line(row.run.detail, 60))
        facts.append(taking(row.run.footprint))
    if row.run.usd:
        facts.append(f"${row.run.usd:.2f}")
    return " · ".join(fact for fact in facts if fact)
