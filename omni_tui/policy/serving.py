"""Serving: whether a provider can take a task now.

One that is parked serves nobody, and one attempt alone once its pause is over; one that has to be tried first waits for
its preflight, and while nothing is known of it whoever it could serve waits with it; one serves no more at once than it
has slots, and nobody once its budget is spent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from omni_tui.model.provider import Standing
from omni_tui.model.task import Task, TaskRef
from omni_tui.policy.breaker import Breaker
from omni_tui.policy.holds import Hold, HoldKind

MENDED = "once its file, key or login has changed, or by `omni-tui thaw`"
"""What lifts a pause that no time ends."""
ORDER = (HoldKind.PROVIDER_SLOTS, HoldKind.PREFLIGHT, HoldKind.PARKED, HoldKind.BUDGET)
"""Where several providers could serve a task and none does, the reason that ends first binds."""


class Serving:
    """Knows who serves whom."""

    def __init__(self, standings: Mapping[str, Standing], providers: Mapping[TaskRef, Collection[str]]) -> None:
        """Take how the providers stand, and who could serve each task; one that is not named has no such limits."""
        self._standings = standings
        self._providers = providers
        self._begun: Counter[str] = Counter()
        self._known: dict[frozenset[str], Hold | None] = {}
        """What holds whoever could be served by these alone, until one more is served."""

        self._full: bool | None = None
        """What `full` found, until one more is served."""

    def hold(self, task: Task) -> Hold | None:
        """Return what holds a task that nobody can serve."""
        return self._hold_of(frozenset(self._providers.get(task.ref, ())))

    def full(self, waiting: int) -> bool:
        """Whether none of so many waiting tasks can start before a provider has a slot again, whichever it is."""
        if self._full is None:
            wishes = frozenset(map(frozenset, self._providers.values()))
            holds = [self._hold_of(who) for who in wishes] if len(self._providers) >= waiting else []
            self._full = bool(holds) and all(hold and hold.kind is HoldKind.PROVIDER_SLOTS for hold in holds)
        return self._full

    def _hold_of(self, who: frozenset[str]) -> Hold | None:
        if who not in self._known:
            self._known[who] = self._hold(who)
        return self._known[who]

    def _hold(self, who: frozenset[str]) -> Hold | None:
        held = {name: self._held(name) for name in sorted(who)}
        holds = [hold for hold in held.values() if hold is not None]
        untried = [held[name] for name in held if self._is_new(name)]
        if untried:  # it may be the better one, and that is known in seconds
            return untried[0]
        if not held or len(holds) < len(held):
            return None
        kind = next(kind for kind in ORDER if any(hold.kind is kind for hold in holds))
        again = [hold.until for hold in holds if hold.until is not None]
        words = "; ".join(hold.message for hold in holds)
        mend = kind is HoldKind.PARKED and not again and not any(self._may_try(name) for name in held)
        return Hold(kind=kind, message=words, until=min(again, default=None), remedy=MENDED if mend else "")

    def begin(self, task: Task) -> None:
        """Note that a task starts: an open provider serves it before one that is only tried."""
        self._begun.update(filter(None, [self.server_of(task.ref)]))
        self._known.clear()
        self._full = None

    def server_of(self, ref: TaskRef) -> str:
        """Return who serves a task that starts now; empty: nobody that is known of."""
        able = [name for name in sorted(self._providers.get(ref, ())) if self._held(name) is None]
        return min(able, key=self._may_try, default="")

    def _may_try(self, name: str) -> bool:
        standing = self._standings.get(name)
        return standing is not None and standing.state == Breaker.HALF_OPEN

    def _is_new(self, name: str) -> bool:
        """Whether a provider is tried for the first time now: nothing is known against it."""
        standing = self._standings.get(name)
        if standing is None or standing.spent:
            return False
        return standing.unproven and standing.state == Breaker.CLOSED

    def _held(self, name: str) -> Hold | None:
        """Return why one provider serves nobody now."""
        standing = self._standings.get(name)
        if standing is None:
            return None
        if standing.state == Breaker.OPEN:
            return Hold(kind=HoldKind.PARKED, message=f"{name}: {standing.reason}", until=standing.until)
        if standing.spent:
            return Hold(kind=HoldKind.BUDGET, message=f"{name}: {standing.spent}")
        if standing.unproven:
            return Hold(kind=HoldKind.PREFLIGHT, message=f"{name}: a preflight tries first whether it serves")
        if standing.state == Breaker.HALF_OPEN and (standing.probing or self._begun[name]):
            words = f"{name}: {standing.reason}; one attempt tries whether it serves again"
            return Hold(kind=HoldKind.PARKED, message=words)
        if standing.slots and standing.used + self._begun[name] >= standing.slots:
            return Hold(kind=HoldKind.PROVIDER_SLOTS, message=_full(standing))
        return None


def _full(standing: Standing) -> str:
    words = f"{standing.name}: it serves {standing.slots} at once, and does"
    if standing.slots < standing.of:
        words += f" (of {standing.of}: the gate rejected {standing.rejected:.0%} of its last {standing.judged} changes)"
    return words
