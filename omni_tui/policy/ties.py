"""Ties: which touch point two tasks share, so that they may not run side by side.

Locks, migrations and symbols are shared by name. A path is shared where one is the other, lies below it, or fits its
pattern; two patterns where one fits the other's words, or something that both could name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from omni_tui.model.touch import PointKind, TouchPoint
from omni_tui.policy.paths import is_plain, matches

Points = Sequence[TouchPoint]

_RANK = {kind: rank for rank, kind in enumerate(PointKind)}


class Tie(msgspec.Struct, frozen=True, gc=False):
    """What keeps two tasks from running side by side: a point of each, which are one or overlap."""

    mine: TouchPoint
    theirs: TouchPoint

    def __str__(self) -> str:
        return f"{self.mine}, which {self.how} {self.theirs}" if self.how else str(self.mine)

    @property
    def how(self) -> str:
        """How my point lies to theirs: "is within", "covers" or "meets" it; empty: they are one."""
        mine, theirs = self.mine.name, self.theirs.name
        if mine == theirs:
            return ""
        return "is within" if matches(theirs, mine) else "covers" if matches(mine, theirs) else "meets"


def clearest_first(ties: Iterable[Tie]) -> list[Tie]:
    """Return ties in the order in which they tell most: a lock before a migration, a symbol, and a path."""
    return sorted(ties, key=lambda tie: _RANK[tie.mine.kind])


def overlap(one: str, other: str) -> bool:
    """Whether two paths or patterns can name the same file."""
    if one == other or matches(one, other) or matches(other, one):
        return True
    if is_plain(one) or is_plain(other):
        return False
    return _meet(one.split("/"), other.split("/"))


def _meet(one: list[str], other: list[str]) -> bool:
    """Whether two patterns agree part by part as far as both are told; the rest of the longer may lie below."""
    for mine, theirs in zip(one, other, strict=False):
        if "**" in mine or "**" in theirs:
            return True
        if (
            mine != theirs
            and (is_plain(mine) or is_plain(theirs))
            and not (matches(mine, theirs) or matches(theirs, mine))
        ):
            return False
    return True


def tie(mine: Points, theirs: Points) -> Tie | None:
    """Return what ties two tasks of one workspace, the clearest reason first; None: they share nothing."""
    return Taken([("", theirs)]).tie(mine, besides=())[1] if theirs else None


class Taken:
    """The points of what runs in one workspace: at most some hundreds, however many tasks wait."""

    def __init__(self, running: Iterable[tuple[str, Points]] = ()) -> None:
        self._exact: dict[tuple[PointKind, str], list[tuple[str, TouchPoint]]] = {}
        self._paths: list[tuple[str, TouchPoint]] = []
        self._patterns: list[tuple[str, TouchPoint]] = []
        for name, points in running:
            self.add(name, points)

    def add(self, name: str, points: Points) -> None:
        """Take the points of the task called `name`."""
        for point in points:
            self._exact.setdefault((point.kind, point.name), []).append((name, point))
            if point.kind is PointKind.PATH:
                (self._paths if is_file(point.name) else self._patterns).append((name, point))

    def tie(self, points: Points, besides: Iterable[str]) -> tuple[str, Tie | None]:
        """Return which task is tied to `points`, and by what; none of those `besides` counts."""
        left_out = frozenset(besides)
        best: tuple[int, str, Tie | None] = (len(_RANK), "", None)
        for point in points:
            rank = _RANK[point.kind]
            if rank >= best[0]:
                continue
            for name, other in self._near(point):
                if name not in left_out:
                    best = (rank, name, Tie(point, other))
                    break
        return best[1], best[2]

    def _near(self, point: TouchPoint) -> Iterable[tuple[str, TouchPoint]]:
        yield from self._exact.get((point.kind, point.name), ())
        if point.kind is PointKind.PATH:
            wide = () if is_file(point.name) else self._paths
            yield from (each for each in (*self._patterns, *wide) if overlap(point.name, each[1].name))


def is_file(path: str) -> bool:
    """Whether a path reads like that of one file: nothing else lies below it. `.github` does not."""
    return is_plain(path) and "." in path.rpartition("/")[2].lstrip(".")
