"""`omni-tui plan`: the waves, what runs beside what, and what ties the tasks that do not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from omni_tui.commands.output import Answer, progress
from omni_tui.commands.session import Session, common
from omni_tui.commands.targets import WORKSPACE, find_workspace
from omni_tui.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from omni_tui.planning import Outlook, Planner
    from omni_tui.policy.flags import FlagWarning
    from omni_tui.policy.waves import CycleError, Placed


@click.command("plan")
@click.argument("workspace", type=WORKSPACE, required=False)
@click.option("--dot", is_flag=True, help="Print the graph in Graphviz's language: `omni-tui plan --dot | dot -Tsvg`.")
@click.option(
    "--freeze",
    is_flag=True,
    help="Write plan.toml, for the scheduler to keep to; an edited one becomes plan.toml.before.",
)
@common
def plan(session: Session, workspace: str | None, *, dot: bool, freeze: bool) -> Answer:
    """Show the waves of WORKSPACE, or of all: what may run side by side, and what ties what does not."""
    if dot and session.json:
        raise UsageError("--dot and --json are two formats", fix="leave one of them out")
    from omni_tui import planning
    from omni_tui.commands.drawing import as_dot, as_tree
    from omni_tui.fleet import Fleet

    root = session.root()
    fleet = Fleet(root)
    names = [find_workspace(root, workspace).name] if workspace else fleet.paths.workspace_names()
    with progress("looking what the tasks will touch"):
        planner = planning.Planner(fleet)
        outlooks, fault = _look_ahead(planner, names, afresh=freeze)
    written = [planning.freeze(fleet, outlook) for outlook in outlooks if outlook.placed] if freeze else []
    if not session.json:
        return Answer(shown=as_dot(outlooks) if dot else as_tree(outlooks, written, planner.faults), fault=fault)
    result = {
        "workspaces": [_plain(each) for each in outlooks],
        "frozen": [each.path for each in written],
        "former": [each.former for each in written if each.former is not None],
        "faults": planner.faults,
    }
    return Answer(result, fault=fault)


def _look_ahead(planner: Planner, names: Sequence[str], *, afresh: bool) -> tuple[list[Outlook], CycleError | None]:
    """Return what lies ahead of those workspaces that can be planned, and the circle that keeps another from it."""
    from omni_tui.policy.waves import CycleError

    outlooks, fault = [], None
    for name in names:
        try:
            outlooks.append(planner.look_ahead(name, afresh=afresh))
        except CycleError as error:
            fault = fault or error
    if fault is not None and not outlooks:
        raise fault
    return outlooks, fault


def _plain(outlook: Outlook) -> dict[str, Any]:
    return {
        "workspace": outlook.workspace,
        "waves": [[_plain_task(outlook, each) for each in wave] for wave in outlook.waves],
        "frozen": outlook.frozen.waves,
        "not_in_frozen": [ref.id for ref in outlook.unplanned],
        "strange_in_frozen": outlook.strange,
        "repeated_in_frozen": outlook.repeated,
    }


def _plain_task(outlook: Outlook, each: Placed) -> dict[str, Any]:
    return {
        "task": str(each.task.ref),
        "title": each.task.title,
        "needs": [str(ref) for ref in (*each.needs, *outlook.elsewhere.get(each.task.ref, ()))],
        "ties": [{"after": str(bond.after), "point": bond.tie.mine, "theirs": bond.tie.theirs} for bond in each.bonds],
        "touches": outlook.points.get(each.task.ref, ()),
        "stuck": each.stuck,
        "unserved": outlook.unserved.get(each.task.ref, ""),
        "refused": outlook.refused.get(each.task.ref, ""),
        "flags": [_plain_warning(warning) for warning in outlook.flags.get(each.task.ref, ())],
    }


def _plain_warning(warning: FlagWarning) -> dict[str, Any]:
    return {
        "flag": warning.flag,
        "message": warning.message,
        "fix": warning.fix,
        "behind": [str(ref) for ref in warning.behind],
    }
