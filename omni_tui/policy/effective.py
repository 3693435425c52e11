"""The effective limit: how many tasks may run at once now, and what binds that."""

from __future__ import annotations

from collections.abc import Mapping

from omni_tui.model.effective import Bound, Effective
from omni_tui.model.provider import Standing
from omni_tui.policy.backlog import Backlog, Capacity
from omni_tui.policy.breaker import Breaker
from omni_tui.policy.room import limits, stagger


def effective(backlog: Backlog, capacity: Capacity, starting: int = 0) -> Effective:
    """Return the lowest of all limits, once so many have started; of equal ones the first by which `Room` goes."""
    running = len(backlog.running) + starting
    found = [
        Effective(slots=slots, of=capacity.slots, bound=Bound(hold.kind), reason=hold.message)
        for slots, hold in limits(capacity, running, backlog.course.stopped)
    ]
    served = _served(backlog.standings)
    if served is not None:
        words = _words(backlog.standings)
        found.append(Effective(slots=served, of=capacity.slots, bound=Bound.PROVIDERS, reason=words))
    least = min(found, key=lambda each: each.slots)
    last_start = capacity.now if starting else capacity.last_start
    if least.slots > running and (hold := stagger(capacity, running, last_start)) is not None:
        return Effective(slots=least.slots, of=least.of, bound=Bound.STAGGER, reason=hold.message)
    return Effective(slots=least.slots, of=least.of) if least.bound is Bound.SLOTS else least


def _served(standings: Mapping[str, Standing]) -> int | None:
    """Return how many all providers together serve at once; None: any number, or nobody knows."""
    each = [_serves(standing) for standing in standings.values()]
    return None if not each or None in each else sum(filter(None, each))


def _serves(standing: Standing) -> int | None:
    """Return how many one serves at once; None: any number."""
    if standing.state == Breaker.OPEN or standing.spent:
        return standing.used
    if standing.state == Breaker.HALF_OPEN:
        return max(1, standing.used)
    return max(standing.used, standing.slots) if standing.slots else None


def _words(standings: Mapping[str, Standing]) -> str:
    """Say what each provider serves, and why where its breaker or its budget is in the way."""
    found = []
    for name, standing in sorted(standings.items()):
        why = standing.spent or standing.reason
        found.append(f"{name} serves {_serves(standing)}" + (f" ({why})" if why else ""))
    return ", ".join(found)
