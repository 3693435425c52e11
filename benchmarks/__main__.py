"""Run benchmarks and print their table; exit status 1 when a goal is missed."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import tempfile
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks.measure import Result

SUBJECTS = ("dispatch", "claim", "exits", "idle", "waves", "plan")
"""Modules of this package with a `run(directory) -> list[Result]`; `dispatch` goes first, see there."""
PIPE_WIDTH = 160
"""Columns where the output is no terminal."""
BENCH_DIR = Path(__file__).parents[1] / "build" / "bench"
"""On the repository's disk, since a RAM disk would hide what fsync costs; the variable BENCH_DIR names another."""


def measure(name: str) -> list[Result]:
    """Run one subject in a directory of its own, which is removed again."""
    parent = Path(os.environ.get("BENCH_DIR", BENCH_DIR))
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent, prefix=f"{name}-") as directory:
        results: list[Result] = importlib.import_module(f"benchmarks.{name}").run(Path(directory))
    return results


def as_table(results: list[Result]) -> Table:
    """Lay the results out for a person."""
    table = Table("what", "floor", "ours", "ratio", "goal", "samples", "")
    for result in results:
        floor, ours = f"{result.floor:.3g} {result.unit}", f"{result.ours:.3g} {result.unit}"
        ratio = f"{result.ratio:.2f}" if result.floor else "-"
        table.add_row(
            result.name, floor, ours, ratio, result.goal, str(result.samples), "ok" if result.ok else "MISSED"
        )
    return table


def as_object(result: Result) -> dict[str, object]:
    """Return a result for `--json`."""
    ratio = result.ratio if result.floor else None
    return {**msgspec.to_builtins(result), "ratio": ratio, "goal": result.goal, "ok": result.ok}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON array in place of the table.")
@click.argument("names", nargs=-1, type=click.Choice(SUBJECTS))
def main(names: tuple[str, ...], *, as_json: bool) -> None:
    """Measure the subjects NAMES, or all, against the goals."""
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))  # or nothing is cleaned up
    console = Console(stderr=True)
    results: list[Result] = []
    for name in names or SUBJECTS:
        with console.status(f"measuring {name}"):
            results += measure(name)
    if as_json:
        click.echo(msgspec.json.encode([as_object(result) for result in results]).decode())
    else:
        Console(width=None if sys.stdout.isatty() else PIPE_WIDTH).print(as_table(results))
    if not all(result.ok for result in results):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
