"""When a usage limit ends, from the words in which Claude Code tells a person.

Nothing else of it tells: no hook carries the time. The forms (2.1.197, and the older one with seconds since the epoch):
`You've hit your session limit · resets 3:45pm (Europe/Berlin)`, `… · resets Nov 24, 3pm (UTC)` when that is more than a
day away, `Claude AI usage limit reached|1795219626`.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

EPOCH = re.compile(r"limit reached\|(\d{10})\b")

CLOCK = re.compile(
    r"resets (?:(?P<month>[A-Z][a-z]{2}) (?P<day>\d{1,2}), (?:(?P<year>\d{4}), )?)?"
    r"(?P<hour>\d{1,2})(?::(?P<minute>\d\d))?(?P<half>[ap]m) \((?P<zone>[A-Za-z0-9_+/-]{1,40})\)"
)

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def limit_end(text: str, at: float) -> float | None:
    """Return when the limit that `text` tells of ends, UTC seconds; None: it does not say. `at` is when it was said."""
    if epoch := EPOCH.search(text):
        return float(epoch[1])
    told = CLOCK.search(text)
    if told is None:
        return None
    try:
        return _moment(told, datetime.fromtimestamp(at, ZoneInfo(told["zone"])))
    except (ZoneInfoNotFoundError, ValueError, OverflowError):
        return None


def _moment(told: re.Match[str], said: datetime) -> float:
    """Return the moment meant: the next such time of day, or the day named."""
    hour = int(told["hour"]) % 12 + (12 if told["half"] == "pm" else 0)
    moment = said.replace(hour=hour, minute=int(told["minute"] or 0), second=0, microsecond=0)
    if told["month"] is None:
        return (moment if moment > said else moment + timedelta(days=1)).timestamp()
    moment = moment.replace(year=int(told["year"] or said.year), month=_month(told["month"]), day=int(told["day"]))
    return moment.timestamp()


def _month(name: str) -> int:
    return MONTHS.index(name) + 1
