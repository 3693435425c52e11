"""Coverage: which of many paths and patterns cover which others, without comparing each with each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import takewhile

from omni_tui.policy.paths import is_plain
from omni_tui.policy.ties import is_file, overlap


class Coverage:
    """Patterns and directories among the paths that tasks name; each distinct one is matched once, where it can fit."""

    def __init__(self, names: Iterable[str]) -> None:
        """Take every path and pattern of one workspace."""
        everything = sorted(names)
        with_part: dict[str, list[str]] = defaultdict(list)
        for name in everything:
            for part in set(name.split("/")):
                with_part[part].append(name)
        wide = [name for name in everything if not is_file(name)]
        self._over: dict[str, list[str]] = defaultdict(list)
        for cover in wide:
            for name in _candidates(cover, with_part, everything):
                if name != cover and is_plain(name) and overlap(cover, name):
                    self._over[name].append(cover)
        self._meet([name for name in wide if not is_plain(name)], frozenset(filter(is_plain, wide)))

    def _meet(self, patterns: Sequence[str], directories: Collection[str]) -> None:
        """Find the patterns that overlap: the plain beginning of one is then that of the other, or part of it.

        Find as well the directories above a pattern.
        """
        begun: dict[str, list[str]] = defaultdict(list)
        for pattern in patterns:
            begun[_beginning(pattern)].append(pattern)
        for pattern in patterns:
            for beginning in _and_above(_beginning(pattern)):
                if beginning in directories and pattern not in self._over[beginning]:
                    self._over[beginning].append(pattern)
                for other in begun.get(beginning, ()):
                    if other != pattern and other not in self._over[pattern] and overlap(pattern, other):
                        self._over[pattern].append(other)
                        self._over[other].append(pattern)

    def over(self, name: str) -> Sequence[str]:
        """Return the patterns and directories that overlap `name`."""
        return self._over.get(name, ())


def _beginning(pattern: str) -> str:
    """Return the parts of a pattern before the first that is none of a plain path."""
    return "/".join(takewhile(is_plain, pattern.split("/")))


def _and_above(path: str) -> Iterable[str]:
    """Yield a path and every directory above it, up to the root, which is empty."""
    yield path
    while path:
        path = path.rpartition("/")[0]
        yield path


def _candidates(cover: str, with_part: dict[str, list[str]], everything: list[str]) -> Sequence[str]:
    """Return the paths that a pattern may cover: those with its rarest part that is plain."""
    plain = [part for part in cover.split("/") if is_plain(part)]
    return min((with_part.get(part, []) for part in plain), key=len, default=everything)
