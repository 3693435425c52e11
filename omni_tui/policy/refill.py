"""Refilling: whether a workspace's queue runs low, and how many tasks it may be given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from omni_tui.model.task import Task, TaskRef
from omni_tui.policy.holds import Hold, HoldKind

OWN_REASONS = frozenset(
    {
        HoldKind.DEPENDENCY,
        HoldKind.DEPENDENCY_BLOCKED,
        HoldKind.DEPENDENCY_MISSING,
        HoldKind.CYCLE,
        HoldKind.FLAG,
        HoldKind.LINT,
        HoldKind.PLAN,
        HoldKind.TOUCH,
        HoldKind.DELAYED,
        HoldKind.PAUSED,
    }
)
"""Holds for a reason of the task's own: another task could start instead of it."""


class Stock(msgspec.Struct, frozen=True, kw_only=True):
    """What waits in one workspace."""

    waiting: int
    """Task files in todo/."""
    held: int = 0
    """Of these wait for a reason of their own."""
    usable: bool = True
    """Whether what is taken could start: nobody has frozen or stopped the workspace or the fleet."""


def wanted(stock: Stock, *, at: int, to: int) -> int:
    """Return how many tasks to take: once fewer than `at` could start, as many as make `to` in all."""
    could_start = stock.waiting - stock.held
    return max(0, to - stock.waiting) if stock.usable and could_start < at else 0


def held_for_themselves(holds: Iterable[tuple[TaskRef, Hold]], workspace: str) -> int:
    """Count a workspace's waiting tasks that are held for a reason of their own."""
    return sum(ref.workspace == workspace and hold.kind in OWN_REASONS for ref, hold in holds)


def in_turn(offered: Sequence[Task]) -> Iterator[Task]:
    """Give what is offered in the order to take it: by priority, then as offered; but first what a task depends on.

    A queue that takes only a few would else fill up with tasks that all wait for one that found no room.
    """
    by_id = {task.id: task for task in reversed(offered) if task.id}
    given: set[int] = set()
    for task in sorted(offered, key=lambda each: -each.priority):
        way = [task]
        while way:
            needed = [by_id[name] for name in way[-1].depends_on if name in by_id]
            missing = next((each for each in needed if id(each) not in given and each not in way), None)
            if missing is not None:
                way.append(missing)
                continue
            last = way.pop()
            if id(last) not in given:
                given.add(id(last))
                yield last
