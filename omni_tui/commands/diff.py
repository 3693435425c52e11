"""`omni-tui diff TASK`: what a task's latest attempt changes."""

from __future__ import annotations

import click

from omni_tui.commands.output import Answer
from omni_tui.commands.session import Session, common
from omni_tui.commands.targets import TASK, find_task, open_reader
from omni_tui.errors import UsageError


@click.command("diff")
@click.argument("task", type=TASK)
@common
def diff(session: Session, task: str) -> Answer:
    """Show what TASK's latest attempt changed against the release branch, as the gate judged it: a unified diff."""
    from omni_tui.store.runs import Runs

    reader = open_reader(session.root())
    row = find_task(reader.read().rows, task)
    workspace = reader.paths.workspace(row.ref.workspace)
    run = Runs(workspace).latest(row.ref.id)
    if run is None:
        raise UsageError("it has had no attempt yet", where=str(row.ref), fix="`omni-tui why` says what it waits for")
    if not run.patch.is_file():
        fix = f"wait for it, or look at its checkout under {workspace.worktrees}"
        raise UsageError(f"attempt {run.attempt.number} has not come to the gate", where=str(row.ref), fix=fix)
    patch = run.patch.read_text(encoding="utf-8", errors="replace")
    words = patch or f"{row.ref}: attempt {run.attempt.number} changed nothing"
    return Answer({"task": str(row.ref), "attempt": run.attempt.number, "patch": patch}, words)
