"""Run campaigns and print their table; exit status 1 when one is bad or tried too little."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Iterable

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tests.torture.figure import Figure

CAMPAIGNS = (
    "killpoints",
    "crashstates",
    "powerloss",
    "diskfaults",
    "hostile",
    "nights",
    "machine",
    "races",
    "realkill",
)
"""Modules of this package with a `run(long) -> Figure`."""
PIPE_WIDTH = 160
"""Columns where the output is no terminal."""
SHOWN = 20
"""So many of the things that went wrong are printed of each campaign."""


def run(name: str, *, long: bool) -> Figure:
    """Run one campaign."""
    figure: Figure = importlib.import_module(f"tests.torture.{name}").run(long)
    return figure


def as_table(figures: Iterable[Figure]) -> Table:
    """Lay the figures out for a person."""
    table = Table("what", "done", "goal", "bad", "seconds", "", "")
    for figure in figures:
        verdict = "ok" if figure.ok else "BAD" if figure.bad else "TOO FEW"
        numbers = (f"{figure.done:,}", f"{figure.goal:,}", f"{len(figure.bad):,}", f"{figure.seconds:.0f}")
        table.add_row(escape(figure.what), *numbers, verdict, escape(figure.note))
    return table


def troubles(figures: Iterable[Figure]) -> str:
    """Return what went wrong, a line each, by campaign."""
    lines = []
    for figure in figures:
        lines += [f"{figure.what}: {trouble}" for trouble in figure.bad[:SHOWN]]
        if len(figure.bad) > SHOWN:
            lines.append(f"{figure.what}: and {len(figure.bad) - SHOWN} more")
    return "\n".join(lines)


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(CAMPAIGNS))
def main(names: tuple[str, ...]) -> None:
    """Run the campaigns NAMES, or all; the variable TORTURE=long makes them long."""
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))  # or nothing is cleaned up
    figures = []
    for name in names or CAMPAIGNS:
        click.echo(f"{name} …", err=True)
        figures.append(run(name, long=os.environ.get("TORTURE") == "long"))
    Console(width=None if sys.stdout.isatty() else PIPE_WIDTH).print(as_table(figures))
    if not all(figure.ok for figure in figures):
        raise SystemExit(troubles(figures) or "too little was tried")


if __name__ == "__main__":
    main()
