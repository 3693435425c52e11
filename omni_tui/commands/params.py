"""Kinds of words on the command line: a duration, a time of day."""

from __future__ import annotations

import re
from datetime import time, timedelta

import click


class Duration(click.ParamType[float]):
    """A duration such as `8h`, `90m`, `45s` or `1h30m`; becomes seconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return seconds."""
        if isinstance(value, float):
            return value
        parts = re.fullmatch(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", str(value))
        if not value or parts is None:
            self.fail(f"{value!r} is no duration; write it as 8h, 90m, 45s or 1h30m", param, ctx)
        days, hours, minutes, seconds = (int(part or 0) for part in parts.groups())
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds()


class TimeOfDay(click.ParamType[time]):
    """A time of day such as `07:30`, in the machine's own zone."""

    name = "time of day"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> time:
        """Return the time."""
        if isinstance(value, time):
            return value
        parts = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", str(value))
        if parts is None:
            self.fail(f"{value!r} is no time of day; write it as 07:30", param, ctx)
        return time(int(parts[1]), int(parts[2]))


DURATION = Duration()
TIME_OF_DAY = TimeOfDay()
