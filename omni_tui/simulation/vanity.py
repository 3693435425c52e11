"""What is asked in vain, as the oracle sees it: who is sent to a provider that has said that it will not serve.

It goes by what agents were told and when processes start, and knows nothing of the engine's own mind.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

GRACE_SECONDS = 240.0
"""So long after a refusal somebody may still be sent who was chosen before it was read."""
OUTAGE = 12
"""So many may ask an outage in vain beside those at work when it begins, an hour of it one more: pauses double."""


class _Refusal(msgspec.Struct, frozen=True):
    fatal: str
    at: float
    """Monotonic seconds, while somebody dispatched."""
    ends: float | None
    """LIMIT: when it ends, by the same clock, and ..."""
    until: float | None
    """... by the wall's, of which whoever is more patient is right: the wall clock may have been set."""


class Vanity:
    """Knows the latest refusal of the one account. `time` counts while somebody dispatches, `now` is the wall's."""

    def __init__(self, time: Callable[[], float], now: Callable[[], float]) -> None:
        self._time = time
        self._now = now
        self._refusal: _Refusal | None = None
        self._outage = 0
        """How many have asked it in vain, this outage."""
        self._outage_since = 0.0

    def refused(self, fatal: str, until: float | None) -> None:
        """Hear what an agent was told."""
        if fatal == "server":
            self._outage_since = self._outage_since if self._outage else self._time()
            self._outage += 1
            return
        before = self._refusal if self._in_force() else None
        at = before.at if before is not None and before.fatal == fatal else self._time()
        ends = None if until is None else self._time() + until - self._now()
        self._refusal = _Refusal(fatal, at, ends, until)

    def served(self) -> None:
        """Hear that somebody was served: no outage goes on."""
        self._outage = 0

    def mended(self) -> None:
        """Hear that a person has mended the login, or wants everything to be tried again."""
        self._refusal = None

    def sent(self, who: str, slots: int) -> str:
        """Hear that somebody is sent to the provider; say why that is in vain, if it is."""
        refusal, time = self._refusal, self._time()
        if self._outage > slots + OUTAGE + (time - self._outage_since) / 3600:
            return f"{who} is the {self._outage + 1}th to ask a server that fails"
        if refusal is None or not self._in_force() or time < refusal.at + GRACE_SECONDS:
            return ""
        return f"{who} is sent in vain: {refusal.fatal} was told {(time - refusal.at) / 60:.0f} minutes ago"

    def _in_force(self) -> bool:
        """Whether the latest refusal still holds."""
        refusal = self._refusal
        if refusal is None or refusal.ends is None or refusal.until is None:
            return refusal is not None and refusal.fatal in ("auth", "billing")
        return self._time() < refusal.ends and self._now() < refusal.until
