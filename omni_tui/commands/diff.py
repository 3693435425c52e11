"""`omni-tui diff TASK`: what a task's latest attempt changes."""

from __future__ import annotations

import asyncio

import click

from omni_tui.commands.output import Answer
from omni_tui.commands.session import Session, common
from omni_tui.commands.targets import TASK, find_task, read_fleet


@click.command("diff")
@click.argument("task", type=TASK)
@common
def diff(session: Session, task: str) -> Answer:
    """Show what TASK's latest attempt changes against the release branch, as the gate judged it or as far as it is."""
    from omni_tui.fleet import Fleet
    from omni_tui.latest import find_diff

    fleet = Fleet(session.root())
    row = find_task(read_fleet(fleet.paths.root).rows, task)
    patch = asyncio.run(find_diff(fleet, row.ref))
    words = patch or f"{row.ref}: attempt {row.attempt} has changed nothing yet"
    return Answer({"task": str(row.ref), "attempt": row.attempt, "patch": patch}, words)
