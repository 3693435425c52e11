"""Parking: a provider whose limit is reached, or who turns us away, gets no new attempt until it serves again.

Nothing is learnt by asking the same provider with the next task, and each refusal would cost one its turn (facts:
reliability, Money and limits). Once the time is up a single attempt tries; the others follow when it was served.
"""

from __future__ import annotations

import zlib

from omni_tui.model.course import Parked

LIMIT_SECONDS = 300.0
"""First pause where a limit does not say when it ends."""
SERVER_SECONDS = 30.0
"""First pause of an overloaded or failing server."""
LONGEST_SECONDS = 3600.0
SLACK_SECONDS = 5.0
"""Waited beyond a limit's end, which is told in whole seconds by another clock."""
SPREAD = 0.25
"""At most so much of a pause is added to it, so that what was turned away together does not come back together."""

TURNED_AWAY = {"harness:auth": "it does not accept our login", "harness:billing": "it has no credit left for us"}
"""Causes that no pause mends."""


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
    if cause == "harness:server":
        return Parked(
            reason="its server is overloaded or failing",
            at=now,
            until=now + pause(SERVER_SECONDS, row, provider),
            row=row,
        )
    return None


def pause(first: float, row: int, key: str) -> float:
    """Return the seconds to wait for the `row`-th time: doubling up to an hour, spread by what `key` says."""
    return spread(min(first * 2.0 ** (row - 1), LONGEST_SECONDS), f"{key} {row}")


def spread(seconds: float, key: str) -> float:
    """Lengthen a pause by up to a quarter: always the same for the same `key`, so that a run can be played again."""
    return seconds * (1 + SPREAD * (zlib.crc32(key.encode()) % 1000) / 1000)


def may_probe(parked: Parked, now: float) -> bool:
    """Whether it is time that one attempt tries whether the provider serves again."""
    return parked.until is not None and parked.until <= now
