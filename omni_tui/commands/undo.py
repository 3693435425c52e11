"""`omni-tui undo TASK`: the work that a kill, a redispatch or a failed attempt left, back in a person's hands."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from omni_tui.commands.output import Answer, progress
from omni_tui.commands.requests import ask
from omni_tui.commands.session import Session, common
from omni_tui.commands.targets import TASK, find_task, read_fleet
from omni_tui.errors import UsageError
from omni_tui.model.request import RequestKind
from omni_tui.model.task import Status

if TYPE_CHECKING:
    from omni_tui.model.view import TaskRow


@click.command("undo")
@click.argument("task", type=TASK)
@click.option("--attempt", "number", type=click.IntRange(min=1), help="Which attempt; else the latest that left work.")
@click.option("--to", type=click.Path(path_type=Path), metavar="DIR", help="A fresh checkout there instead of a push.")
@click.option("--requeue", is_flag=True, help="Queue the task again, too; its next agent is told of that work.")
@common
def undo(session: Session, task: str, number: int | None, to: Path | None, requeue: bool) -> Answer:
    """Bring back the work of TASK that an ended attempt left: as a branch where its repository came from."""
    from omni_tui.fleet import Fleet
    from omni_tui.undo import NothingKeptError, bring_back, words_of

    fleet = Fleet(session.root())
    row = find_task(read_fleet(fleet.paths.root).rows, task)
    if requeue:
        _require_resting(row)
    try:
        with progress(f"undo {row.ref}"):
            undone = asyncio.run(bring_back(fleet, row, number, to.absolute() if to else None))
        result, lines, work = msgspec.to_builtins(undone), words_of(undone), undone.commit
    except NothingKeptError as error:
        if not requeue:
            raise
        result, lines, work = {"task": str(row.ref), "kept": str(error)}, [str(error)], ""
    requeued = _requeue(session, row, work) if requeue else ""
    again = f"  {requeued}" if requeued else f"  begin again without it: omni-tui redispatch {row.ref}"
    lines += [again] if requeued or row.status is Status.BLOCKED else []
    return Answer({**result, "requeued": requeued}, "\n".join(lines))


def _require_resting(row: TaskRow) -> None:
    if row.status in {Status.DOING, Status.DONE}:
        state = "runs" if row.status is Status.DOING else "has landed"
        fix = "leave --requeue out; `omni-tui redispatch` does it nevertheless"
        raise UsageError(f"it {state}, so it is not queued again by an undo", where=str(row.ref), fix=fix)


def _requeue(session: Session, row: TaskRow, work: str) -> str:
    if row.status is Status.TODO and not work:
        return f"{row.ref} waits already"
    answer = ask(session, RequestKind.REDISPATCH, str(row.ref), "undone by a person", work)
    return str(answer.result["message"])
