"""The sources of a workspace, made from the `[[sources]]` of its settings; what is wrong with one is named there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from omni_tui.config import Problem, check, line_of, refuse
from omni_tui.errors import PluginError
from omni_tui.model.text import clean
from omni_tui.plugins import registry
from omni_tui.plugins.source.protocol import Source, SourceSpec
from omni_tui.store.taskread import is_being_written

TABLES = "sources"
KIND = "kind"

_HEADER = re.compile(rf"^[ \t]*\[\[[ \t]*{TABLES}[ \t]*\]\]", re.MULTILINE)


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """One table as it is written."""

    settings: Mapping[str, Any]
    text: str
    """The part of the file that it is in."""
    before: int
    """Lines of the file before that."""


def make_sources(
    path: Path, tables: Sequence[Mapping[str, Any]], variables: Mapping[str, str], now: Callable[[], float]
) -> list[Source]:
    """Return a source for each of the `tables` of the `workspace.toml` at `path`.

    Raises `ConfigError` naming all mistakes with their lines, `PluginError` where a kind's plugin is broken.
    """
    drawn = _draw(path, tables)
    refuse(path, [problem for each in drawn for problem in _problems(each)], "mend the file")
    return [_make(path, each.settings, variables, now) for each in drawn]


def _make(path: Path, table: Mapping[str, Any], variables: Mapping[str, str], now: Callable[[], float]) -> Source:
    spec = SourceSpec(
        workspace=path.parent.name,
        folder=path.parent,
        settings={key: value for key, value in table.items() if key != KIND},
        variables=variables,
        now=now,
        is_being_written=is_being_written,
    )
    source: Source = registry.load("source", str(table[KIND]))(spec)
    return source


def _draw(path: Path, tables: Sequence[Mapping[str, Any]]) -> list[Drawn]:
    """Tell which part of the file each table is in; where they are written in one line, all are in all of it."""
    if not tables:
        return []
    text = path.read_text(encoding="utf-8")
    starts = [match.start() for match in _HEADER.finditer(text)]
    if len(starts) != len(tables):
        return [Drawn(settings=table, text=text, before=0) for table in tables]
    ends = [*starts[1:], len(text)]
    return [
        Drawn(settings=table, text=text[start:end], before=text.count("\n", 0, start))
        for table, start, end in zip(tables, starts, ends, strict=True)
    ]


def _problems(drawn: Drawn) -> Iterator[Problem]:
    """Yield every mistake in a table, against what its kind's plugin takes."""
    settings = dict(drawn.settings)
    kind = settings.pop(KIND, None)
    kinds = ", ".join(f'"{name}"' for name in registry.names("source"))
    first = line_of(drawn.text, (TABLES,))
    if not isinstance(kind, str) or kind not in registry.names("source"):
        said = (
            f"`{TABLES}.{KIND}` is missing"
            if kind is None
            else f"`{TABLES}.{KIND}` is {msgspec.json.encode(kind).decode()}"
        )
        yield _moved(drawn, Problem(line_of(drawn.text, (TABLES, KIND)) or first, f"{said}; it must be one of {kinds}"))
        return
    try:
        options = registry.load("source", kind).options
    except PluginError as error:
        yield _moved(drawn, Problem(first, str(error)))
        return
    for problem in check({TABLES: settings}, _wrapped(options), drawn.text):
        yield _moved(drawn, problem)
    for field in msgspec.structs.fields(options):
        if field.required and field.name not in settings:
            yield _moved(
                drawn, Problem(first, f"`{TABLES}.{field.name}` is missing, which a source of this kind needs")
            )
    for key, value in settings.items():
        if isinstance(value, str) and clean(value) != value:
            yield _moved(
                drawn, Problem(line_of(drawn.text, (TABLES, key)), f"`{key}` holds a character that cannot be seen")
            )


def _moved(drawn: Drawn, problem: Problem) -> Problem:
    """Return a problem with its line in the whole file."""
    return Problem(drawn.before + problem.line if problem.line else 0, problem.text)


@cache
def _wrapped(options: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """Return settings that hold `options` under the name of the tables, so that keys are named as they are written."""
    return msgspec.defstruct("Sources", [(TABLES, options)])
