"""The columns of the table: which there are at a width, and what each says of a task. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from rich.cells import cell_len

from omni_tui.cockpit.look import doing, look, reason, signal_age
from omni_tui.cockpit.text import fit, steady
from omni_tui.cockpit.tones import Tone
from omni_tui.model.task import Status
from omni_tui.model.view import TaskRow

MARGIN = 2
"""Cells before the first column, for the mark of the selected row."""
GAP = 1
"""Cells between columns."""
REASON_FROM = 74
"""Cells left for title and reason from which each has a column of its own; below, they share one."""
SHOWN_OF_REASON = 0.6
"""The share of a shared column that a long reason may take: it must not be hidden by a long title."""


class Column(msgspec.Struct, frozen=True):
    """One column: where it is and how wide, in cells."""

    name: str
    title: str
    x: int
    width: int


Piece = tuple[str, Tone]
"""Text of one look; a cell is made of one or more."""


class Extent(msgspec.Struct, frozen=True):
    """The widest contents, in cells, that decide over columns."""

    id: int = 4
    workspace: int = 0
    """0: all tasks are of one workspace, so that it need not be shown."""
    agent: int = 5


def measure(rows: Sequence[TaskRow]) -> Extent:
    """Return the widest contents of `rows`."""
    workspaces = {row.ref.workspace for row in rows}
    return Extent(
        id=max((len(row.ref.id) for row in rows), default=4),
        workspace=max(map(len, workspaces)) if len(workspaces) > 1 else 0,
        agent=max((cell_len(steady(row.agent)) for row in rows), default=5),
    )


def plan(width: int, extent: Extent) -> tuple[Column, ...]:
    """Lay out the columns in `width` cells."""
    roomy = width >= 100
    fixed = [("state", "STATE", 9), ("id", "ID", min(max(extent.id, 4), 16 if roomy else 10))]
    after = [("workspace", "WHERE", min(max(extent.workspace, 5), 14))] if roomy and extent.workspace else []
    after.append(("agent", "AGENT", min(max(extent.agent, 5), 14 if roomy else 8)))
    if roomy:
        after.append(("attempt", "TRY", 3))
    after += [("doing", "DOING", 8), ("age", " AGE", 4)]
    taken = MARGIN + sum(size + GAP for _, _, size in fixed + after) + 1
    flexible = max(10, width - taken)
    if flexible >= REASON_FROM:
        title = flexible * 2 // 5
        texts = [("title", "TASK", title), ("reason", "REASON", flexible - title - GAP)]
        return _place([*fixed, texts[0], *after, texts[1]])
    return _place([*fixed, ("task", "TASK", flexible), *after])


def _place(columns: Sequence[tuple[str, str, int]]) -> tuple[Column, ...]:
    placed, x = [], MARGIN
    for name, title, width in columns:
        placed.append(Column(name, title, x, width))
        x += width + GAP
    return tuple(placed)


def cell(column: Column, row: TaskRow, now: float) -> list[Piece]:
    """Return what `column` says of `row`, exactly as wide as the column."""
    if column.name == "task":
        return _shared(row, column.width)
    text, tone = _SINGLE[column.name](row, now)
    return [(fit(text, column.width), tone)]


def _shared(row: TaskRow, width: int) -> list[Piece]:
    """Title and reason in one cell; the reason keeps its share however long the title is."""
    title, why = steady(row.title), steady(reason(row))
    if not why:
        return [(fit(title, width), _title_tone(row))]
    room = min(cell_len(why) + 3, int(width * SHOWN_OF_REASON))
    title_width = min(cell_len(title), width - room)
    return [
        (fit(title, title_width), _title_tone(row)),
        (" · ", Tone.QUIET),
        (fit(why, width - title_width - 3), look(row).tone),
    ]


def _title_tone(row: TaskRow) -> Tone:
    return Tone.QUIET if row.status is Status.DONE else Tone.TEXT


def _state(row: TaskRow, _: float) -> Piece:
    shown = look(row)
    return f"{shown.glyph} {shown.word}", shown.tone


def _age(row: TaskRow, now: float) -> Piece:
    return signal_age(row, now).rjust(4), Tone.QUIET


_SINGLE: dict[str, Callable[[TaskRow, float], Piece]] = {
    "state": _state,
    "id": lambda row, _: (row.ref.id, Tone.STRONG if row.status is not Status.DONE else Tone.QUIET),
    "workspace": lambda row, _: (row.ref.workspace, Tone.QUIET),
    "title": lambda row, _: (steady(row.title), _title_tone(row)),
    "agent": lambda row, _: (steady(row.agent), Tone.QUIET),
    "attempt": lambda row, _: (f"{row.attempt or ''}".rjust(3), Tone.QUIET),
    "doing": lambda row, _: (doing(row), look(row).tone if row.status is Status.DOING else Tone.QUIET),
    "age": _age,
    "reason": lambda row, _: (steady(reason(row)), look(row).tone),
}
