"""`omni-tui plugins`: what is there for each slot, which of it is chosen, what is broken and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click
import msgspec

from omni_tui.commands.output import Answer
from omni_tui.commands.session import Session, common
from omni_tui.errors import FleetNotFoundError
from omni_tui.plugins.registry import Listing, survey

if TYPE_CHECKING:
    from rich.table import Table

    from omni_tui.model.settings import Settings


class PluginRow(msgspec.Struct, frozen=True, kw_only=True):
    """One plugin, and whether the fleet's settings choose it."""

    slot: str
    name: str
    chosen: bool
    source: str
    target: str
    fault: str


@click.command("plugins")
@common
def plugins(session: Session) -> Answer:
    """List the plugins: what is there, which is chosen (here, or by default), what is broken and why.

    A plugin is a class behind an entry point in the group omni_tui.SLOT of any installed package.
    """
    chosen = chosen_in(_settings(session))
    listings = survey()
    rows = [_row(listing, chosen) for listing in listings]
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


def chosen_in(settings: Settings) -> Mapping[str, tuple[str, ...]]:
    """Return the plugins that the settings name, by slot; agents are chosen by each agent's own `harness`."""
    plugins, runtime = settings.plugins, settings.runtime.kind
    return {
        "tracker": (plugins.tracker,),
        "workspace": (plugins.workspace,),
        "scm": (plugins.scm,),
        "terminal": (plugins.terminal,),
        "reaction": plugins.reactions,
        "notifier": plugins.notifiers,
        "runtime": () if runtime == "auto" else (runtime,),
    }


def _row(listing: Listing, chosen: Mapping[str, tuple[str, ...]]) -> PluginRow:
    return PluginRow(chosen=listing.name in chosen.get(listing.slot, ()), **msgspec.structs.asdict(listing))


def _table(rows: list[PluginRow]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table("slot", "plugin", "chosen", "from", "state", box=None, pad_edge=False)
    for row in rows:
        state = Text(f"broken: {row.fault}", "red") if row.fault else Text("fine", "green")
        table.add_row(row.slot, row.name, "yes" if row.chosen else "", row.source, state)
    return table
