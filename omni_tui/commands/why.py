"""`omni-tui why TASK`: the one reason that keeps a task from starting now, what lifts it, and who is next in line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from omni_tui.commands.output import Answer
from omni_tui.commands.session import Session, common
from omni_tui.commands.targets import TASK, find_task, open_reader
from omni_tui.words import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from omni_tui.whynot import Why

IN_LINE = 3
"""So many of those that start next are named."""


@click.command("why")
@click.argument("task", type=TASK)
@common
def why(session: Session, task: str) -> Answer:
    """Say why TASK does not start now: the one reason that binds, what would lift it, and who is next in line."""
    from omni_tui import whynot
    from omni_tui.fleet import Fleet

    root = session.root()
    fleet, view = Fleet(root), open_reader(root).read()
    found = whynot.why(find_task(view.rows, task), view, fleet)
    return Answer(_plain(found), "\n".join(lines_of(found, fleet.clock.now())))


def _plain(found: Why) -> dict[str, Any]:
    return {
        "task": str(found.task),
        "status": found.status,
        "hold": found.hold.kind,
        "message": found.hold.message,
        "remedy": found.hold.remedy,
        "until": found.hold.until,
        "also": found.also,
        "line": found.line,
    }


def lines_of(found: Why, now: float) -> Iterator[str]:
    """Yield what a person reads at the UTC time `now`."""
    yield f"{found.task}: {found.hold.message}"
    if found.hold.until is not None:
        yield f"  ends     {until(found.hold.until, now)}"
    if found.hold.remedy:
        yield f"  lifted   {found.hold.remedy}"
    if found.also:
        yield f"  also     {found.also}"
    if found.line:
        more = len(found.line) - IN_LINE
        rest = f", then {more} more" if more > 0 else ""
        yield f"  in line  {', then '.join(found.line[:IN_LINE])}{rest}"
