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
from omni_tui.policy.night import needs_thaw
from omni_tui.words import parked_for, source_said, until

if TYPE_CHECKING:
    from rich.console import RenderableType

    from omni_tui.model.view import FleetView, TaskRow

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
    view = read_fleet(root)
    rows = [row for row in view.rows if status in (None, row.status.value) and workspace in (None, row.ref.workspace)]
    now = SystemClock().now()
    return Answer([describe_row(row, now) for row in rows], _shown(rows, _holding(view, now), now))


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
        "footprint": row.run.footprint if row.run is not None else None,
        "reason": row.reason,
        "hold": row.hold,
        "priority": row.priority,
        "created_at": row.created_at,
        "path": row.path,
    }


def _holding(view: FleetView, now: float) -> list[str]:
    """Say what holds the whole fleet or a part of it."""
    lines = [f"the run was stopped: {view.stopped}"] if view.stopped else []
    lines += [parked_for(name, parked, now) for name, parked in sorted(view.parked.items())]
    lines += [f"paused: {pause}" for pause in view.pauses]
    lines += [f"budget: {near}" for near in view.near]
    lines += view.brakes.words
    lines += [f"refill: {source_said(note)}" for note in view.refilling]
    if view.effective is not None and view.effective.lowered:
        lines.append(f"tasks at once: {view.effective}")
    elif view.load:
        lines.append(f"load: {view.load}: no more starts for now")
    return [*lines, "omni-tui thaw goes on, once that is mended"] if needs_thaw(view) else lines


def _shown(rows: list[TaskRow], holding: list[str], now: float) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table("task", "status", "phase", "try", "agent", "title", "reason", box=None, pad_edge=False)
    for row in rows:
        attempt = str(row.attempt) if row.attempt else ""
        status = Text(row.status, STYLES[row.status])
        phase = row.phase if row.status is Status.DOING else ""
        table.add_row(str(row.ref), status, phase, attempt, row.agent, Text(row.title), Text(_reason(row, now), "dim"))
    return Group(table if rows else "no tasks", *(Text(line, "yellow") for line in holding))


def _reason(row: TaskRow, now: float) -> str:
    """Say why it waits or is blocked, and when that ends where it ends by itself."""
    ends = f" (until {until(row.hold.until, now)})" if row.hold is not None and row.hold.until is not None else ""
    return row.reason + ends
