"""`omni-tui flag list` and `set`: the feature flags of the projects, their state, and what waits for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from omni_tui.commands.output import Answer
from omni_tui.commands.session import Session, common
from omni_tui.commands.targets import WORKSPACE, find_workspace
from omni_tui.errors import OmniError, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from rich.console import RenderableType

    from omni_tui.model.flag import FlagRow
    from omni_tui.store.paths import FleetPaths, WorkspacePaths


class FlagsFileError(OmniError):
    """A workspace's `flags.toml` holds a mistake; the other workspaces' flags were listed."""

    code = "config"
    exit_status = 2


@click.group("flag")
def flag() -> None:
    """List the feature flags of the projects, or set one: tasks that require another state wait."""


@flag.command("list")
@click.option("--workspace", type=WORKSPACE, help="Only the flags of that workspace.")
@common
def list_flags(session: Session, workspace: str | None) -> Answer:
    """List the flags: state, who flips it, since when, which tasks it holds, which ship behind it."""
    from omni_tui.fleet import Fleet
    from omni_tui.linting import Linter

    root = session.root()
    if workspace is not None:
        find_workspace(root, workspace)
    linter = Linter(Fleet(root))
    names = [name for name in linter.flags if workspace in (None, name)]
    rows = [row for name in names for row in linter.flag_rows(name)]
    faults = {name: linter.flags[name].fault for name in names if linter.flags[name].fault}
    fix = "mend that; who dispatches goes on with the last good state, and nobody else knows one"
    fault = FlagsFileError("\n".join(faults.values()), fix=fix) if faults else None
    return Answer(rows, _shown(rows, faults), fault)


@flag.command("set")
@click.argument("name")
@click.argument("state")
@click.option("--by", default=None, metavar="WHO", help="Who flips it; told to those who wait for it.")
@click.option("--workspace", type=WORKSPACE, help="Whose flag; else the one that has it, or the only workspace.")
@common
def set_flag(session: Session, name: str, state: str, by: str | None, workspace: str | None) -> Answer:
    """Put the flag NAME into STATE: on, off, or a word of the project's own. A new one is made.

    It counts at once, also while a dispatcher runs.
    """
    from omni_tui import flags
    from omni_tui.engine.clock import SystemClock
    from omni_tui.store.paths import FleetPaths

    root = session.root()
    paths = find_workspace(root, workspace) if workspace is not None else _owner(FleetPaths(root), name)
    after = flags.set_flag(paths.flags, name, state, by, SystemClock().now())
    result = {"workspace": paths.name, "name": name, "state": after.state, "by": after.by, "since": _iso(after.since)}
    who = f"; {after.by} flips it" if after.by else ""
    return Answer(result, f"{paths.name}: {name} is {after.state}{who}")


def _owner(fleet: FleetPaths, name: str) -> WorkspacePaths:
    """Return the one workspace that a flag is in, or could be. Raises `UsageError` where there are several."""
    from omni_tui.config import load_flags

    names = fleet.workspace_names()
    having = [each for each in names if name in load_flags(fleet.workspace(each).flags)] if len(names) > 1 else names
    if len(having) == 1:
        return fleet.workspace(having[0])
    there = ", ".join(having or names) or "none yet"
    raise UsageError(f"which workspace's flag is `{name}`?", fix=f"add --workspace; there is: {there}")


def _iso(since: datetime | None) -> str:
    return since.isoformat() if since is not None else ""


def _shown(rows: list[FlagRow], unread: Collection[str]) -> RenderableType:
    from datetime import datetime

    from rich.table import Table
    from rich.text import Text

    if not rows:
        return "no flags: `omni-tui flag set NAME STATE` makes one"
    table = Table("workspace", "flag", "state", "by", "since", "holds", "ships", box=None, pad_edge=False)
    styles = {"on": "green", "off": "yellow", "": "red"}
    for row in rows:
        since = f"{datetime.fromisoformat(row.since).astimezone():%d %b %H:%M}" if row.since else ""
        unknown = "unknown" if row.workspace in unread else "not there"
        state = Text(row.state or unknown, styles.get(row.state, ""))
        holds, ships = (", ".join(ref.id for ref in refs) for refs in (row.holds, row.ships))
        table.add_row(row.workspace, row.name, state, Text(row.by), since, holds, ships)
    return table
