"""`omni-tui report`: the night in words, from the journal and the folders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from omni_tui.commands.output import Answer
from omni_tui.commands.params import DURATION
from omni_tui.commands.session import Session, common
from omni_tui.commands.targets import open_reader
from omni_tui.policy.night import needs_thaw, totals
from omni_tui.words import lasting, moment, parked_for, taken

if TYPE_CHECKING:
    from omni_tui.policy.night import BlockedTask, LandedTask, Night


@click.command("report")
@click.option("--since", type=DURATION, default="24h", show_default=True, metavar="12h", help="How far back.")
@common
def report(session: Session, since: float) -> Answer:
    """Tell what landed, what is blocked and how to look around, and what went wrong on the way."""
    from omni_tui.lookback import read_night

    reader = open_reader(session.root())
    night = read_night(reader, reader.read(), since)
    return Answer(night, "\n".join(lines_of(night)))


def lines_of(night: Night) -> list[str]:
    """Return the report as a person reads it, most important first."""
    lines = [f"{moment(night.since)} to {moment(night.until)}: {totals(night)}", *_holding(night)]
    for landed in night.landed:
        lines += _landed(landed)
    for blocked in night.blocked:
        lines += _blocked(blocked)
    if night.failures:
        kinds = ", ".join(f"{kind} {count}" for kind, count in night.failures.items())
        lines += ["", f"Attempts that failed on the way: {kinds}"]
    if night.heaviest:
        lines += ["", "Took the most of the machine:"]
        lines += [f"  {each.attempt} by {each.agent}: {taken(each.footprint)}" for each in night.heaviest]
    if night.troubles:
        lines += ["", "Worth knowing:", *(f"  {trouble}" for trouble in night.troubles)]
    return lines


def _holding(night: Night) -> list[str]:
    """Say what holds the whole fleet, or a part of it, and what ends that."""
    lines = [f"STOPPED  {night.stopped}"] if night.stopped else []
    lines += [f"HELD     {night.short}"] if night.short else []
    lines += [f"HELD     {parked_for(name, parked, night.until)}" for name, parked in sorted(night.parked.items())]
    lines += [f"HELD     {pause}" for pause in night.pauses]
    lines += ["FROZEN   a person froze the fleet, so nothing starts"] if night.frozen else []
    lines += ["         then: omni-tui thaw"] if needs_thaw(night) else []
    return ["", *lines] if lines else []


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
