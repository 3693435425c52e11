"""Touch points of a task: what its head declares, what its text names, and what history says changes with that.

A touch point that is none costs a little time, because two tasks then run one after the other. One that is missed costs
a merge conflict. So what is named counts, unless it stands for too many things to mean one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from omni_tui.model.task import Task
from omni_tui.model.touch import Knowledge, PointKind, TouchPoint
from omni_tui.policy.naming import adds_migration, named_paths, named_symbols
from omni_tui.policy.paths import is_plain, normal

MOST_PLACES = 3
"""A symbol that more files define, or a file name that more directories have, does not tell which one is meant."""
_MIGRATIONS = re.compile(r"(?:.*/)?(?:alembic/versions|migrations/versions|db/migrate|migrations?)(?=/|\Z)", re.DOTALL)
"""The innermost directory of migrations in a path: as Alembic, Flask-Migrate, Rails, Django and most others name it."""


def touch_points(task: Task, knowledge: Knowledge, by_name: ByName) -> tuple[TouchPoint, ...]:
    """Return what a task will touch, each point once, the best founded first. `by_name` is of the same knowledge."""
    found: dict[tuple[PointKind, str], TouchPoint] = {}
    for point in (*_declared(task), *_named(task, knowledge, by_name), *_by_text(task, knowledge)):
        found.setdefault((point.kind, point.name), point)
    for point in (*_together(found.values(), knowledge), *_migrations(found.values())):
        found.setdefault((point.kind, point.name), point)
    return tuple(found.values())


class ByName:
    """The files of a tree by their last part."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths: dict[str, list[str]] = {}
        for path in sorted(paths):
            self._paths.setdefault(path.rpartition("/")[2], []).append(path)

    def meant(self, word: str) -> tuple[str, ...]:
        """Return the files whose path ends in `word`; none where they are too many to tell."""
        ending = f"/{word}"
        there = [path for path in self._paths.get(word.rpartition("/")[2], ()) if f"/{path}".endswith(ending)]
        return (word,) if word in there else tuple(there) if len(there) <= MOST_PLACES else ()


def _declared(task: Task) -> Iterator[TouchPoint]:
    for name in task.locks:
        yield TouchPoint(PointKind.LOCK, name, "its head declares the lock")
    for pattern in map(normal, task.touches):
        yield TouchPoint(PointKind.PATH, pattern or "**", "its head declares it")
    for test in task.tests:
        path = normal(test)
        if path and is_plain(path) and " " not in path and ("/" in path or "." in path):
            yield TouchPoint(PointKind.PATH, path, "its head names it among the tests")


def _named(task: Task, knowledge: Knowledge, by_name: ByName) -> Iterator[TouchPoint]:
    named: set[str] = set()
    for word in named_paths(task):
        there = by_name.meant(word)
        named.update(there)
        for path in there:
            said = "its text names it" if path == word else f"its text names {word}"
            yield TouchPoint(PointKind.PATH, path, said)
        if not there and "/" in word and PurePosixPath(word).suffix and word not in knowledge.paths:
            yield TouchPoint(PointKind.PATH, word, "its text names it, and it is not there yet")
    for symbol in named_symbols(task):
        yield from _defined(symbol, knowledge.definitions.get(symbol, ()), named)


def _defined(symbol: str, places: Sequence[str], named: Collection[str]) -> Iterator[TouchPoint]:
    """Yield a symbol and what defines it; of several files that do, those are meant that the text names."""
    meant = [path for path in places if path in named] or places
    if len(meant) > MOST_PLACES:
        return
    if meant and len(meant) == len(places):
        define = "defines" if len(places) == 1 else "define"
        yield TouchPoint(PointKind.SYMBOL, symbol, f"its text names it, which {', '.join(places)} {define}")
    for path in meant:
        yield TouchPoint(PointKind.PATH, path, f"it defines {symbol}, which the text names")


def _by_text(task: Task, knowledge: Knowledge) -> Iterator[TouchPoint]:
    """Yield the directories of migrations that a task means that says it adds one; it does not tell which."""
    if adds_migration(task):
        there = sorted({place for path in knowledge.paths if (place := migrations_in(path))})
        for place in there or ["migrations"]:
            yield TouchPoint(PointKind.MIGRATION, place, "its text says that it adds a migration")


def _together(points: Iterable[TouchPoint], knowledge: Knowledge) -> Iterator[TouchPoint]:
    for point in list(points):
        if point.kind is PointKind.PATH:
            for other in knowledge.companions.get(point.name, ()):
                said = f"{other.together} of {other.commits} commits that changed {point.name} changed it"
                yield TouchPoint(PointKind.PATH, other.path, said)


def _migrations(points: Iterable[TouchPoint]) -> Iterator[TouchPoint]:
    for point in list(points):
        place = migrations_in(point.name) if point.kind is PointKind.PATH else ""
        if place:
            yield TouchPoint(PointKind.MIGRATION, place, f"it touches {point.name}")


def migrations_in(path: str) -> str:
    """Return the directory of migrations that a path is in, or is itself; empty: it is in none."""
    found = _MIGRATIONS.match(path)
    return found[0] if found else ""
