"""Kinds of words on the command line: a duration, a time of day, a number of slots."""

from __future__ import annotations

import re
from datetime import time, timedelta

import click
import msgspec

from omni_tui.model.settings import Slots


class Duration(click.ParamType[float]):
    """A duration such as `8h`, `90m`, `45s` or `1h30m`; becomes seconds, more than none."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return seconds."""
        if isinstance(value, float):
            return value
        parts = re.fullmatch(r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?", str(value))
        days, hours, minutes, seconds = (int(part or 0) for part in parts.groups()) if parts else (0, 0, 0, 0)
        total = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        if not total:
            self.fail(f"{value!r} is no duration; write it as 8h, 90m, 45s or 1h30m", param, ctx)
        return total.total_seconds()


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


class SlotsWord(click.ParamType[Slots]):
    """How many tasks run at once: a number, or `auto`."""

    name = "slots"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Slots:
        """Return the number, or `auto`."""
        try:
            return msgspec.convert(value, Slots, strict=False)  # type: ignore[no-any-return]
        except msgspec.ValidationError:
            self.fail(f"{value!r} is not a number from 1 to 64, or auto", param, ctx)


SLOTS = SlotsWord()
DURATION = Duration()
TIME_OF_DAY = TimeOfDay()
