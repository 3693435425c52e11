"""Reading configuration files: every mistake is named with its key, file, line and what would be right.

The keys, their meaning, defaults and ranges are in `omni_tui.model.settings`; nothing here knows one of them.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import Enum
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

from omni_tui.errors import ConfigError
from omni_tui.model.attempt import AgentSpec
from omni_tui.model.flag import FLAG_NAME, Flag
from omni_tui.model.frozen import FrozenPlan
from omni_tui.model.project_settings import AgentSettings, WorkspaceSettings
from omni_tui.model.provider import Provider, ProviderSettings
from omni_tui.model.settings import Settings
from omni_tui.model.task import is_valid_id
from omni_tui.model.text import clean
from omni_tui.model.variable import VARIABLE, VARIABLES

S = TypeVar("S", bound=Struct)
KeyPath = tuple[str, ...]

AGENT_FILE = "agent.toml"
INSTRUCTIONS_FILE = "INSTRUCTIONS.md"


class Problem(Struct, frozen=True, order=True):
    """One mistake in a file: the line it is on (from 1; 0: unknown), and what is wrong."""

    line: int
    text: str


class Key(Struct, frozen=True):
    """What the settings say of one key: its type, its meaning and its range."""

    name: str
    kind: Any
    """The type without its `Annotated`."""
    annotated: Any
    meta: Meta

    @property
    def table(self) -> type[Struct] | None:
        """The settings of the table that the key names; None: it is a plain value."""
        return self.kind if isinstance(self.kind, type) and issubclass(self.kind, Struct) else None

    @property
    def expected(self) -> str:
        """What a value must be, in words: `a whole number, 1 to 64`."""
        return describe(self.kind, self.meta)

    def shown(self, value: object) -> str:
        """Return a wrong value as it may be shown."""
        if self.expected.endswith((VARIABLE, VARIABLES)):
            return "not shown here"
        return msgspec.json.encode(value, enc_hook=str).decode()


def load_settings(path: Path) -> Settings:
    """Read a fleet's `config.toml`; where there is none, every default. Raises `ConfigError` naming all mistakes."""
    return _load(path, Settings)


def load_workspace(path: Path) -> WorkspaceSettings:
    """Read a `workspace.toml`; where there is none, every default. Raises `ConfigError` naming all mistakes."""
    return _load(path, WorkspaceSettings)


def load_plan(path: Path) -> FrozenPlan:
    """Read a workspace's `plan.toml`; where there is none, a plan without waves. Raises `ConfigError`."""
    return _load(path, FrozenPlan)


def load_agent(directory: Path) -> AgentSpec:
    """Read an agent's directory: `agent.toml` and `INSTRUCTIONS.md`, both optional. Raises `ConfigError`."""
    path = directory / AGENT_FILE
    settings = _load(path, AgentSettings)
    if settings.harness == "command" and not settings.command:
        raise ConfigError(
            'the harness "command" needs a program to start',
            where=str(path),
            fix='add a line such as: command = ["my-agent", "--flag"]',
        )
    instructions = directory / INSTRUCTIONS_FILE
    text = _read_text(instructions) if instructions.exists() else ""
    return AgentSpec(name=directory.name, instructions=text, **msgspec.structs.asdict(settings))


def load_agents(directory: Path, settings: WorkspaceSettings) -> Sequence[AgentSpec]:
    """Read a workspace's agents under `directory`, in the order that tasks go to them. Raises `ConfigError`."""
    return [load_agent(directory / name) for name in agent_names(directory, settings)]


def agent_names(directory: Path, settings: WorkspaceSettings) -> Sequence[str]:
    """Return the names of a workspace's agents under `directory`, in that order."""
    if settings.agents or not directory.is_dir():
        return settings.agents
    with os.scandir(directory) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir())


def load_providers(directory: Path) -> Mapping[str, Provider]:
    """Read the providers in `directory`, a file `<name>.toml` each, by name. Raises `ConfigError`."""
    return {path.stem: _load_provider(path) for path in provider_files(directory)}


def provider_files(directory: Path) -> Sequence[Path]:
    """Return the files that make providers, right or wrong."""
    return sorted(directory.glob("[!.]*.toml")) if directory.is_dir() else []


def _load_provider(path: Path) -> Provider:
    if not is_valid_id(path.stem):
        raise ConfigError(
            f"{path.stem!r} makes no name for a provider",
            where=str(path),
            fix="use a-z, 0-9, `-`, `_` and `.`, at most 60 of them",
        )
    settings = _load(path, ProviderSettings)
    return Provider(name=path.stem, **{name: getattr(settings, name) for name in settings.__struct_fields__})


def check_providers(agents: Iterable[AgentSpec], providers: Mapping[str, Provider], directory: Path) -> None:
    """Raise `ConfigError` for an agent below `directory` that names a provider which cannot serve it."""
    for agent in agents:
        provider, where = providers.get(agent.provider), str(directory / agent.name / AGENT_FILE)
        if agent.provider and provider is None:
            there = ", ".join(providers) or "none yet"
            fix = f"make a file providers/{agent.provider}.toml, or name another; there is: {there}"
            raise ConfigError(f"there is no provider `{agent.provider}`", where=where, fix=fix)
        if provider is not None and provider.harness != agent.harness:
            message = f"its provider `{provider.name}` serves harness `{provider.harness}`, and it runs in"
            fix = "name a provider of its harness"
            raise ConfigError(f"{message} `{agent.harness}`", where=where, fix=fix)


def load_flags(path: Path) -> Mapping[str, Flag]:
    """Read a workspace's `flags.toml`; where there is none, no flag. Raises `ConfigError` naming all mistakes."""
    return parse_flags(path, _read_text(path)) if path.exists() else {}


def parse_flags(path: Path, text: str) -> Mapping[str, Flag]:
    """Read the text of a `flags.toml`, which is or shall be at `path`. Raises `ConfigError` naming all mistakes."""
    data = _parse(path, text)
    refuse(
        path, [*_check_flags(data, text), *_hidden(data, text)], "mend the file; meanwhile its last good state counts"
    )
    return msgspec.convert(data, dict[str, Flag])


def _check_flags(data: Mapping[str, Any], text: str) -> Iterator[Problem]:
    for name, value in data.items():
        line = line_of(text, (name,))
        if FLAG_NAME.fullmatch(name) is None:
            yield Problem(line, f"`{name}` cannot name a flag: letters, digits, `_`, `-` and `.` do, at most 80")
        elif not isinstance(value, Mapping):
            yield Problem(line, f"`{name}` is no table; a flag is written as [{name}] with `state` below it")
        else:
            yield from check(value, Flag, text, (name,))
            if "state" not in value:
                yield Problem(line, f"`{name}.state` is missing; it must be {keys_of(Flag)['state'].expected}")


@cache
def keys_of(settings: type[Struct]) -> Mapping[str, Key]:
    """Return the keys of a settings type, in the order in which they are written there.

    Kept, because an agent's settings are read at each start and to evaluate the annotations is most of that work.
    """
    hints = get_type_hints(settings, include_extras=True)
    return {name: _key(name, hints[name]) for name in settings.__struct_fields__}


def _key(name: str, annotated: object) -> Key:
    kind, meta = _bare(annotated)
    return Key(name, kind, annotated, meta)


_WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    datetime: "a date and time like 2026-11-21T22:00:00Z",
}


def describe(kind: object, meta: Meta) -> str:
    """Say in words what a value of `kind` within `meta` is."""
    origin = get_origin(kind)
    if origin is UnionType or origin is Union:
        choices = [choice for choice in get_args(kind) if choice is not NoneType]
        each = [(choices[0], meta)] if len(choices) == 1 else map(_bare, choices)
        return " or ".join(describe(*choice) for choice in each)
    if origin is Literal and len(get_args(kind)) == 1:
        return f'"{get_args(kind)[0]}"'
    if origin is Literal:
        return "one of " + ", ".join(f'"{choice}"' for choice in get_args(kind))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "one of " + ", ".join(f'"{member.value}"' for member in kind)
    if origin is tuple:
        item, *_ = get_args(kind)
        named = next((part.title for part in getattr(item, "__metadata__", ()) if isinstance(part, Meta)), None)
        return f"a list of {named or 'texts'}"
    if origin is dict:
        return "a table of texts"
    if meta.title:
        return meta.title
    word = _WORDS[kind] if isinstance(kind, type) and kind in _WORDS else "a table"
    return ", ".join(filter(None, (word, _range(meta), meta.pattern and f"like {meta.pattern}")))


def _bare(annotated: object) -> tuple[object, Meta]:
    """Return a type without its `Annotated`, and what that says."""
    if get_origin(annotated) is Annotated:
        kind, meta, *_ = get_args(annotated)
        return kind, meta
    return annotated, Meta()


def _range(meta: Meta) -> str:
    if meta.ge is not None and meta.le is not None:
        return f"{meta.ge:,} to {meta.le:,}"
    bounds = (("at least", meta.ge), ("above", meta.gt), ("at most", meta.le), ("below", meta.lt))
    return ", ".join(f"{word} {bound:,}" for word, bound in bounds if bound is not None)


def _load(path: Path, settings: type[S]) -> S:
    """Read `path` into `settings`; raises one `ConfigError` that lists every mistake with its line."""
    if not path.exists():
        return settings()
    text = _read_text(path)
    data = _parse(path, text)
    problems = [*check(data, settings, text), *_hidden(data, text)]
    refuse(path, problems, "mend the file, or delete the line to get the default")
    return msgspec.convert(data, settings)


def refuse(path: Path, problems: Sequence[Problem], fix: str) -> None:
    """Raise one `ConfigError` for all problems, if there are any."""
    if not problems:
        return
    first, *others = sorted(problems)
    where = f"{path}:{first.line}" if first.line else str(path)
    more = "".join(f"\nline {problem.line}: {problem.text}" for problem in others)
    raise ConfigError(clean(first.text + more), where=where, fix=fix)


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"not UTF-8 at byte {error.start}", where=str(path), fix="save it as UTF-8") from error
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(path), fix="make it readable") from error


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ConfigError("nested too deeply", where=str(path), fix="keep it flat: tables of plain values") from error
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"line (\d+)", str(error))
        where = f"{path}:{place[1]}" if place else str(path)
        twice = str(error).startswith("Cannot declare")
        fix = "put these keys under the heading that is there already" if twice else "mend the line"
        raise ConfigError(f"not TOML: {error}", where=where, fix=fix) from error


def check(data: Mapping[str, Any], settings: type[Struct], text: str, table: KeyPath = ()) -> Iterator[Problem]:
    """Yield every mistake in `data`, read from `text`, against `settings`; `table` is where in the file `data` is."""
    keys = keys_of(settings)
    for name, value in data.items():
        path = (*table, name)
        key = keys.get(name)
        if key is None:
            yield Problem(line_of(text, path), _unknown(path, keys))
        elif key.table is not None and isinstance(value, Mapping):
            yield from check(value, key.table, text, path)
        elif not _fits(value, key):
            is_wrong = f"`{'.'.join(path)}` is {key.shown(value)}; it must be {key.expected}"
            yield Problem(line_of(text, path), is_wrong)


def _hidden(data: Mapping[str, Any], text: str, table: KeyPath = ()) -> Iterator[Problem]:
    """Name each key whose value holds something that a person does not see, and that acts where it is shown."""
    for name, value in data.items():
        path = (*table, name)
        if isinstance(value, Mapping):
            yield from _hidden(value, text, path)
        elif any(
            clean(part) != part for part in (value if isinstance(value, list) else [value]) if isinstance(part, str)
        ):
            yield Problem(line_of(text, path), f"`{'.'.join(path)}` holds a character that cannot be seen")


def _fits(value: object, key: Key) -> bool:
    try:
        msgspec.convert(value, key.annotated)
    except msgspec.ValidationError:
        return False
    return True


def _unknown(path: KeyPath, keys: Mapping[str, Key]) -> str:
    near = difflib.get_close_matches(path[-1], keys, n=1, cutoff=0.0)
    table = "".join(f"{part}." for part in path[:-1])
    return f"unknown key `{'.'.join(path)}`; the nearest is `{table}{near[0]}`"


_PART = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_HEADER = re.compile(rf"\s*\[\[?\s*({_PART}(?:\s*\.\s*{_PART})*)\s*\]")
_ASSIGNMENT = re.compile(rf"\s*({_PART}(?:\s*\.\s*{_PART})*)\s*=")


def line_of(text: str, path: KeyPath) -> int:
    """Return the line of a TOML text (from 1) that sets `path`, or the table or inline table it is in; 0: none does."""
    table: KeyPath = ()
    best = 0
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = found = _parts(header[1])
        elif assignment := _ASSIGNMENT.match(line):
            found = (*table, *_parts(assignment[1]))
        else:
            continue
        if path[: len(found)] == found:
            best = number  # TOML sets nothing twice, so what comes later only says it more closely
    return best


def _parts(dotted: str) -> KeyPath:
    return tuple(part.strip("\"'") for part in re.findall(_PART, dotted))
