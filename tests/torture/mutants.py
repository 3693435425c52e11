"""Take out one guard at a time, and see whether the torture, or a test, notices: `make mutants`.

A guard whose loss nothing notices is either not needed or not tested; exit status 1. `NAME …` tries the guards whose
names begin so.
"""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import click
import pytest
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tests.torture.__main__ import PIPE_WIDTH
from tests.torture.guards import Guard, guards
from tests.torture.scratch import home
from tests.torture.workers import spread

PATIENCE = 900
"""Seconds that one guard may take."""
STALE_MOMENTS = 200
"""More than there are in a delivery; one in three is tried, for what one sees its neighbours see."""
CAUGHT, SURVIVED = 10, 11
"""Exit statuses of a process that tried one guard."""


CONTROL = "control: nothing is taken out"
"""A trial of every watcher with all guards in place: one that is red even then proves nothing."""


class Trial(NamedTuple):
    """What came of one guard: who noticed, and how fast."""

    guard: str
    caught_by: str
    seconds: float
    trouble: str = ""

    @property
    def ok(self) -> bool:
        """Whether it came out as it has to."""
        return not self.trouble and bool(self.caught_by) is (self.guard != CONTROL)

    @property
    def verdict(self) -> str:
        """Who noticed, in the table's words."""
        return self.trouble or self.caught_by or ("nobody, as it has to be" if self.guard == CONTROL else "SURVIVED")


def _by_crashstates() -> bool:
    from tests.torture.crashstates import lose_power

    return any(lose_power(seed, acts=30).bad for seed in range(6))


def _by_killpoints() -> bool:
    from tests.torture.killpoints import Job, kill_all

    jobs = (
        Job("repaired", 0, 6, 1000),
        Job("lands", 0, 3, 1000),
        Job("hopeless", 0, 3, 1000),
        Job("repaired", 1, 40, 20),
    )
    return any(line for job in jobs for line in kill_all(job))


def _by_hostile() -> bool:
    from tests.torture import hostile

    hostile.GOAL = 6000
    return not hostile.run(long=False).ok


def _by_races() -> bool:
    from tests.torture.races import Stops, stop_all

    return any(stop.bad for stop in stop_all(Stops(1, 1)))


def _by_stale() -> bool:
    from tests.torture.stale import take_over

    moments = ((name, moment) for name in ("lands", "hopeless") for moment in range(1, STALE_MOMENTS, 3))
    return any(take_over(name, moment).bad for name, moment in moments)


def _by_machine() -> bool:
    from tests.torture.machine import Walk, walk

    return bool(walk(Walk(1, 2000)).bad)


CAMPAIGNS: Mapping[str, Callable[[], bool]] = {
    "crashstates": _by_crashstates,
    "killpoints": _by_killpoints,
    "hostile": _by_hostile,
    "machine": _by_machine,
    "races": _by_races,
    "stale": _by_stale,
}
"""The campaigns, tiny: whether one turns red."""


def notices(watcher: str) -> bool:
    """Whether a campaign or a test turns red in this process; also where it cannot even be carried out."""
    if watcher in CAMPAIGNS:
        try:
            return CAMPAIGNS[watcher]()
        except Exception:  # noqa: BLE001 -- without its guard a program may fall over anywhere
            return True
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return pytest.main(["-x", "-n0", "-p", "no:cacheprovider", watcher]) == pytest.ExitCode.TESTS_FAILED


def play(guard: Guard) -> int:
    """Take out a guard in this process, and say on standard output who notices."""
    guard.take_out()
    for watcher in guard.watchers:
        if notices(watcher):
            sys.stdout.write(watcher)
            return CAUGHT
    return SURVIVED


def attempt(name: str, names: tuple[str, ...] = ()) -> Trial:
    """Try one guard, of those whose names begin with one of `names`, in a process of its own."""
    began = time.monotonic()
    command = [sys.executable, "-m", "tests.torture.mutants", "--play", name, "--", *names]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return Trial(name, "", time.monotonic() - began, "it took too long")
    trouble = "" if ran.returncode in (CAUGHT, SURVIVED) else ran.stderr[-500:]
    trial = Trial(name, ran.stdout if ran.returncode == CAUGHT else "", time.monotonic() - began, trouble)
    click.echo(f"{name}: {trial.verdict}, {trial.seconds:.0f} s", err=True)
    return trial


def _with_control(chosen: list[Guard]) -> list[Guard]:
    watchers = tuple(dict.fromkeys(watcher for guard in chosen for watcher in guard.watchers))
    return [Guard(CONTROL, lambda: None, watchers), *chosen]


@click.command()
@click.option("--play", "played", help="Try one guard in this process.")
@click.argument("names", nargs=-1)
def main(names: tuple[str, ...], played: str | None) -> None:
    """Try every guard, or those whose names begin with one of NAMES."""
    chosen = _with_control([guard for guard in guards() if not names or guard.name.startswith(names)])
    if played is not None:
        raise SystemExit(play(next(guard for guard in chosen if guard.name == played)))
    with home():
        trials = spread(partial(attempt, names=names), [guard.name for guard in chosen])
    table = Table("guard taken out", "caught by", "seconds")
    for trial in trials:
        table.add_row(escape(trial.guard), escape(trial.verdict), f"{trial.seconds:.0f}")
    Console(width=None if sys.stdout.isatty() else PIPE_WIDTH).print(table)
    if wrong := [trial for trial in trials if not trial.ok]:
        lines = [f"{trial.guard}: {trial.verdict}; python -m tests.torture.mutants {trial.guard!r}" for trial in wrong]
        raise SystemExit("\n".join(lines))


if __name__ == "__main__":
    main()
