"""Negative feedback: a provider whose changes the gate keeps rejecting serves fewer at once, until they are good again.

Additive increase, multiplicative decrease, as TCP shares a line (Chiu and Jain, 1989): each change that passes gives
half a slot back, each run of bad ones halves what there is.
"""

from __future__ import annotations

from collections.abc import Sequence

LATEST = 8
"""Verdicts that are looked at together."""
LEAST = 4
"""With fewer nothing is decided."""
SHARE = 0.5
"""The share of rejected changes at which the slots are halved."""
STEP = 0.5
"""What a change that passes gives back, in slots."""
KEPT = 40
"""Verdicts of a provider that are remembered: enough to go all the way down and up again."""


def slots_after(verdicts: Sequence[bool], slots: int) -> int:
    """Return how many of its `slots` a provider may use after these verdicts (True: passed; the newest last)."""
    now, since = float(slots), 0
    for number, passed in enumerate(verdicts, 1):
        latest = verdicts[max(since, number - LATEST) : number]
        if passed:
            now = min(float(slots), now + STEP)
        elif len(latest) >= LEAST and rejected(latest) >= SHARE:
            now, since = max(1.0, now / 2), number
    return int(now)


def rejected(verdicts: Sequence[bool]) -> float:
    """Return the share of the latest verdicts that were rejections; 0 without any."""
    latest = verdicts[-LATEST:]
    return sum(not passed for passed in latest) / len(latest) if latest else 0.0
