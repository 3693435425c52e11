"""`omni-tui plan`: the waves, what runs beside what, and what ties the tasks that do not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from omni_tui.commands.output import Answer, progress
from omni_tui.commands.session import Session, common
from omni_tui.commands.targets import WORKSPACE, find_workspace, read_fleet
from omni_tui.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.tree import Tree

    from omni_tui.planning import Outlook
    from omni_tui.policy.waves import Placed


@click.command("plan")
@click.argument("workspace", type=WORKSPACE, required=False)
@click.option("--dot", is_flag=True, help="Print the graph in Graphviz's language: `omni-tui plan --dot | dot -Tsvg`.")
@click.option("--freeze", is_flag=True, help="Write plan.toml: edit it, and the scheduler keeps to it.")
@common
def plan(session: Session, workspace: str | None, *, dot: bool, freeze: bool) -> Answer:
    """Show the waves of WORKSPACE, or of all: what may run side by side, and what ties what does not."""
    if dot and session.json:
        raise UsageError("--dot and --json are two formats", fix="leave one of them out")
    from omni_tui import planning
    from omni_tui.fleet import Fleet

    root = session.root()
    view, fleet = read_fleet(root), Fleet(root)
    names = [find_workspace(root, workspace).name] if workspace else fleet.paths.workspace_names()
    with progress("looking what the tasks will touch"):
        outlooks = [asyncio.run(planning.look_ahead(fleet, view, name)) for name in names]
    written = [str(planning.freeze(fleet, outlook)) for outlook in outlooks] if freeze else []
    result = {"workspaces": [_plain(outlook) for outlook in outlooks], "frozen": written}
    if dot:
        return Answer(result, "\n".join(["digraph plan {", "  rankdir=LR; node [shape=box];", *_dot(outlooks), "}"]))
    return Answer(result, _tree(outlooks, written))


def _plain(outlook: Outlook) -> dict[str, Any]:
    return {
        "workspace": outlook.workspace,
        "waves": [[_plain_task(outlook, each) for each in wave] for wave in outlook.waves],
        "frozen": outlook.frozen.waves,
        "not_in_frozen": [ref.id for ref in outlook.unplanned],
    }


def _plain_task(outlook: Outlook, each: Placed) -> dict[str, Any]:
    return {
        "task": str(each.task.ref),
        "title": each.task.title,
        "needs": [str(ref) for ref in each.needs],
        "ties": [{"after": str(bond.after), "point": bond.point} for bond in each.bonds],
        "touches": outlook.points.get(each.task.ref, ()),
        "stuck": each.stuck,
    }


def _tree(outlooks: Sequence[Outlook], written: Sequence[str]) -> Tree:
    from rich.text import Text
    from rich.tree import Tree

    tree = Tree(Text("the plan"))
    for outlook in outlooks:
        branch = tree.add(Text(outlook.workspace, style="bold"))
        for number, wave in enumerate(outlook.waves, 1):
            many = "1 task" if len(wave) == 1 else f"{len(wave)} tasks side by side"
            twig = branch.add(Text(f"wave {number}: {many}", style="bold"))
            for each in wave:
                leaf = twig.add(Text(f"{each.task.id}  {each.task.title}"))
                for line in _reasons(outlook, each):
                    leaf.add(Text(line, style="dim"))
        if not outlook.placed:
            branch.add(Text("nothing waits"))
        if outlook.unplanned:
            names = ", ".join(ref.id for ref in outlook.unplanned)
            branch.add(Text(f"not in the frozen plan, so they come after it: {names}", style="yellow"))
    for path in written:
        tree.add(Text(f"frozen: {path}; edit it, or delete it to let go"))
    return tree


def _reasons(outlook: Outlook, each: Placed) -> Iterator[str]:
    if each.stuck:
        yield f"cannot start: {each.stuck}"
    if each.needs:
        yield f"depends on {', '.join(ref.id for ref in each.needs)}"
    for bond in each.bonds:
        yield f"tied to {bond.after.id} by {bond.point}: {bond.point.evidence}"
    if not outlook.points.get(each.task.ref):
        yield 'nothing tells what it will touch: with slots = "auto" it runs alone'


def _dot(outlooks: Sequence[Outlook]) -> Iterator[str]:
    for outlook in outlooks:
        for number, wave in enumerate(outlook.waves, 1):
            nodes = " ".join(f"{_quoted(str(each.task.ref))};" for each in wave)
            cluster = _quoted(f"cluster_{outlook.workspace}_{number}")
            yield f"  subgraph {cluster} {{ label={_quoted(f'{outlook.workspace}: wave {number}')}; {nodes} }}"
        for each in outlook.placed:
            name = _quoted(str(each.task.ref))
            yield f"  {name} [label={_quoted(f'{each.task.id}: {each.task.title}')}];"
            yield from (f"  {_quoted(str(need))} -> {name};" for need in each.needs)
            for bond in each.bonds:
                yield f"  {_quoted(str(bond.after))} -> {name} [style=dashed, label={_quoted(str(bond.point))}];"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
