"""What every command shares: the options `--json` and `--fleet`, and the fleet that they lead to."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import click

from omni_tui.errors import FleetNotFoundError

T = TypeVar("T")
P = ParamSpec("P")


@dataclass
class Session:
    """One call of the program: the options that may stand before or after the command's name."""

    json: bool = False
    fleet: Path | None = None
    """`--fleet`, as given."""
    command: str = ""
    """The command's words, such as `workspace add`, once they are known."""

    def root(self) -> Path:
        """Return the fleet's directory. Raises `FleetNotFoundError`."""
        return find_fleet(self.fleet, os.environ, Path.cwd())


def is_fleet(directory: Path) -> bool:
    """Whether a directory is a fleet's root."""
    return (directory / "config.toml").is_file() and (directory / "workspaces").is_dir()


def find_fleet(explicit: Path | None, variables: Mapping[str, str], start: Path) -> Path:
    """Return the fleet at `--fleet`, else at OMNI_FLEET, else at `start` or the nearest directory above it.

    Raises `FleetNotFoundError`. It is here, not in `omni_tui.fleet`, as half of the commands need nothing else of that.
    """
    named = explicit or (Path(variables["OMNI_FLEET"]) if variables.get("OMNI_FLEET") else None)
    start = start.resolve()
    for candidate in [named.resolve()] if named else [start, *start.parents]:
        if is_fleet(candidate):
            return candidate
    if named:
        origin = "--fleet" if explicit else "OMNI_FLEET"
        raise FleetNotFoundError(f"{named} is no fleet", where=origin, fix=f"make one: omni-tui init {named}")
    fix = "make one with `omni-tui init`, or name it with --fleet DIR"
    raise FleetNotFoundError("there is no fleet here or above", where=str(start), fix=fix)


def _set_json(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value:
        context.ensure_object(Session).json = True


def _set_fleet(context: click.Context, _parameter: click.Parameter, value: Path | None) -> None:
    if value is not None:
        context.ensure_object(Session).fleet = value


def common(function: Callable[Concatenate[Session, P], T]) -> Callable[P, T]:
    """Give a command `--fleet` and `--json`, and hand it the `Session` as its first argument."""

    @wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        context = click.get_current_context()
        session = context.ensure_object(Session)
        session.command = context.command_path.partition(" ")[2]
        return function(session, *args, **kwargs)

    with_fleet = click.option(
        "--fleet",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        expose_value=False,
        is_eager=True,
        callback=_set_fleet,
        help="The fleet; else OMNI_FLEET, else the directory here or above.",
    )
    with_json = click.option(
        "--json",
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=_set_json,
        help="Print one JSON object, for programs.",
    )
    return with_json(with_fleet(wrapped))
