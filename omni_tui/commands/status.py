"""`omni-tui status`: the fleet as a whole: who dispatches it, how much may run now, and what binds that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import msgspec

from omni_tui.commands.output import Answer
from omni_tui.commands.session import Session, common
from omni_tui.commands.targets import read_fleet
from omni_tui.model.task import Status
from omni_tui.words import moment, parked_for, taken, taking

if TYPE_CHECKING:
    from omni_tui.fleet import Fleet
    from omni_tui.model.effective import Effective
    from omni_tui.model.load import Sample
    from omni_tui.model.view import FleetView, TaskRow


@click.command("status")
@common
def status(session: Session) -> Answer:
    """Say who dispatches the fleet, how many tasks may run at once now, what binds that, and how loaded it is here."""
    from omni_tui.fleet import Fleet
    from omni_tui.outlook import brakes_in_force

    root = session.root()
    fleet, view = Fleet(root), read_fleet(root)
    view = msgspec.structs.replace(view, brakes=brakes_in_force(fleet, view))
    sample, limit = fleet.load(), view.effective or _expected(view, fleet)
    result = {
        "fleet": view.root,
        "owner": view.owner,
        "effective": limit,
        "tasks": {each.value: view.count(each) for each in Status},
        "brakes": view.brakes,
        "stopped": view.stopped,
        "parked": view.parked,
        "pauses": view.pauses,
        "near": view.near,
        "load": {"binds": view.load, "now": sample, "limits": fleet.settings.load},
        "agents": [_agent(row) for row in _running(view)],
        "message": view.message,
    }
    return Answer(result, "\n".join(_lines(view, fleet, sample, limit)))


def _expected(view: FleetView, fleet: Fleet) -> Effective:
    """Return the limit that a dispatcher would find if it started now."""
    from omni_tui.outlook import read_backlog, read_capacity
    from omni_tui.policy.effective import effective

    return effective(read_backlog(fleet, view), read_capacity(fleet, view))


def _running(view: FleetView) -> list[TaskRow]:
    return [row for row in view.rows if row.status is Status.DOING and row.run is not None]


def _agent(row: TaskRow) -> dict[str, Any]:
    return {"task": str(row.ref), "agent": row.agent, "footprint": row.run.footprint if row.run is not None else None}


def _lines(view: FleetView, fleet: Fleet, sample: Sample, limit: Effective) -> list[str]:
    from omni_tui.policy.load import told

    owner = view.owner
    who = f"process {owner.pid} on {owner.host}, {owner.mode}, since {moment(owner.since)}" if owner else "nobody"
    counts = ", ".join(f"{view.count(each)} {each.value}" for each in Status)
    lines = [("fleet", view.root), ("owner", who), ("tasks", counts), ("at once", str(limit))]
    lines += [("stopped", view.stopped)] if view.stopped else []
    lines += [("brake", words) for words in view.brakes.words]
    lines += [("parked", parked_for(name, each, view.taken_at)) for name, each in sorted(view.parked.items())]
    lines += [("paused", pause) for pause in view.pauses] + [("budget", near) for near in view.near]
    lines += [("load", words) for words in told(sample, fleet.settings.load)]
    if sample.space is not None:
        free = f"{sample.space.free_bytes / 1e9:.1f} GB and {sample.space.free_inodes_percent:.0f} % of the inodes free"
        lines.append(("disk", f"{free} (reserve {fleet.settings.limits.reserve_gb:g} GB)"))
    for row in _running(view):
        lines.append(("agent", f"{row.ref} {row.agent}: {_used(row) or 'not measured yet'}"))
    lines += [("told", view.message)] if view.message else []
    return [f"{name:<9} {words}" for name, words in lines]


def _used(row: TaskRow) -> str:
    footprint = row.run.footprint if row.run is not None else None
    return "; ".join(filter(None, (taking(footprint), taken(footprint)))) if footprint is not None else ""
