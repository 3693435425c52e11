"""When a headless run is over: `--until HH:MM`, `--for 8h`.

Times are UTC seconds. What the local time is, is handed in, because it depends on the machine and on the date.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import time

DAY = 86400.0


def stop_at(now: float, until: time | None, lasting: float | None, offset_at: Callable[[float], float]) -> float | None:
    """Return when a run that starts `now` ends by `--until` or `--for` (seconds), the earlier; None: by neither."""
    moments = []
    if until is not None:
        moments.append(next_time_of_day(until, now, offset_at))
    if lasting is not None:
        moments.append(now + lasting)
    return min(moments, default=None)


def next_time_of_day(wanted: time, now: float, offset_at: Callable[[float], float]) -> float:
    """Return the next moment after `now` at which local clocks show `wanted`.

    `offset_at` gives the seconds that local time is ahead of UTC at a moment; it may change overnight.
    """
    guess = _next_with(wanted, now, offset_at(now))
    return _next_with(wanted, now, offset_at(guess))


def _next_with(wanted: time, now: float, offset: float) -> float:
    local = now + offset
    moment = local - local % DAY + wanted.hour * 3600 + wanted.minute * 60 + wanted.second
    return (moment if moment > local else moment + DAY) - offset
