"""What an answer of GitHub's means: when to ask again, and what is wrong. Pure.

Follows GitHub's "Best practices for using the REST API" and "Rate limits for the REST API"; there a limit is a 403 as
well as a 429, with or without `Retry-After`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from math import isfinite

import msgspec

from omni_tui.errors import SourceError
from omni_tui.model.text import one_line

Headers = Mapping[str, str]
"""By lower-case name."""

SECONDARY_SECONDS = 60.0
"""How long to wait for a limit that does not say how long."""

LONGEST_SECONDS = 86_400.0
"""More than that no hint is believed."""

_MESSAGE = 300
"""Characters of GitHub's own words that are passed on."""


AWAY = frozenset({301, 302, 307, 308, 404, 410})
"""Statuses of what is elsewhere, or nowhere."""


class AwayError(SourceError):
    """What was asked for is not there."""


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """Who asked what, as a person is told of it."""

    repo: str
    variable: str
    """Name of the variable that holds the token."""
    now: float
    """UTC seconds, for an answer that does not tell its own time."""

    @property
    def where(self) -> str:
        """Which source it is about."""
        return f"github {self.repo}"


def pause(headers: Headers, used: int, now: float) -> float:
    """Return the seconds for which GitHub asks to be left alone after an answer that cost `used` requests.

    What is left of the hourly limit is spread over the time until it is full again.
    """
    named = _number(headers.get("x-poll-interval")) or 0.0
    remaining, reset = _number(headers.get("x-ratelimit-remaining")), _number(headers.get("x-ratelimit-reset"))
    if remaining is None or reset is None:
        return _bounded(named)
    left = max(0.0, reset - _sent(headers, now))
    return _bounded(max(named, left if remaining < used else used * left / remaining))


def refusal(status: int, headers: Headers, message: str, asking: Asking) -> SourceError:
    """Return what an answer with a status that is no success means."""
    said = one_line(message.partition(". ")[0], _MESSAGE)  # behind that, each time another number of the request
    wait = _limited(status, headers, said, asking.now)
    if wait is not None:
        return SourceError(
            f"GitHub's limit is reached: {said or status}", where=asking.where, retry_after=_bounded(wait)
        )
    if status == 408 or status >= 500:
        return SourceError(
            f"GitHub has trouble of its own: status {status}",
            where=asking.where,
            fix="it is asked again",
            retry_after=_bounded(_named_wait(headers, asking.now)),
        )
    words, fix = _vain(status, asking)
    told = f"{words}: {said}" if said else words
    kind = AwayError if status in AWAY else SourceError
    return kind(told, where=asking.where, fix=fix, person=True)


def _vain(status: int, asking: Asking) -> tuple[str, str]:
    """Say what is wrong and how to mend it, where asking again is vain."""
    repo, variable = asking.repo, asking.variable
    may = f"let it read and write the issues of {repo}, and authorise it for the organisation's single sign-on"
    match status:
        case 401:
            return f"the token in {variable} is not valid", f"put a valid one into {variable} and start again"
        case 403:
            return f"the token in {variable} may not do this", f"{may}; then `omni-tui thaw`"
        case 404:
            return "it is not there, or the token may not see it", f"mend `repo`, or {may}; then `omni-tui thaw`"
        case 410:
            return "it has been deleted, or the repository has no issues", "turn the issues on, or take the source out"
        case 301 | 302 | 307 | 308:
            return f"{repo} has moved", "write its new name as `repo`"
        case _:
            return f"GitHub answers with status {status}", "look at the settings of this source"


def _limited(status: int, headers: Headers, message: str, now: float) -> float | None:
    """Return the seconds that a limit asks for; None: it is no limit."""
    if status not in (403, 429):
        return None
    named = _named_wait(headers, now)
    if named is not None:
        return named
    reset = _number(headers.get("x-ratelimit-reset"))
    if _number(headers.get("x-ratelimit-remaining")) == 0 and reset is not None:
        return reset - _sent(headers, now) + 1  # the reset comes at some time in that second
    return SECONDARY_SECONDS if status == 429 or "rate limit" in message.casefold() else None


def _named_wait(headers: Headers, now: float) -> float | None:
    """Return the seconds that `Retry-After` names, as a number or as a date (RFC 9110)."""
    named = headers.get("retry-after")
    seconds, moment = _number(named), _moment(named)
    return seconds if seconds is not None or moment is None else moment - _sent(headers, now)


def _sent(headers: Headers, now: float) -> float:
    """Return when an answer was sent by GitHub's own clock, UTC seconds."""
    moment = _moment(headers.get("date"))
    return now if moment is None else moment


def _moment(text: str | None) -> float | None:
    try:
        return parsedate_to_datetime(text or "").replace(tzinfo=UTC).timestamp()
    except (ValueError, OverflowError):
        return None


def _number(text: str | None) -> float | None:
    """Read a header that holds a number; now and then it is written with a point."""
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if isfinite(number) else None


def _bounded(seconds: float | None) -> float:
    return min(max(0.0, seconds or 0.0), LONGEST_SECONDS)
