"""`omni-tui why TASK`: the one reason that keeps a task from starting now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from omni_tui.commands.output import Answer
from omni_tui.commands.session import Session, common
from omni_tui.commands.targets import TASK, find_task, open_reader
from omni_tui.model.task import Status
from omni_tui.words import moment

if TYPE_CHECKING:
    from omni_tui.fleet import Fleet
    from omni_tui.model.view import FleetView, TaskRow
    from omni_tui.policy.holds import Hold


@click.command("why")
@click.argument("task", type=TASK)
@common
def why(session: Session, task: str) -> Answer:
    """Say why TASK does not start now: the one reason that binds, or how it ended."""
    from omni_tui.fleet import Fleet

    root = session.root()
    view = open_reader(root).read()
    row = find_task(view.rows, task)
    if row.status is Status.TODO and view.owner is not None and row.reason:
        kind, message, until = "told", row.reason, None
    elif row.status is Status.TODO:
        hold = explain_row(row, view, Fleet(root))
        kind, message, until = hold.kind.value, hold.message, hold.until
    else:
        kind, message, until = row.status.value, _ended(row), None
    if row.status is Status.TODO and view.owner is None:
        message += "; and nobody dispatches this fleet now: start `omni-tui`"
    words = f"{row.ref}: {message}" + (f" (until {moment(until)})" if until is not None else "")
    return Answer({"task": str(row.ref), "status": row.status, "hold": kind, "message": message, "until": until}, words)


def _ended(row: TaskRow) -> str:
    match row.status:
        case Status.DOING:
            held = f"; {row.reason}" if row.reason else ""
            return f"it runs: attempt {row.attempt} is in {row.phase or 'its first phase'}{held}"
        case Status.BLOCKED:
            return (
                f"it is blocked: {row.reason or 'the note beside its file says why'}; `omni-tui redispatch` tries again"
            )
        case _:
            return "it has landed"


def explain_row(row: TaskRow, view: FleetView, fleet: Fleet) -> Hold:
    """Return what would hold a waiting task if a dispatcher started now; from the files alone."""
    from omni_tui.outlook import read_backlog, read_capacity
    from omni_tui.policy.scheduling import explain

    return explain(row.ref, read_backlog(fleet, view), read_capacity(fleet, view))
