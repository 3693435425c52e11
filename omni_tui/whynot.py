"""Why not? What keeps one task from starting now, what would lift that, when it ends, and who is next in line."""

from __future__ import annotations

import msgspec

from omni_tui.fleet import Fleet
from omni_tui.model.brakes import FLEET, Brakes
from omni_tui.model.state import PublishedHold
from omni_tui.model.task import Status, TaskRef
from omni_tui.model.view import FleetView, TaskRow
from omni_tui.outlook import read_backlog, read_capacity
from omni_tui.policy.holds import Hold, HoldKind
from omni_tui.policy.leasing import lease_hold
from omni_tui.policy.remedies import told
from omni_tui.policy.scheduling import explain

MEND_FILE = "by mending the file; else whoever dispatches puts it into blocked/"
"""What makes a task of a file that is none."""


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """Why one task does not start now."""

    task: TaskRef
    status: Status
    hold: PublishedHold
    """The one that binds; of a task that does not wait, how it stands, under its folder's name."""
    also: str = ""
    """What holds everything that waits beside that; empty: nothing, or this does not wait."""
    line: tuple[str, ...] = ()
    """Who is next in line, `workspace/id`; maybe the task itself."""


def why(row: TaskRow, view: FleetView, fleet: Fleet) -> Why:
    """Return why the task of `row` does not start now: as who dispatches says, else by the files alone. Blocks."""
    lease = lease_hold(view.owner)
    known = row.hold if row.status is Status.TODO else standing(row)
    if lease is None and known is not None:
        also = _also(row, known, view, view.brakes)
        return Why(task=row.ref, status=row.status, hold=known, also=also, line=view.line)
    backlog = read_backlog(fleet, view)
    found = explain(row.ref, backlog, read_capacity(fleet, view))
    hold = known or told(lease if lease is not None and found.hold.kind is HoldKind.NEXT else found.hold)
    if row.status is Status.TODO and hold.kind == HoldKind.NOT_WAITING:
        hold = PublishedHold(kind=HoldKind.LINT.value, message=row.reason, remedy=MEND_FILE)
    also = _also(row, hold, view, backlog.brakes, lease)
    return Why(task=row.ref, status=row.status, hold=hold, also=also, line=tuple(map(str, found.line)))


def _also(row: TaskRow, hold: PublishedHold, view: FleetView, brakes: Brakes, lease: Hold | None = None) -> str:
    """Say what holds every task that waits beside `hold`, which may end by itself; this does not."""
    if row.status is not Status.TODO:
        return ""
    freeze = brakes.freeze_of(FLEET)
    everything = {
        HoldKind.LEASE: lease.message if lease is not None else "",
        HoldKind.STOPPED: f"the run was stopped: {view.stopped}" if view.stopped else "",
        HoldKind.FROZEN: str(freeze) if freeze is not None else "",
    }
    return "; ".join(words for kind, words in everything.items() if words and hold.kind != kind)


def standing(row: TaskRow) -> PublishedHold:
    """Return how a task stands that does not wait, and what would make it wait again."""
    match row.status:
        case Status.DOING:
            words = f"it runs: attempt {row.attempt} is in {row.phase or 'its first phase'}{_served(row)}"
            return _standing(row, words + (f"; {row.reason}" if row.reason else ""))
        case Status.BLOCKED:
            reason = row.reason or "the note beside its file says why"
            return _standing(row, f"it is blocked: {reason}", f"by `omni-tui redispatch {row.ref}`")
        case _:
            return _standing(row, "it has landed")


def _served(row: TaskRow) -> str:
    """Say who serves a running task, and why that one."""
    if row.run is None or not row.run.provider:
        return ""
    return f", served by {row.run.provider}" + (f" ({row.run.chosen})" if row.run.chosen else "")


def _standing(row: TaskRow, message: str, remedy: str = "") -> PublishedHold:
    return PublishedHold(kind=row.status.value, message=message, remedy=remedy)
