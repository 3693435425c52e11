"""`omni-tui config`: the settings in force, and where each comes from."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from omni_tui.commands.output import Answer
from omni_tui.commands.session import Session, common

if TYPE_CHECKING:
    from rich.table import Table


class SettingRow(msgspec.Struct, frozen=True, kw_only=True):
    """One key: what is in force, what the default is, and what it may be."""

    key: str
    value: Any
    default: Any
    origin: str
    """`config.toml` or `default`."""
    expected: str
    description: str


@click.command("config")
@click.option("--defaults", is_flag=True, help="Print the shipped config.toml: every key, explained. Needs no fleet.")
@common
def config(session: Session, defaults: bool) -> Answer:
    """Show every setting of the fleet: its value, and whether the file or the default says so."""
    if defaults:
        from omni_tui.config_text import render_defaults

        text = render_defaults()
        return Answer({"text": text}, text)
    rows = _rows(session.root() / "config.toml")
    return Answer(rows, _table(rows))


def _rows(path: Path) -> list[SettingRow]:
    from omni_tui.config import keys_of, load_settings
    from omni_tui.model.settings import Settings

    settings, defaults = load_settings(path), Settings()
    written = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return [
        SettingRow(
            key=f"{table.name}.{key.name}",
            value=getattr(getattr(settings, table.name), key.name),
            default=getattr(getattr(defaults, table.name), key.name),
            origin=path.name if key.name in written.get(table.name, {}) else "default",
            expected=key.expected,
            description=key.meta.description or "",
        )
        for table in keys_of(Settings).values()
        if table.table is not None
        for key in keys_of(table.table).values()
    ]


def _table(rows: list[SettingRow]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table("key", "value", "from", "meaning", box=None, pad_edge=False)
    for row in rows:
        value = msgspec.json.encode(row.value).decode()
        style = "bold" if row.origin != "default" else ""
        table.add_row(row.key, Text(value, style), row.origin, Text(row.description, "dim"))
    return table
