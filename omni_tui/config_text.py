"""Writing configuration files: the shipped `config.toml`, and the first files of a workspace and of an agent.

Every key that nobody has set stands there as a comment with its default, so that a file that merely repeats an old
default does not hold back a later version's better one.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, get_origin

import msgspec
import tomli_w
from msgspec import Struct

from omni_tui.config import keys_of
from omni_tui.model.project_settings import AgentSettings, WorkspaceSettings
from omni_tui.model.settings import Settings

WIDTH = 120

_FLEET_HEAD = """\
omni-tui: the settings of one fleet. Policy only: workspaces, agents and providers are the directories beside this file.
Every key is optional and stands here with its default, commented out: take the `#` away to set it. What the file says
is taken over while omni-tui runs; a mistake is named with its line, and the last good settings stay in force meanwhile.
`omni-tui config` shows what is in force.
"""
_WORKSPACE_HEAD = "One workspace: where its repository is and how its changes are checked. Every key is optional.\n"
_AGENT_HEAD = "One agent: the program that does the work, and its limits. Every key is optional.\n"


def render_defaults() -> str:
    """Return the shipped `config.toml`: every key with its meaning, type, range and default."""
    parts = [_comment(_FLEET_HEAD)]
    defaults = Settings()
    for key in keys_of(Settings).values():
        settings = getattr(defaults, key.name)
        parts.append(f"{_comment(type(settings).__doc__ or '')}[{key.name}]\n{_body(type(settings), {})}")
    return "\n".join(parts)


def render_workspace(given: Mapping[str, Any]) -> str:
    """Return a `workspace.toml` that sets the `given` keys and explains the others."""
    return f"{_comment(_WORKSPACE_HEAD)}\n{_body(WorkspaceSettings, given)}"


def render_agent(given: Mapping[str, Any]) -> str:
    """Return an `agent.toml` that sets the `given` keys and explains the others."""
    return f"{_comment(_AGENT_HEAD)}\n{_body(AgentSettings, given)}"


def _body(settings: type[Struct], given: Mapping[str, Any]) -> str:
    return "".join(_entries(settings, given))


def _entries(settings: type[Struct], given: Mapping[str, Any]) -> Iterator[str]:
    defaults = settings()
    tables_last = sorted(
        keys_of(settings).values(), key=lambda key: (key.table is not None, get_origin(key.kind) is dict)
    )
    for key in tables_last:
        if key.table is not None:
            yield f"\n{_comment(key.meta.description or '')}{_table(key.name, key.table, given.get(key.name, {}))}"
            continue
        is_set = key.name in given
        value = given[key.name] if is_set else getattr(defaults, key.name)
        line = _assignment(key.name, msgspec.to_builtins(value))
        yield _comment(f"{key.meta.description} ({key.expected})") + (line if is_set else _commented_out(line))


def _table(name: str, settings: type[Struct], given: Mapping[str, Any]) -> str:
    """Return a table; its name is a comment too where nothing in it is set, or what is added below would be in it."""
    return f"{'' if given else '#'}[{name}]\n{_body(settings, given)}"


def _assignment(name: str, value: object) -> str:
    """Return `name = value` as TOML; a list on one line where it fits."""
    toml = tomli_w.dumps({name: value})
    if not isinstance(value, list | tuple) or len(toml) > WIDTH:
        return toml
    items = ", ".join(tomli_w.dumps({"": item}).removeprefix('"" = ').strip() for item in value)
    return f"{name} = [{items}]\n"


def _comment(text: str) -> str:
    lines = textwrap.wrap(" ".join(text.split()), WIDTH - 2)
    return "".join(f"# {line}\n" for line in lines)


def _commented_out(toml: str) -> str:
    return "".join(f"#{line}\n" for line in toml.splitlines())
