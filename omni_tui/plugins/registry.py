"""Which plugins there are, and how one is loaded: by its entry point in the group `omni_tui.<slot>`, when it is used.

A plugin is made by anybody and may fail in any way while it is imported, so what is wrong with it is a value here
(`Listing.fault`), and an error that names it only where that very plugin is wanted.
"""

from __future__ import annotations

import difflib
import importlib
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import msgspec

from omni_tui.errors import PluginError

SLOTS = ("tracker", "workspace", "runtime", "agent", "terminal", "scm", "reaction", "notifier", "source")
"""The slots, each with its Protocol in `omni_tui.plugins.<slot>.protocol`."""


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """One plugin as `omni-tui plugins` shows it."""

    slot: str
    name: str
    source: str
    """The distribution that brings it, with its version."""
    target: str
    """`module:Class`."""
    fault: str = ""
    """Why it cannot be used; empty: it can."""


def names(slot: str) -> list[str]:
    """Return the names of a slot's plugins, sorted; none of them is loaded."""
    return sorted(_entries(slot))


def load(slot: str, name: str) -> Any:  # noqa: ANN401 - the class fits the slot's Protocol, which only the caller knows
    """Return the class of one plugin. Raises `PluginError` naming it, what is wrong and what is there instead."""
    entries = _entries(slot)
    there = ", ".join(entries) or "nothing: is omni-tui installed (`pip install .`)?"
    if name not in entries:
        near = difflib.get_close_matches(name, entries, n=1)
        hint = f"did you mean `{near[0]}`? " if near else ""
        raise PluginError(
            f"there is no {slot} plugin `{name}`", where=f"omni_tui.{slot}", fix=f"{hint}there is {there}"
        )
    loaded, fault = _load(slot, name)
    if fault:
        raise PluginError(
            f"the {slot} plugin `{name}` is broken: {fault}",
            where=f"{_source(entries[name])}, {entries[name].value}",
            fix=f"mend or uninstall it, or choose another; there is {there}",
        )
    return loaded


def survey() -> list[Listing]:
    """Return every plugin of every slot, each loaded once to see whether it works."""
    return [
        Listing(slot=slot, name=name, source=_source(entry), target=entry.value, fault=_load(slot, name)[1])
        for slot in SLOTS
        for name, entry in _entries(slot).items()
    ]


@cache
def _entries(slot: str) -> dict[str, EntryPoint]:
    if slot not in SLOTS:
        raise PluginError(f"there is no slot `{slot}`", fix=f"the slots are {', '.join(SLOTS)}")
    found = sorted(entry_points(group=f"omni_tui.{slot}"), key=lambda entry: (entry.name, _is_foreign(entry)))
    entries: dict[str, EntryPoint] = {}
    for entry in found:
        entries.setdefault(entry.name, entry)  # nobody can take a built-in's name
    return entries


def _is_foreign(entry: EntryPoint) -> bool:
    return entry.dist is None or entry.dist.name != "omni-tui"


def _source(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist is not None else "unknown"


@cache
def _load(slot: str, name: str) -> tuple[Any, str]:
    """Return the class and an empty text, or None and what is wrong."""
    try:
        loaded = _entries(slot)[name].load()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - somebody else's module raises what it likes
        return None, f"{type(error).__name__}: {error}"
    fault = _misfit(slot, name, loaded)
    return (None, fault) if fault else (loaded, "")


def _misfit(slot: str, name: str, loaded: object) -> str:
    """Say how `loaded` does not fit its slot's Protocol; empty: it does, as far as names go."""
    if not isinstance(loaded, type):
        return f"it is not a class but {loaded!r}"
    missing = [member for member in protocol_members(slot) if not hasattr(loaded, member)]
    if missing:
        return f"it lacks {', '.join(missing)}, which the slot's Protocol asks for"
    own = getattr(loaded, "name", None)
    return "" if own == name else f"it calls itself `{own}`"


def protocol_members(slot: str) -> list[str]:
    """Return the public names that a slot's Protocol asks for, sorted."""
    module = importlib.import_module(f"omni_tui.plugins.{slot}.protocol")
    protocol = vars(module)[slot.capitalize()]
    return sorted(name for name in {*vars(protocol), *protocol.__annotations__} if not name.startswith("_"))
