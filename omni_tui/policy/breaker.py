"""The circuit breaker of a provider: closed, open, half-open.

A provider whose limit is reached, or who turns us away, gets no new attempt until it serves again: nothing is learnt by
asking it with the next task, and each refusal would cost one its turn (facts: reliability, Money and limits). Once its
time is up it is half-open: a preflight, or a single attempt, tries; the others follow when it was served.
"""

from __future__ import annotations

import zlib
from enum import StrEnum

from omni_tui.model.course import Parked
from omni_tui.model.failure import FailureKind
from omni_tui.policy.outage import SERVER

LIMIT_SECONDS = 300.0
"""First pause where a limit does not say when it ends."""
SERVER_SECONDS = 30.0
"""First pause of an overloaded or failing server."""
LONGEST_SECONDS = 3600.0
PREFLIGHT_SECONDS = 60.0
"""First pause after a preflight that failed for a reason which may pass."""
SLACK_SECONDS = 5.0
"""Waited beyond a limit's end, which is told in whole seconds by another clock."""
SPREAD = 0.25
"""At most so much of a pause is added to it, so that what was turned away together does not come back together."""

TURNED_AWAY = {"harness:auth": "it does not accept our login", "harness:billing": "it has no credit left for us"}
"""Causes that no pause mends."""

BUDGETS = ("budget:provider", "budget:unread")
"""Causes that park a provider until a person has looked, by the failure's own words: its budget is spent, or it tells
no money though a budget of money is set."""

PREFLIGHTS_IN_A_ROW = 5
"""After so many preflights in vain another is no cure."""


class Breaker(StrEnum):
    """The state of a provider's breaker."""

    CLOSED = "closed"
    """It serves."""
    OPEN = "open"
    """It is not asked."""
    HALF_OPEN = "half-open"
    """One may try whether it serves again."""


def state_of(parked: Parked | None, now: float) -> Breaker:
    """Return the state of a breaker."""
    if parked is None:
        return Breaker.CLOSED
    return Breaker.HALF_OPEN if may_probe(parked, now) else Breaker.OPEN


def parked_by(cause: str, until: float | None, provider: str, before: Parked | None, now: float) -> Parked | None:
    """Return how a failure of an attempt parks its provider; None: it says nothing of the provider.

    `cause` is the failure's, `until` the end of a limit where it is known, `before` how the provider is parked now.
    """
    if cause in TURNED_AWAY:
        return Parked(reason=TURNED_AWAY[cause], at=now)
    row = before.row + 1 if before is not None else 1
    if cause.partition(":")[0] == "limited":
        if until is not None and until > now:
            return Parked(reason="its usage limit is reached", at=now, until=until + SLACK_SECONDS, row=row)
        return Parked(
            reason="its usage limit is reached", at=now, until=now + pause(LIMIT_SECONDS, row, provider), row=row
        )
    if cause == SERVER:
        return Parked(
            reason="its server is overloaded or failing",
            at=now,
            until=now + pause(SERVER_SECONDS, row, provider),
            row=row,
            alone=True,
        )
    return None


def parked_by_preflight(
    cause: str, message: str, until: float | None, provider: str, before: Parked | None, now: float
) -> Parked:
    """Return how a preflight that failed parks its provider: what nobody but a person mends waits for one."""
    known = parked_by(cause, until, provider, before, now)
    if known is not None:
        return known
    reason = f"its preflight failed: {message}"
    row = before.row + 1 if before is not None else 1
    machine = cause == FailureKind.FAULT  # ours is not well, which nobody is asked for
    if cause == FailureKind.LAUNCH or (row >= PREFLIGHTS_IN_A_ROW and not machine):
        return Parked(reason=reason, at=now, alone=True)
    again = now + pause(PREFLIGHT_SECONDS, row, provider)
    return Parked(reason=reason, at=now, until=again, row=row, alone=True)


def pause(first: float, row: int, key: str) -> float:
    """Return the seconds to wait for the `row`-th time: doubling up to an hour, spread by what `key` says."""
    return spread(min(first * 2.0 ** (row - 1), LONGEST_SECONDS), f"{key} {row}")


def spread(seconds: float, key: str) -> float:
    """Lengthen a pause by up to a quarter: always the same for the same `key`, so that a run can be played again."""
    return seconds * (1 + SPREAD * (zlib.crc32(key.encode()) % 1000) / 1000)


def may_probe(parked: Parked, now: float) -> bool:
    """Whether it is time that one attempt tries whether the provider serves again."""
    return parked.until is not None and parked.until <= now
