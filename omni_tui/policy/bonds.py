"""Bonds: for each task of a plan the tasks right before it that touch the same, and what that is.

Where many touch one thing, each is bound to the one before it there, and so to all of them; whoever names a pattern is
bound to all who touched something below it since the pattern was last named.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from omni_tui.model.task import Task, TaskRef
from omni_tui.model.touch import TouchPoint
from omni_tui.policy.resources import Resource, Resources
from omni_tui.policy.ties import Tie


class Bond(msgspec.Struct, frozen=True):
    """Why a task comes after another one, with which it shares a point."""

    after: TaskRef
    tie: Tie


class Holders(msgspec.Struct):
    """Who was last at one resource, each with the point by which."""

    alone: tuple[TaskRef, TouchPoint] | None = None
    shares: list[tuple[TaskRef, TouchPoint]] = []
    """Those who came after the last one that had it alone."""


def bind(tasks: Sequence[Task], resources: Resources) -> Iterator[tuple[Bond, ...]]:
    """Give each task's bonds to those before it; `tasks` are in the order of the plan. In linear time."""
    held: dict[Resource, Holders] = defaultdict(Holders)
    for mine in (task.ref for task in tasks):
        found: dict[tuple[TaskRef, str, str], Bond] = {}
        for point, resource, alone in resources.of(mine):
            at = held[resource]
            for ref, theirs in _before(at, alone=alone):
                if ref != mine:
                    found.setdefault((ref, point.name, theirs.name), Bond(ref, Tie(point, theirs)))
            if alone:
                held[resource] = Holders((mine, point))
            else:
                at.shares.append((mine, point))
        yield tuple(found.values())


def _before(at: Holders, *, alone: bool) -> Iterable[tuple[TaskRef, TouchPoint]]:
    """Return who was there before: for one that shares who had it alone, else who shared it since then."""
    if alone and at.shares:
        return at.shares
    return () if at.alone is None else (at.alone,)
