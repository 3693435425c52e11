"""Holds: why a task may not start now, one binding reason a task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

import msgspec

from omni_tui.model.text import plural

TOLD_AT_ONCE = 5
"""So many different reasons are told where all that waits is told of."""


class HoldKind(StrEnum):
    """Why a task may not start now."""

    DEPENDENCY = "dependency"
    """Waits for another task that can still be done."""
    DEPENDENCY_BLOCKED = "dependency_blocked"
    DEPENDENCY_MISSING = "dependency_missing"
    CYCLE = "cycle"
    FLAG = "flag"
    """A feature flag is not as the task requires."""
    LINT = "lint"
    """Its text has what the settings refuse."""
    PLAN = "plan"
    """Its wave of the frozen plan has not come yet."""
    TOUCH = "touch"
    """It shares a touch point with a task that runs, or is not known to be independent of it."""
    DELAYED = "delayed"
    """Waits before its next attempt."""
    PARKED = "parked"
    """Every provider that could serve it is parked."""
    PROVIDER_SLOTS = "provider_slots"
    """Every provider that could serve it serves as many as it may at once."""
    PREFLIGHT = "preflight"
    """Who could serve it is tried first, with a tiny task."""
    BUDGET = "budget"
    """The budget of every provider that could serve it is spent."""
    PAUSED = "paused"
    """It would fail for a cause that is known already."""
    STOPPED = "stopped"
    """The run was stopped for a reason that a person must look at."""
    FROZEN = "frozen"
    THROTTLED = "throttled"
    DISK = "disk"
    """The fleet's disk has less free than its reserve."""
    LOAD = "load"
    """The machine has too little left for another agent."""
    SLOTS = "slots"
    STAGGER = "stagger"
    LEASE = "lease"
    """Nobody dispatches the fleet. Only from `policy.leasing`."""
    RUNNING = "running"
    """It runs already, or its last attempt is still being ended."""
    NEXT = "next"
    """Nothing holds it: it starts as soon as there is a dispatcher. Only from `explain`."""
    NOT_WAITING = "not_waiting"
    """It is not in `todo/`. Only from `explain`."""


PASSING = frozenset(
    {HoldKind.SLOTS, HoldKind.PROVIDER_SLOTS, HoldKind.TOUCH, HoldKind.LOAD, HoldKind.DISK, HoldKind.STAGGER}
)
"""What only says that others run, or that there is no room just now: nothing of it outlives a run."""


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """The one binding reason why a task does not start now, for `why`."""

    kind: HoldKind
    message: str
    until: float | None = None
    """When it ends by itself; None: something has to happen first."""
    remedy: str = ""
    """What would lift it, where the judge knows better than `policy.remedies` does by the kind alone."""


def gist(holds: Iterable[Hold]) -> list[str]:
    """Say what holds many tasks: how many wait for each reason, the most frequent first."""
    counts = Counter(hold.message for hold in holds)
    told = [f"{plural(count, 'task')}: {message}" for message, count in counts.most_common(TOLD_AT_ONCE)]
    more = len(counts) - len(told)
    return [*told, f"and {plural(more, 'other reason')}"] if more > 0 else told
