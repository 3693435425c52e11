"""`omni-tui init`: make a fleet."""

from __future__ import annotations

from pathlib import Path

import click

from omni_tui.commands.output import Answer
from omni_tui.commands.session import Session, common, is_fleet
from omni_tui.errors import UsageError


@click.command("init")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), default=".")
@common
def init(session: Session, directory: Path) -> Answer:  # noqa: ARG001 - every command gets the session
    """Make a fleet in DIRECTORY (here, if none is named). What is there already stays as it is."""
    from omni_tui.resources import shipped_config
    from omni_tui.store.layout import create_fleet
    from omni_tui.store.paths import FleetPaths

    root = directory.resolve()
    around = next((above for above in root.parents if is_fleet(above)), None)
    if around is not None:
        raise UsageError(f"{root} is inside the fleet {around}", fix="name a directory outside of it")
    made = not FleetPaths(root).workspaces.is_dir()
    if made and root.exists() and any(root.iterdir()):
        raise UsageError(f"{root} is not empty", fix="name a new directory: omni-tui init DIR")
    create_fleet(root, shipped_config().read_text(encoding="utf-8"))
    words = f"made a fleet in {root}" if made else f"{root} is a fleet already; what was there stays as it was"
    return Answer(
        {"root": root, "made": made}, f"{words}\nnext: omni-tui --fleet {root} workspace add NAME --repo PATH_OR_URL"
    )
