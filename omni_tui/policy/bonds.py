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
from omni_tui.policy.resources import Place, Resource, Resources
from omni_tui.policy.ties import Tie


class Bond(msgspec.Struct, frozen=True, gc=False):
    """Why a task comes after another one, with which it shares a point."""

    after: TaskRef
    tie: Tie


Held = tuple[Place, TouchPoint]
"""Who was at a resource, and by which point."""


def bind(places: Iterable[Place], tasks: Sequence[Task], resources: Resources) -> Iterator[tuple[Bond, ...]]:
    """Give each task's bonds to those before it; `places` are those of `tasks` in the order of the plan.

    In linear time.
    """
    last: dict[Resource, Held] = {}
    """Who was the last that had it alone."""
    since: dict[Resource, list[Held]] = defaultdict(list)
    """Who has shared it since then."""
    for mine in places:
        found: dict[tuple[Place, str, str], Bond] = {}
        for claimed in resources.of(mine):
            point, resource = claimed.point, claimed.resource
            before = [held for held in since.pop(resource, ()) if held[0] != mine] if claimed.alone else []
            if not before and resource in last:
                before = [last[resource]]
            for place, theirs in before:
                if place != mine:
                    found.setdefault((place, point.name, theirs.name), Bond(tasks[place].ref, Tie(point, theirs)))
            if claimed.alone:
                last[resource] = (mine, point)
            else:
                since[resource].append((mine, point))
        yield tuple(found.values())
