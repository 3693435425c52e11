"""A plan drawn: as a tree for a person, and as a graph in Graphviz's language."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from omni_tui.commands.outline import Line, Outline
from omni_tui.model.text import plural

if TYPE_CHECKING:
    from omni_tui.model.task import TaskRef
    from omni_tui.planning import Frozen, Outlook
    from omni_tui.policy.ties import Tie
    from omni_tui.policy.waves import Placed

MOST_TASKS = 5
MOST_POINTS = 3
"""So many are named of those that tie a task, the rest is counted."""
HELD = "yellow"


def as_tree(outlooks: Sequence[Outlook], written: Sequence[Frozen], faults: Sequence[str]) -> Outline:
    """Draw the waves of each workspace; for each task why it is not in an earlier one, and what will hold it."""
    lines: list[Line] = [(0, [("the plan", "")])]
    for outlook in outlooks:
        lines += _workspace(outlook)
    lines += ((1, [(f"frozen: {each.path}; edit it, or delete it to let go", "")]) for each in written)
    lines += ((1, [(f"the plan before is kept as {each.former}", HELD)]) for each in written if each.former is not None)
    lines += ((1, [(f"could not be read: {fault}", HELD)]) for fault in faults)
    return Outline(lines)


def _workspace(outlook: Outlook) -> Iterator[Line]:
    yield 1, [(outlook.workspace, "bold"), (f": {_extent(outlook)}", "")]
    for number, wave in enumerate(outlook.waves, 1):
        if not wave:  # of a frozen plan: all of it has landed
            continue
        yield 2, [(f"wave {number}: {outlook.beside(wave)}", "bold")]
        for each in wave:
            yield 3, [(each.task.id, "cyan"), (f"  {each.task.title}", "")]
            yield from ((4, [(line, "dim")]) for line in _reasons(outlook, each))
            yield from ((4, [(line, HELD)]) for line in _holds(outlook, each))
    yield from ((2, [(line, HELD)]) for line in outlook.amiss)


def _extent(outlook: Outlook) -> str:
    if not outlook.placed:
        return "nothing waits"
    many = sum(1 for wave in outlook.waves if wave)
    frozen = ", as the frozen plan says" if outlook.frozen.waves else ""
    return f"{plural(len(outlook.placed), 'task')} in {plural(many, 'wave')}{frozen}"


def _reasons(outlook: Outlook, each: Placed) -> Iterator[str]:
    """Say what a task comes after, and why."""
    if each.needs:
        yield f"after {_names(each.needs)}: depends on {'it' if len(each.needs) == 1 else 'them'}"
    if elsewhere := outlook.elsewhere.get(each.task.ref):
        yield f"after {', '.join(map(str, elsewhere))} of another workspace: depends on it"
    ties: dict[TaskRef, list[Tie]] = defaultdict(list)
    for bond in each.bonds:
        ties[bond.after].append(bond.tie)
    alike: dict[tuple[bool, tuple[str, ...]], list[TaskRef]] = defaultdict(list)
    for ref, of_one in ties.items():
        alike[outlook.wave_of[ref] == each.wave, tuple(str(tie.mine) for tie in of_one)].append(ref)
    for (beside, _), refs in alike.items():
        how = "beside, although tied to" if beside else "after"  # a person can have said so
        yield f"{how} {_names(refs)}: {_common(ties[refs[0]], alone=len(refs) == 1)}"
    if not outlook.points.get(each.task.ref):
        yield 'nothing tells what it will touch: with slots = "auto" it runs alone'


def _common(ties: Sequence[Tie], *, alone: bool) -> str:
    """Say what ties a task to others; with several others only its own side, for theirs differ."""
    from omni_tui.policy.ties import clearest_first

    mine: dict[str, list[Tie]] = defaultdict(list)
    for tie in clearest_first(ties):
        mine[str(tie.mine)].append(tie)
    words = [_side(group, alone=alone) for group in list(mine.values())[:MOST_POINTS]]
    rest = len(mine) - MOST_POINTS
    return "; ".join(words) + (f"; and {rest} more" if rest > 0 else "")


def _side(ties: Sequence[Tie], *, alone: bool) -> str:
    """Say which point of a task ties it, why it is thought to touch that, and how it lies to the other's points."""
    tie = ties[0]
    words = f"{tie.mine} ({tie.mine.evidence})"
    if not (alone and tie.how):
        return words
    more = f" and {len(ties) - MOST_POINTS} more" if len(ties) > MOST_POINTS else ""
    return f"{words}, which {tie.how} {', '.join(str(each.theirs) for each in ties[:MOST_POINTS])}{more}"


def _names(refs: Sequence[TaskRef]) -> str:
    more = f" and {len(refs) - MOST_TASKS} more" if len(refs) > MOST_TASKS else ""
    return ", ".join(ref.id for ref in refs[:MOST_TASKS]) + more


def _holds(outlook: Outlook, each: Placed) -> Iterator[str]:
    """Say what will hold a task when its wave comes, or what to mind."""
    yield from outlook.obstacles(each)
    for warning in outlook.flags.get(each.task.ref, ()):
        yield f"flag: {warning.message}; {warning.fix}"
    for warning in outlook.behind.get(each.task.ref, ()):
        yield f"flag: waits behind {warning.task.id} for {warning.flag}"


def as_dot(outlooks: Sequence[Outlook]) -> str:
    """Draw the graph: a box a wave, a whole line from what a task depends on, a dashed one from what it is tied to."""
    head = ["digraph plan {", "  rankdir=LR; newrank=true; node [shape=box, style=rounded]; edge [fontsize=10];"]
    return "\n".join([*head, *(line for outlook in outlooks for line in _graph(outlook)), "}"])


def _graph(outlook: Outlook) -> Iterator[str]:
    for number, wave in enumerate(outlook.waves, 1):
        if not wave:
            continue
        nodes = " ".join(f"{_quoted(str(each.task.ref))};" for each in wave)
        cluster = _quoted(f"cluster_{outlook.workspace}_{number}")
        yield f"  subgraph {cluster} {{ label={_quoted(f'{outlook.workspace}: wave {number}')}; {nodes} }}"
    for each in outlook.placed:
        name = _quoted(str(each.task.ref))
        held = ", color=orange" if any(_holds(outlook, each)) else ""
        yield f"  {name} [label={_quoted(_folded(f'{each.task.id}: {each.task.title}'))}{held}];"
        yield from (f"  {_quoted(str(need))} -> {name};" for need in each.needs)
        shared: dict[TaskRef, dict[str, None]] = defaultdict(dict)
        for bond in each.bonds:
            shared[bond.after][str(bond.tie.mine)] = None
        for ref, points in ((ref, list(points)) for ref, points in shared.items()):
            more = [f"and {len(points) - MOST_POINTS} more"] if len(points) > MOST_POINTS else []
            label = _quoted("\n".join([*points[:MOST_POINTS], *more]))
            yield f"  {_quoted(str(ref))} -> {name} [style=dashed, label={label}];"


LABEL_WIDTH = 28
"""Characters of a line in a node of the graph."""


def _folded(text: str) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(text, LABEL_WIDTH)) or text


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
