"""Definitions that a change takes away: functions, classes, methods and exported constants, found in its patch.

A definition that comes back under the same name, in the same file (its signature changed) or in another one (it moved),
is not taken away. Names are counted: where two classes lose their `run` and one `run` is added, one was taken away.
"""

from __future__ import annotations

from collections import Counter, defaultdict

import msgspec

from omni_tui.policy.languages import definition_in, language_of
from omni_tui.policy.patch import read_patch


class Definition(msgspec.Struct, frozen=True, order=True):
    """Something that a file defined."""

    path: str
    name: str


class Removals(msgspec.Struct, frozen=True):
    """What a patch takes away, and which files had definitions at all, so that a deleted file can be judged by them."""

    definitions: tuple[Definition, ...]
    defining: frozenset[str]
    """Paths whose removed lines held at least one definition."""


def removals(patch: str) -> Removals:
    """Return the definitions that a unified diff removes and does not add again, by path and name."""
    removed: dict[str, list[Definition]] = defaultdict(list)
    here: Counter[Definition] = Counter()
    anywhere: Counter[str] = Counter()
    for file in read_patch(patch):
        for name in _names(file.path, file.removed):
            removed[name].append(Definition(file.path, name))
        for name in _names(file.new_path, file.added):
            here[Definition(file.path, name)] += 1
            anywhere[name] += 1
    gone = [definition for group in removed.values() for definition in _not_added_again(group, here, anywhere)]
    defining = frozenset(definition.path for group in removed.values() for definition in group)
    return Removals(definitions=tuple(sorted(gone)), defining=defining)


def _not_added_again(group: list[Definition], here: Counter[Definition], anywhere: Counter[str]) -> list[Definition]:
    """Take off those of one name that came back: first in the same file, then those that moved."""
    left = []
    for definition in group:
        if here[definition] > 0:
            here[definition] -= 1
            anywhere[definition.name] -= 1
        else:
            left.append(definition)
    moved = max(0, anywhere[group[0].name])
    return left[moved:]


def _names(path: str, lines: list[str]) -> list[str]:
    language = language_of(path)
    if language is None:
        return []
    return [name for line in lines if (name := definition_in(language, line)) is not None]
