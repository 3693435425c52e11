"""Times and durations as a person reads them in the morning."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(at: float) -> str:
    """Say a UTC time in the machine's own zone, as in `21 Nov 02:10`."""
    return f"{datetime.fromtimestamp(at, UTC).astimezone():%d %b %H:%M}"


def lasting(seconds: float) -> str:
    """Say a duration in its two largest units, as in `1h 05m`, `3m 20s`, `12s`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    if whole < 86400:
        return f"{whole // 3600}h {whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d {whole % 86400 // 3600:02d}h"
