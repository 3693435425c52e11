"""`omni-tui simulate --backlog`: what waits in a workspace, one after the other, blindly side by side, and in waves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from omni_tui.commands.output import Answer, progress
from omni_tui.commands.targets import find_workspace
from omni_tui.errors import OmniError, UsageError
from omni_tui.model.task import Status

if TYPE_CHECKING:
    from rich.table import Table

    from omni_tui.simulation.night import Night
    from omni_tui.simulation.rehearsal import Backlog, Rehearsed


def rehearse(root: Path, workspace: str, night: Night, fault_of: type[OmniError]) -> Answer:
    """Live through the backlog of a workspace in each way, and compare; a broken promise is a `fault_of`."""
    from omni_tui.simulation import rehearsal

    with progress("looking what the tasks will touch"):
        backlog = _read(root, find_workspace(root, workspace).name)
    if not backlog.tasks:
        raise UsageError(f"nothing waits in `{workspace}`", where="--backlog", fix="`omni-tui add` puts tasks there")
    scheduler = night.settings.scheduler
    ways = rehearsal.ways(scheduler.limit if scheduler.limit > 1 else scheduler.most)
    with progress(f"living through {len(ways)} nights"):
        rehearsed = [rehearsal.rehearse(backlog, way, night) for way in ways]
    broken = [f"{each.way.name}: {words}" for each in rehearsed for words in each.violations]
    fault = (
        fault_of("\n".join(broken), where=f"seed {night.seed}", fix="this is a defect: tell of it") if broken else None
    )
    return Answer({"workspace": workspace, "seed": night.seed, "ways": rehearsed}, _table(rehearsed), fault)


def _read(root: Path, workspace: str) -> Backlog:
    from omni_tui.fleet import Fleet
    from omni_tui.planning import Planner
    from omni_tui.simulation.rehearsal import Backlog

    planner = Planner(Fleet(root))
    outlook = planner.look_ahead(workspace)
    return Backlog(
        tasks=[each.task for each in outlook.placed],
        landed=frozenset(row.ref for row in planner.linter.view.rows if row.status is Status.DONE),
        points=outlook.points,
        flags={name: flag.state for name, flag in planner.linter.flags[workspace].known.items()},
    )


def _table(rehearsed: Sequence[Rehearsed]) -> Table:
    from rich.table import Table

    table = Table("", "landed", "conflicts", "attempts", "blocked", "waiting", "hours", "slots busy", box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for each in rehearsed:
        numbers = (each.conflicts, each.attempts, each.blocked, each.waiting)
        ends = (f"{each.hours:.1f}", f"{each.busy:.0%}")
        table.add_row(each.way.name, f"{each.landed} of {each.tasks}", *map(str, numbers), *ends)
    return table
