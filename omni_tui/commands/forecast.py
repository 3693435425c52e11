"""`omni-tui forecast`: how far the backlog gets by a given hour, and what binds, from the fleet's own record."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING

import click

from omni_tui.commands.output import Answer, progress
from omni_tui.commands.params import DURATION, TIME_OF_DAY
from omni_tui.commands.session import Session, common
from omni_tui.commands.targets import open_reader
from omni_tui.errors import OmniError
from omni_tui.model.text import plural
from omni_tui.words import lasting as in_words
from omni_tui.words import local_offset, moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from omni_tui.simulation.forecast import Forecast, Stay

HOURS = 8.0
RECORD_SECONDS = 14 * 86400.0
"""How far back the record goes: what a fleet did long ago it did with other agents."""
BAR = 24


class NoRecordError(OmniError):
    """Nothing has been done here yet, so that nothing can be told of what comes."""

    code = "no_record"


@click.command("forecast")
@click.option("--until", type=TIME_OF_DAY, metavar="HH:MM", help="Look as far as that time of day.")
@click.option("--for", "for_seconds", type=DURATION, metavar="8h", help=f"Look so far; else {HOURS:g}h.")
@common
def forecast(session: Session, until: time | None, for_seconds: float | None) -> Answer:
    """Say how many tasks will have landed, hour by hour, and what keeps the others from starting.

    A hundred nights are played with what tasks have taken in this fleet in the last two weeks; a bad one of ten, the
    middle one and a good one of ten are told.
    """
    from omni_tui.fleet import Fleet
    from omni_tui.outlook import read_backlog, read_capacity
    from omni_tui.policy.stop import stop_at
    from omni_tui.simulation import forecast as simulated
    from omni_tui.store.journal import read_events

    root = session.root()
    reader = open_reader(root)
    view, fleet = reader.read(), Fleet(root)
    record = simulated.stays_in(list(read_events(reader.paths.journal, view.taken_at - RECORD_SECONDS)))
    if not record:
        fix = "ask again once a task has landed, or see `omni-tui simulate`"
        raise NoRecordError("no task has landed or been blocked here in two weeks", where=str(root), fix=fix)
    end = stop_at(view.taken_at, until, for_seconds, local_offset) or view.taken_at + HOURS * 3600
    with progress("playing a hundred nights"):
        backlog, capacity = read_backlog(fleet, view), read_capacity(fleet, view)
        told = simulated.forecast(backlog, capacity, record, seconds=end - view.taken_at)
    return Answer(told, "\n".join(lines_of(told, record)))


def lines_of(told: Forecast, record: Sequence[Stay]) -> list[str]:
    """Return the forecast as a person reads it."""
    lines = [_record(record), f"{plural(told.open, 'task')} of the backlog {'is' if told.open == 1 else 'are'} open"]
    if told.open:
        lines += ["", *(_hour(hour.at, hour.low, hour.middle, hour.high, told.open) for hour in told.hours), ""]
        lines.append(_end(told))
    if told.binds:
        shares = ", ".join(f"{kind.replace('_', ' ')} {share:.0%}" for kind, share in told.binds.items())
        lines.append(f"what binds while tasks wait: {shares}")
    return lines


def _record(record: Sequence[Stay]) -> str:
    from omni_tui.simulation.forecast import LEAST_STAYS

    middle = sorted(stay.seconds for stay in record)[len(record) // 2]
    landed = sum(stay.landed for stay in record)
    few = "; that is little to go by" if len(record) < LEAST_STAYS else ""
    return f"{plural(len(record), 'task')} done here lately: {landed} landed, half within {in_words(middle)}{few}"


def _end(told: Forecast) -> str:
    last = told.hours[-1]
    if told.drained_at is None:
        return f"at {moment(last.at)} about {told.open - last.middle} of {told.open} will not have landed"
    rest = told.open - last.middle
    waits = f"; about {rest} will not have landed, and wait for a person" if rest else ""
    return f"from {moment(told.drained_at)} on nothing is left that could start{waits}"


def _hour(at: float, low: int, middle: int, high: int, whole: int) -> str:
    """Return one hour's line: sure, likely and possible, as a bar and in numbers."""
    sure, likely, possible = (round(BAR * min(each, whole) / whole) for each in (low, middle, high))
    bar = "█" * sure + "▓" * (likely - sure) + "░" * (possible - likely) + "·" * (BAR - possible)
    return f"  {moment(at)}  {bar}  {middle} landed ({low} to {high})"
