"""The plan in words: each workspace's waves, what ties a task to those before it, and the feature flags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from omni_tui.cockpit.look import WAITING, look
from omni_tui.cockpit.ports import Ahead
from omni_tui.cockpit.tones import Tone
from omni_tui.cockpit.widgets.paragraphs import Paragraph
from omni_tui.model.flag import FlagRow
from omni_tui.model.task import TaskRef
from omni_tui.model.text import one_line, plural
from omni_tui.model.view import FleetView, TaskRow
from omni_tui.planning import Outlook
from omni_tui.policy.waves import Placed

Rows = Mapping[TaskRef, TaskRow]
BLANK: Paragraph = ()
INDENT = " " * 8
TOUCHED = 4
"""Touch points of a task that are named."""


def tell_plan(ahead: Sequence[Ahead], view: FleetView) -> Iterator[Paragraph]:
    """Yield the plan of the whole fleet."""
    rows = {row.ref: row for row in view.rows}
    if not ahead:
        yield (("No project yet: omni-tui workspace add NAME --repo PATH", Tone.QUIET),)
    for each in ahead:
        yield from _workspace(each, rows)
        yield BLANK


def _workspace(ahead: Ahead, rows: Rows) -> Iterator[Paragraph]:
    outlook = ahead.outlook
    waves = outlook.waves if outlook is not None else []
    many = sum(1 for wave in waves if wave)
    tasks = f" · {plural(len(outlook.placed), 'task')} in {plural(many, 'wave')}" if outlook and many else ""
    frozen = " · kept to as plan.toml says" if outlook and outlook.frozen.waves else ""
    yield ((one_line(ahead.workspace), Tone.STRONG), (tasks + frozen, Tone.QUIET))
    if ahead.trouble:
        yield ((f"  {one_line(ahead.trouble)}", Tone.BLOCKED),)
    if outlook is not None:
        if not many:
            yield (("  nothing waits", Tone.QUIET),)
        for number, wave in enumerate(waves, 1):
            if wave:  # else all of it has landed
                yield from _wave(number, wave, outlook, rows)
                yield BLANK
        yield from (((f"  {one_line(line)}", Tone.ASKING),) for line in outlook.amiss)
    if ahead.flags:
        yield (("  flags", Tone.KEY),)
        for flag in ahead.flags:
            yield from _flag(flag)


def _wave(number: int, wave: Sequence[Placed], outlook: Outlook, rows: Rows) -> Iterator[Paragraph]:
    yield ((f"  wave {number}", Tone.KEY), (f" · {outlook.beside(wave)}", Tone.QUIET))
    for each in wave:
        ref = each.task.ref
        shown = look(rows[ref]) if ref in rows else WAITING
        yield (
            (f"    {shown.glyph} ", shown.tone),
            (f"{ref.id}  ", Tone.STRONG),
            (one_line(each.task.title), Tone.TEXT),
        )
        yield from _ties(each, outlook)


def _ties(each: Placed, outlook: Outlook) -> Iterator[Paragraph]:
    yield from (((f"{INDENT}{one_line(obstacle)}", Tone.BLOCKED),) for obstacle in outlook.obstacles(each))
    needs = [*(ref.id for ref in each.needs), *map(str, outlook.elsewhere.get(each.task.ref, ()))]
    if needs:
        yield ((f"{INDENT}after ", Tone.QUIET), (", ".join(needs), Tone.RUNNING))
    for bond in each.bonds:
        words = f", which touches {one_line(str(bond.tie))} too: {one_line(bond.tie.mine.evidence)}"
        yield ((f"{INDENT}after ", Tone.QUIET), (bond.after.id, Tone.RUNNING), (words, Tone.QUIET))
    points = outlook.points.get(each.task.ref, ())
    if not points:
        yield ((f"{INDENT}nothing tells what it will touch", Tone.ASKING),)
    elif not each.bonds:
        names = ", ".join(one_line(str(point)) for point in points[:TOUCHED])
        more = f" and {len(points) - TOUCHED} more" if len(points) > TOUCHED else ""
        yield ((f"{INDENT}touches {names}{more}", Tone.QUIET),)


def _flag(flag: FlagRow) -> Iterator[Paragraph]:
    state = (f"is {one_line(flag.state)}", Tone.LANDED if flag.state == "on" else Tone.ASKING)
    who = f" · {one_line(flag.by)} flips it" if flag.by else ""
    name = (f"    {one_line(flag.name)} ", Tone.STRONG)
    yield (name, state if flag.state else ("is not in flags.toml", Tone.BLOCKED), (who, Tone.TEXT))
    if flag.holds:
        yield ((f"{INDENT}holds ", Tone.QUIET), (", ".join(ref.id for ref in flag.holds), Tone.ASKING))
    if flag.ships:
        yield ((f"{INDENT}{', '.join(ref.id for ref in flag.ships)} ships behind it", Tone.QUIET),)
