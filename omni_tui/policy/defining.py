"""Defining: which of the lines that hold a name define it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from omni_tui.model.touch import Mention
from omni_tui.policy.languages import definition_in, language_of


def defining(mentions: Iterable[Mention], names: Collection[str]) -> Mapping[str, tuple[Mention, ...]]:
    """Return the lines that define each of `names` that is defined, by path and line.

    Where no parser could read the file, it is told by what the line looks like.
    """
    found: dict[str, set[Mention]] = defaultdict(set)
    for mention in mentions:
        for name in mention.defines if mention.defines is not None else _by_looks(mention):
            if name in names:
                found[name].add(mention)
    return {name: tuple(sorted(there, key=lambda each: each[:2])) for name, there in found.items()}


def _by_looks(mention: Mention) -> Iterable[str]:
    language = language_of(mention.path)
    name = definition_in(language, mention.text) if language is not None else None
    return () if name is None else (name,)
