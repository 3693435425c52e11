"""Remedies: what would lift a hold, and when it ends by itself; and holds as the fleet's owner publishes them.

Each remedy completes "it is lifted ...": by what somebody does, or once something has happened.
"""

from __future__ import annotations

from collections.abc import Mapping

from omni_tui.model.state import PublishedHold
from omni_tui.model.task import TaskRef
from omni_tui.policy.holds import Hold, HoldKind

REMEDIES: Mapping[HoldKind, str] = {
    HoldKind.DEPENDENCY: "once what it waits for has landed",
    HoldKind.DEPENDENCY_BLOCKED: "by `omni-tui redispatch` of what is blocked, and once that lands",
    HoldKind.DEPENDENCY_MISSING: "by adding what is missing, or taking it out of `depends_on`",
    HoldKind.CYCLE: "by taking one of these out of `depends_on`",
    HoldKind.FLAG: "by `omni-tui flag set`",
    HoldKind.LINT: "by mending its text: `omni-tui lint` reads it again",
    HoldKind.PLAN: "once that wave is done or blocked, or by editing plan.toml",
    HoldKind.TOUCH: "once what it is tied to has ended",
    HoldKind.DELAYED: "by itself, once it has waited",
    HoldKind.PARKED: "by itself, once one attempt or preflight was served",
    HoldKind.PROVIDER_SLOTS: "once an agent that it serves has ended, or by more `slots` in its file",
    HoldKind.PREFLIGHT: "by itself, once the preflight has passed",
    HoldKind.BUDGET: "by a larger budget in its file, or by `omni-tui thaw`, which begins it again",
    HoldKind.PAUSED: "by `omni-tui thaw`, once its cause is mended",
    HoldKind.STOPPED: "by `omni-tui thaw`, once somebody has looked at the reason",
    HoldKind.FROZEN: "by `omni-tui thaw`",
    HoldKind.THROTTLED: "once a task ends, or by `omni-tui throttle off`",
    HoldKind.DISK: "by making room on the fleet's disk",
    HoldKind.LOAD: "by itself, once the machine has eased; the limits are under [load] in config.toml",
    HoldKind.SLOTS: "once a task ends, or by more `slots` under [scheduler] in config.toml",
    HoldKind.STAGGER: "by itself, in a moment",
    HoldKind.LEASE: "by starting `omni-tui`, or `omni-tui --headless`",
    HoldKind.RUNNING: "by itself, once that has ended",
    HoldKind.NEXT: "by itself: it starts as soon as the dispatcher looks",
    HoldKind.NOT_WAITING: "by `omni-tui redispatch`, which queues it again",
}

RECHECKED = frozenset({HoldKind.DISK, HoldKind.LOAD})
"""Holds whose `until` is only when they are looked at again: nobody can tell when they end."""


def remedy(hold: Hold) -> str:
    """Return what would lift a hold."""
    return hold.remedy or REMEDIES[hold.kind]


def ends_at(hold: Hold) -> float | None:
    """Return when a hold ends by itself, as far as that is known."""
    return None if hold.kind in RECHECKED else hold.until


def published(holds: Mapping[TaskRef, Hold]) -> dict[str, PublishedHold]:
    """Return holds for whoever watches the fleet; nothing in them changes by time alone."""
    return {str(ref): told(hold) for ref, hold in holds.items()}


def told(hold: Hold) -> PublishedHold:
    """Return a hold for whoever watches the fleet."""
    return PublishedHold(kind=hold.kind.value, message=hold.message, remedy=remedy(hold), until=ends_at(hold))
