"""`omni-tui report`: the night in words, from the journal and the folders."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click
import msgspec

from omni_tui.commands.output import Answer
from omni_tui.commands.params import DURATION
from omni_tui.commands.session import Session, common
from omni_tui.commands.targets import open_reader
from omni_tui.commands.words import lasting, moment
from omni_tui.model.text import plural

if TYPE_CHECKING:
    from omni_tui.commands.night import BlockedTask, LandedTask, Night
    from omni_tui.model.task import TaskRef
    from omni_tui.store.paths import FleetPaths


@click.command("report")
@click.option("--since", type=DURATION, default="24h", show_default=True, metavar="12h", help="How far back.")
@common
def report(session: Session, since: float) -> Answer:
    """Tell what landed, what is blocked and how to look around, and what went wrong on the way."""
    from omni_tui.commands.night import attempts_in, look_back
    from omni_tui.store.journal import read_events

    reader = open_reader(session.root())
    view = reader.read()
    start = view.taken_at - since
    events = list(read_events(reader.paths.journal, start))
    tokens, usd = _spent(reader.paths, attempts_in(events))
    night = look_back(events, view.rows, since=start, until=view.taken_at)
    night = msgspec.structs.replace(night, tokens=tokens, usd=usd)
    frozen = ["", "The fleet is frozen, so nothing starts: omni-tui thaw"] if view.frozen else []
    return Answer(night, "\n".join([*lines_of(night), *frozen]))


def _spent(paths: FleetPaths, attempts: Iterable[tuple[TaskRef, int]]) -> tuple[int, float]:
    """Return the tokens and the US dollars that attempts have used, as their status files tell."""
    from omni_tui.model.attempt import AttemptId
    from omni_tui.store.runs import Run

    ids = [AttemptId(ref, number) for ref, number in attempts]
    found = [Run(paths.workspace(each.task.workspace).run(each), each).read_status() for each in ids]
    return sum(status.tokens for status in found if status), sum(status.usd for status in found if status)


def lines_of(night: Night) -> list[str]:
    """Return the report as a person reads it, most important first."""
    lines = [f"{moment(night.since)} to {moment(night.until)}: {_totals(night)}"]
    for landed in night.landed:
        lines += _landed(landed)
    for blocked in night.blocked:
        lines += _blocked(blocked)
    if night.failures:
        kinds = ", ".join(f"{kind} {count}" for kind, count in night.failures.items())
        lines += ["", f"Attempts that failed on the way: {kinds}"]
    if night.troubles:
        lines += ["", "Worth knowing:", *(f"  {trouble}" for trouble in night.troubles)]
    return lines


def _totals(night: Night) -> str:
    parts = [f"{len(night.landed)} landed", f"{len(night.blocked)} blocked"]
    parts += [f"{night.running} running"] if night.running else []
    parts += [f"{night.waiting} waiting"] if night.waiting else []
    parts.append(plural(night.attempts, "attempt"))
    parts += [f"{night.tokens:,} tokens"] if night.tokens else []
    parts += [f"{night.usd:.2f} USD"] if night.usd else []
    return ", ".join(parts)


def _landed(task: LandedTask) -> list[str]:
    by = f" by {task.agent}" if task.agent else ""
    took = f", in {lasting(task.seconds)}" if task.seconds else ""
    return [
        "",
        f"LANDED   {task.task}  {task.title}",
        f"         {task.commit[:12]} on {task.release}{by}, attempt {task.attempt}{took}, {moment(task.at)}",
        *(f"         flagged: {flag}" for flag in task.flags),
    ]


def _blocked(task: BlockedTask) -> list[str]:
    reason = task.reason.strip().splitlines() or ["no reason was given"]
    look = ("show", "diff", "logs") if task.attempts else ("show",)
    return [
        "",
        f"BLOCKED  {task.task}  {task.title}",
        *(f"         {line}" for line in reason),
        f"         look: {' · '.join(f'omni-tui {command} {task.task}' for command in look)}",
        f"         then: omni-tui redispatch {task.task}",
    ]
