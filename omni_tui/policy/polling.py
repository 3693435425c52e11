"""Polling: when a remote source is asked again. Times are seconds on one clock, the caller's.

Quiet is waited out longer and longer, movement brings the pace back up, and what the remote asks for is kept to.
"""

from __future__ import annotations

import msgspec

SPREAD = 0.1
"""Of an interval comes on top by chance, so that many fleets do not ask at the same moment."""


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How often a source may be asked: seconds between two polls."""

    least: float
    """Where things move."""
    most: float
    """Where it has long been quiet; what the remote asks for may be more."""


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """How the polls of a source have gone so far."""

    quiet: int = 0
    """The latest so many answers brought nothing new."""
    failures: int = 0
    """The latest so many polls failed."""
    hint: float = 0.0
    """So long the remote asked, in its latest answer or refusal, not to be asked again, in seconds."""


def answered(heard: Heard, *, moved: bool, hint: float = 0.0) -> Heard:
    """Take in an answer, which did or did not bring anything new."""
    return Heard(quiet=0 if moved else heard.quiet + 1, hint=max(0.0, hint))


def failed(heard: Heard, retry_after: float | None = None) -> Heard:
    """Take in a poll that failed; how quiet it was before is still known afterwards."""
    return Heard(quiet=heard.quiet, failures=heard.failures + 1, hint=max(0.0, retry_after or 0.0))


def interval(heard: Heard, pace: Pace, jitter: float) -> float:
    """Return the seconds until the next poll; `jitter` is in [0, 1).

    Doubles with each quiet answer or failed poll, from `least` to `most`; never less than the remote asks for.
    """
    doublings = min(heard.failures or heard.quiet, 32)  # beyond, the result is `most` anyhow
    own = min(pace.least * 2.0**doublings, max(pace.least, pace.most))
    return max(own, heard.hint) * (1 + SPREAD * jitter)
