"""Run campaigns and print their table; exit status 1 when one is bad or tried too little."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterable, Mapping

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tests.torture.figure import Figure
from tests.torture.scratch import home

CAMPAIGNS = (
    "killpoints",
    "crashstates",
    "powerloss",
    "diskfaults",
    "hostile",
    "nights",
    "machine",
    "stale",
    "races",
    "realkill",
)
"""Modules of this package with a `run(long) -> Figure`."""
PIPE_WIDTH = 160
"""Columns where the output is no terminal."""
SHOWN = 20
"""So many of the things that went wrong are printed of each campaign."""


def run(name: str, *, long: bool) -> Figure:
    """Run one campaign, and say how far it came."""
    click.echo(f"{name} …", err=True)
    before = os.times()
    figure: Figure = importlib.import_module(f"tests.torture.{name}").run(long)
    figure = msgspec.structs.replace(figure, cpu_seconds=sum(os.times()[:4]) - sum(before[:4]))
    spent = f"{figure.seconds:.0f} s, {figure.cpu_seconds:.0f} s of CPU"
    click.echo(f"{name}: {verdict(figure)}, {figure.done:,} of {figure.goal:,}, {spent}", err=True)
    return figure


def verdict(figure: Figure) -> str:
    """Return what a figure says, in a word or two."""
    return "ok" if figure.ok else "BAD" if figure.bad else "TOO FEW"


def as_table(figures: Iterable[Figure]) -> Table:
    """Lay the figures out for a person."""
    table = Table("what", "done", "goal", "bad", "seconds", "CPU", "", "")
    for figure in figures:
        numbers = (f"{figure.done:,}", f"{figure.goal:,}", f"{len(figure.bad):,}")
        spent = (f"{figure.seconds:.0f}", f"{figure.cpu_seconds:.0f}")
        table.add_row(escape(figure.what), *numbers, *spent, verdict(figure), escape(figure.note))
    return table


def troubles(figures: Mapping[str, Figure]) -> str:
    """Return what went wrong, by campaign: each with the command that plays it again."""
    lines = []
    for name, figure in figures.items():
        lines += [f"{name}: {trouble}" for trouble in figure.bad[:SHOWN]]
        if len(figure.bad) > SHOWN:
            lines.append(f"{name}: and {len(figure.bad) - SHOWN} more")
        if not figure.ok:
            lines.append(f"{name}: {verdict(figure)}; all of it again: python -m tests.torture {name}")
    return "\n".join(lines)


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(CAMPAIGNS))
def main(names: tuple[str, ...]) -> None:
    """Run the campaigns NAMES, or all; the variable TORTURE=long makes them long."""
    with home():
        figures = {name: run(name, long=os.environ.get("TORTURE") == "long") for name in names or CAMPAIGNS}
    Console(width=None if sys.stdout.isatty() else PIPE_WIDTH).print(as_table(figures.values()))
    if wrong := troubles(figures):
        raise SystemExit(wrong)


if __name__ == "__main__":
    main()
