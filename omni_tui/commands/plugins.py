"""`omni-tui plugins`: what is there for each slot, which of it is chosen, what is broken and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

import click
import msgspec

from omni_tui.commands.output import Answer
from omni_tui.commands.session import Session, common
from omni_tui.errors import ConfigError, FleetNotFoundError, PluginError
from omni_tui.plugins.registry import Listing, survey

if TYPE_CHECKING:
    from rich.table import Table

    from omni_tui.model.settings import Settings


AUTO = "auto"
"""What `kind` says where the machine decides."""


class PluginRow(msgspec.Struct, frozen=True, kw_only=True):
    """One plugin, and whether the fleet's settings choose it."""

    slot: str
    name: str
    chosen: bool
    auto: bool = False
    """Chosen by what is installed here, because the settings leave it to that."""
    source: str
    target: str
    fault: str


@click.command("plugins")
@common
def plugins(session: Session) -> Answer:
    """List the plugins: what is there, which is chosen (here, or by default), what is broken and why.

    A plugin is a class behind an entry point in the group omni_tui.SLOT of any installed package.
    """
    settings = _settings(session)
    chosen = {**chosen_in(settings), "source": _kinds(session)}
    auto = {"runtime"} if settings.runtime.kind == AUTO else set()
    listings = survey()
    rows = [_row(listing, chosen, auto) for listing in listings]
    missing = [
        PluginRow(slot=slot, name=name, chosen=True, source="", target="", fault="chosen, but not installed")
        for slot, names in chosen.items()
        for name in names
        if name not in {listing.name for listing in listings if listing.slot == slot}
    ]
    return Answer(rows + missing, _table(rows + missing))


def _settings(session: Session) -> Settings:
    from omni_tui.config import load_settings
    from omni_tui.model.settings import Settings

    try:
        return load_settings(session.root() / "config.toml")
    except FleetNotFoundError:
        if session.fleet is not None:
            raise
        return Settings()


def _kinds(session: Session) -> tuple[str, ...]:
    """Return the kinds of source that the fleet's workspaces name, as far as their settings can be read."""
    from omni_tui.config import load_workspace
    from omni_tui.store.paths import FleetPaths

    kinds: set[str] = set()
    with suppress(FleetNotFoundError):
        paths = FleetPaths(session.root())
        for name in paths.workspace_names():
            with suppress(ConfigError):  # `omni-tui doctor` tells
                kinds |= {str(table.get("kind")) for table in load_workspace(paths.workspace(name).toml).sources}
    return tuple(sorted(kinds))


def chosen_in(settings: Settings) -> Mapping[str, tuple[str, ...]]:
    """Return the plugins that the settings choose here, by slot; agents are chosen by each agent's own `harness`."""
    plugins = settings.plugins
    return {
        "tracker": (plugins.tracker,),
        "workspace": (plugins.workspace,),
        "scm": (plugins.scm,),
        "terminal": (plugins.terminal,),
        "reaction": plugins.reactions,
        "notifier": plugins.notifiers,
        "runtime": _runtime(settings.runtime.kind),
    }


def _runtime(kind: str) -> tuple[str, ...]:
    from omni_tui.fleet import find_runtime

    found = None if kind == AUTO else kind
    with suppress(PluginError):  # its own row says what is wrong with it
        found = found or find_runtime(AUTO)
    return (found,) if found else ()


def _row(listing: Listing, chosen: Mapping[str, tuple[str, ...]], auto: Collection[str]) -> PluginRow:
    is_chosen = listing.name in chosen.get(listing.slot, ())
    return PluginRow(chosen=is_chosen, auto=is_chosen and listing.slot in auto, **msgspec.structs.asdict(listing))


def _table(rows: list[PluginRow]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table("slot", "plugin", "chosen", "from", "state", box=None, pad_edge=False)
    for row in rows:
        state = Text(f"broken: {row.fault}", "red") if row.fault else Text("fine", "green")
        chosen = "yes, by auto" if row.auto else "yes" if row.chosen else ""
        table.add_row(row.slot, row.name, chosen, row.source, state)
    return table
