"""The effective limit: how many tasks may run at once now, and what binds that. `policy.room` admits by the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from omni_tui.model.brakes import Throttle
from omni_tui.model.effective import Bound, Effective
from omni_tui.model.provider import Standing
from omni_tui.policy.backlog import Backlog, Capacity
from omni_tui.policy.breaker import Breaker
from omni_tui.policy.load import binds


def effective(backlog: Backlog, capacity: Capacity) -> Effective:
    """Return the lowest of all limits; of equal ones that which a person has to know of first."""
    running = len(backlog.running)
    least = min(_limits(backlog, capacity, running), key=lambda each: each.slots)
    if least.slots > running and (until := staggered_until(capacity, running)) is not None:
        words = f"the next starts in {until - capacity.now:.0f} s"
        return Effective(slots=least.slots, of=capacity.slots, bound=Bound.STAGGER, reason=words)
    return least


def staggered_until(capacity: Capacity, running: int, last_start: float | None = None) -> float | None:
    """Return until when the next start waits because starts are spread out in time; None: it does not."""
    last = capacity.last_start if last_start is None else last_start
    if not running or last is None:
        return None
    until = last + capacity.stagger_seconds
    return until if until > capacity.now else None


def _limits(backlog: Backlog, capacity: Capacity, running: int) -> Iterator[Effective]:
    """Yield what limits there are, in the order in which they bind; `room` has the same."""

    def limit(slots: int, bound: Bound, reason: str) -> Effective:
        return Effective(slots=min(slots, capacity.slots), of=capacity.slots, bound=bound, reason=reason)

    if capacity.frozen:
        yield limit(0, Bound.FREEZE, capacity.why_frozen or "no new starts")
    if backlog.course.stopped:
        yield limit(0, Bound.STOPPED, backlog.course.stopped)
    if capacity.short:
        yield limit(running, Bound.DISK, capacity.short)
    if capacity.throttled:
        yield limit(capacity.throttled, Bound.THROTTLE, str(Throttle(most=capacity.throttled)))
    yield limit(capacity.slots, Bound.SLOTS, "")
    if busy := binds(capacity.load, capacity.load_limits, running):
        yield limit(running, Bound.LOAD, busy)
    if (served := _served(backlog.standings)) is not None:
        yield limit(served, Bound.PROVIDERS, _words(backlog.standings))


def _served(standings: Mapping[str, Standing]) -> int | None:
    """Return how many all providers together serve at once; None: any number, or nobody knows."""
    if not standings or any(_serves(each) and not each.slots for each in standings.values()):
        return None
    return sum(max(each.used, each.slots) if _serves(each) else each.used for each in standings.values())


def _serves(standing: Standing) -> bool:
    return standing.state == Breaker.CLOSED and not standing.spent


def _words(standings: Mapping[str, Standing]) -> str:
    serving = [each for each in standings.values() if _serves(each)]
    idle = [each for each in standings.values() if not _serves(each)]
    words = [f"{each.name} serves {each.slots}" for each in serving]
    return ", ".join(words + [f"{each.name} serves nobody: {each.reason or each.spent}" for each in idle])
