"""`omni-tui provider list`, `show` and `check`: who serves models, how each stands, and whether it serves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import msgspec

from omni_tui.commands.output import Answer
from omni_tui.commands.session import Session, common
from omni_tui.commands.targets import find_provider
from omni_tui.words import moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table

    from omni_tui.model.provider import Provider, Standing

STYLES = {"closed": "green", "half-open": "yellow", "open": "bold red"}


@click.group("provider")
def provider() -> None:
    """Who serves models: a file `providers/NAME.toml` of the fleet is a provider."""


@provider.command("list")
@common
def list_providers(session: Session) -> Answer:
    """List the providers, and how each stands.

    Whether it serves, how many at once, why it does not, and what it has cost tonight.
    """
    standings, _ = _look(session)
    rows = [msgspec.to_builtins(standing) for standing in standings.values()]
    nobody = "no providers yet: each harness stands for its own. A file providers/NAME.toml makes one"
    return Answer(rows, _table(standings) if rows else nobody)


@provider.command("show")
@click.argument("name")
@common
def show(session: Session, name: str) -> Answer:
    """Tell all about the provider NAME: its file, and how it stands."""
    standings, providers = _look(session)
    standing = standings[find_provider(name, standings)]
    found = providers.get(name)
    data: dict[str, Any] = {"standing": standing, "settings": found}
    lines = [f"{title:<10}{text}" for title, text in _told(standing) if text]
    if found is not None:
        keys = {key: value for key, value in msgspec.to_builtins(found).items() if key != "name"}
        lines += ["", *(f"{key} = {msgspec.json.encode(value).decode()}" for key, value in _flat(keys))]
    return Answer(data, "\n".join(lines))


@provider.command("check")
@click.argument("name")
@common
def check(session: Session, name: str) -> Answer:
    """Try the provider NAME now: a tiny task in a throw-away checkout. Exit status 1 if it does not serve."""
    from omni_tui.commands.requests import file
    from omni_tui.fleet import Fleet
    from omni_tui.model.request import Request, RequestKind
    from omni_tui.outlook import read_providers

    find_provider(name, read_providers(Fleet(session.root())))
    return file(session, Request(id="", kind=RequestKind.CHECK, provider=name))


def _look(session: Session) -> tuple[Mapping[str, Standing], Mapping[str, Provider]]:
    """Return how the providers stand by the files alone, and those that have a file."""
    from omni_tui.commands.targets import read_fleet
    from omni_tui.fleet import Fleet
    from omni_tui.outlook import read_standings

    fleet = Fleet(session.root())
    return read_standings(fleet, read_fleet(fleet.paths.root)), fleet.suppliers.now()


def _slots(standing: Standing) -> str:
    now = f"{standing.used} of {standing.slots}" if standing.slots else str(standing.used)
    return now + (f", set to {standing.of}" if standing.slots < standing.of else "")


def _why(standing: Standing) -> str:
    """Say why it does not serve, or less than it could."""
    if standing.reason or standing.spent:
        return standing.reason or standing.spent
    if standing.slots < standing.of:
        return f"the gate rejected {standing.rejected:.0%} of its last {standing.judged} changes"
    return standing.trial


def _told(standing: Standing) -> list[tuple[str, str]]:
    until = moment(standing.until) if standing.until is not None else ""
    judged = f"{standing.rejected:.0%} of the last {standing.judged} changes" if standing.judged else ""
    return [
        ("provider", standing.name),
        ("breaker", standing.state),
        ("serves", _slots(standing)),
        ("why", _why(standing)),
        ("until", until),
        ("rejected", judged),
        ("spent", f"{_spent(standing)} tonight"),
    ]


def _spent(standing: Standing) -> str:
    share = f", {standing.share:.0%} of its budget" if standing.share else ""
    return f"{standing.usd:.2f} USD, {standing.tokens:,} tokens{share}"


def _flat(table: Mapping[str, Any], prefix: str = "") -> list[tuple[str, object]]:
    rows: list[tuple[str, object]] = []
    for key, value in table.items():
        rows += _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else [(prefix + key, value)]
    return rows


def _table(standings: Mapping[str, Standing]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table("provider", "breaker", "serves", "why", "until", "spent tonight", box=None, pad_edge=False)
    for each in standings.values():
        until = moment(each.until) if each.until is not None else ""
        spent = _spent(each)
        state = Text(each.state, STYLES[each.state])
        table.add_row(each.name, state, _slots(each), Text(_why(each)), until, spent)
    return table
