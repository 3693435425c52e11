"""`omni-tui logs TASK`: what a task's agent shows, once or as it goes on."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from omni_tui.commands.output import Answer
from omni_tui.commands.session import Session, common
from omni_tui.commands.targets import TASK, find_task, read_fleet
from omni_tui.errors import UsageError
from omni_tui.model.text import plain

if TYPE_CHECKING:
    from omni_tui.fleet import Fleet
    from omni_tui.plugins.runtime.protocol import Handle

LOOK_SECONDS = 1.0
"""How often a followed screen is looked at; the end of the agent is told at once."""


@click.command("logs")
@click.argument("task", type=TASK)
@click.option("-f", "--follow", is_flag=True, help="Go on until the agent ends.")
@click.option(
    "-n", "--lines", type=click.IntRange(min=0), default=200, show_default=True, help="Lines above the screen."
)
@common
def logs(session: Session, task: str, follow: bool, lines: int) -> Answer:
    """Show the terminal of TASK's latest attempt, with some lines above; its last one once the agent has ended.

    With --json and -f, the object comes when the agent has ended.
    """
    from omni_tui.fleet import Fleet
    from omni_tui.latest import find_handle

    fleet = Fleet(session.root())
    ref = find_task(read_fleet(fleet.paths.root).rows, task).ref
    handle = find_handle(fleet, ref)
    if handle is None:
        raise UsageError("it has started no agent yet", where=str(ref), fix="`omni-tui why` says what it waits for")
    shown = asyncio.run(_follow(fleet, handle, lines, quiet=session.json) if follow else _once(fleet, handle, lines))
    result = {"task": str(ref), "lines": [plain(line) for line in shown]}
    return Answer(result, "" if follow else "\n".join(result["lines"]))


async def _once(fleet: Fleet, handle: Handle, history: int) -> Sequence[str]:
    try:
        return trimmed((await fleet.runtime.screen(handle, history=history)).lines)
    finally:
        await fleet.runtime.close()


async def _follow(fleet: Fleet, handle: Handle, history: int, *, quiet: bool) -> Sequence[str]:
    """Print lines as they come to stand, until the agent ends; return the last look."""
    runtime = fleet.runtime
    ended = asyncio.ensure_future(runtime.wait(handle))
    printed: list[str] = []
    try:
        while True:
            over = ended.done()
            lines = [plain(line) for line in trimmed((await runtime.screen(handle, history=history)).lines)]
            if not quiet:
                sys.stdout.writelines(f"{line}\n" for line in lines[carried_over(printed, lines) :])
                sys.stdout.flush()
            printed = lines
            if over:
                return lines
            await asyncio.wait([ended], timeout=LOOK_SECONDS)
    finally:
        ended.cancel()
        await runtime.close()


def carried_over(before: Sequence[str], now: Sequence[str]) -> int:
    """Return how many lines at the start of `now` were at the end of `before`: those that are printed already."""
    for start in range(len(before)):
        length = len(before) - start
        if list(before[start:]) == list(now[:length]):
            return length
    return 0


def trimmed(lines: Sequence[str]) -> Sequence[str]:
    """Leave out the empty lines at the end of a screen."""
    last = max((number for number, line in enumerate(lines, start=1) if plain(line)), default=0)
    return lines[:last]
