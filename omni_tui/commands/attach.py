"""`omni-tui attach TASK`: go to an agent's terminal, and come back."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn

import click

from omni_tui.commands.output import Answer
from omni_tui.commands.session import Session, common
from omni_tui.commands.targets import TASK, find_task, read_fleet
from omni_tui.errors import UsageError

if TYPE_CHECKING:
    from omni_tui.plugins.terminal.protocol import Visit


@click.command("attach")
@click.argument("task", type=TASK)
@common
def attach(session: Session, task: str) -> Answer:
    """Go to the terminal of TASK's agent; how to come back is said on the way. With --json, only say how to go."""
    from omni_tui.fleet import Fleet
    from omni_tui.latest import find_handle

    fleet = Fleet(session.root())
    ref = find_task(read_fleet(fleet.paths.root).rows, task).ref
    handle = find_handle(fleet, ref)
    if handle is None or not fleet.runtime.alive(handle):
        raise UsageError("no agent runs for it now", where=str(ref), fix="`omni-tui logs` shows what it showed last")
    visit = fleet.terminal.visit(fleet.runtime.attach_command(handle), os.environ)
    if session.json:
        return Answer({"task": str(ref), "argv": visit.argv, "way_back": visit.way_back})
    if not sys.stdin.isatty():
        raise UsageError("this is no terminal to attach to", where=str(ref), fix="run it from a terminal")
    return _go(visit)


def _go(visit: Visit) -> NoReturn:
    """Become the program that shows the terminal; its end is ours."""
    sys.stdout.write(f"{visit.way_back}\n")
    sys.stdout.flush()
    os.execvpe(visit.argv[0], visit.argv, visit.env)  # noqa: S606 - made by the terminal plugin, not by a shell
