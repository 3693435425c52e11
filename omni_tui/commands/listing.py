"""`omni-tui list`: the tasks of the fleet, running first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from omni_tui.commands.output import Answer
from omni_tui.commands.session import Session, common
from omni_tui.commands.targets import WORKSPACE, find_workspace, read_fleet
from omni_tui.engine.clock import SystemClock
from omni_tui.model.task import Status
from omni_tui.policy.evidence import standing

if TYPE_CHECKING:
    from rich.table import Table

    from omni_tui.model.view import TaskRow

STYLES = {Status.TODO: "", Status.DOING: "cyan", Status.DONE: "green", Status.BLOCKED: "red"}


@click.command("list")
@click.option("--status", type=click.Choice([status.value for status in Status]), help="Only the tasks in that folder.")
@click.option("--workspace", type=WORKSPACE, help="Only the tasks of that workspace.")
@common
def list_tasks(session: Session, status: str | None, workspace: str | None) -> Answer:
    """List the tasks: running, then blocked, then waiting in the order they will start, then landed."""
    root = session.root()
    if workspace is not None:
        find_workspace(root, workspace)
    rows = [
        row
        for row in read_fleet(root).rows
        if status in (None, row.status.value) and workspace in (None, row.ref.workspace)
    ]
    now = SystemClock().now()
    return Answer([describe_row(row, now) for row in rows], _table(rows) if rows else "no tasks")


def describe_row(row: TaskRow, now: float) -> dict[str, Any]:
    """Return a task as `--json` shows it at the UTC time `now`."""
    return {
        "id": row.ref.id,
        "title": row.title,
        "workspace": row.ref.workspace,
        "status": row.status,
        "phase": row.phase,
        "attempt": row.attempt,
        "agent": row.agent,
        "health": row.run.health if row.run is not None else "",
        "signal": standing(row.run, now) if row.run is not None and row.status is Status.DOING else None,
        "reason": row.reason,
        "priority": row.priority,
        "created_at": row.created_at,
        "path": row.path,
    }


def _table(rows: list[TaskRow]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table("task", "status", "phase", "try", "agent", "title", "reason", box=None, pad_edge=False)
    for row in rows:
        attempt = str(row.attempt) if row.attempt else ""
        status = Text(row.status, STYLES[row.status])
        phase = row.phase if row.status is Status.DOING else ""
        table.add_row(str(row.ref), status, phase, attempt, row.agent, Text(row.title), Text(row.reason, "dim"))
    return table
