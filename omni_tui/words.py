"""Times, durations and pauses as a person reads them in the morning."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from omni_tui.model.course import Parked
from omni_tui.model.footprint import Footprint
from omni_tui.model.sourced import SourceNote
from omni_tui.model.text import one_line


def moment(at: float) -> str:
    """Say a UTC time in the machine's own zone, as in `21 Nov 02:10`."""
    return f"{datetime.fromtimestamp(at, UTC).astimezone():%d %b %H:%M}"


def until(at: float, now: float) -> str:
    """Say when something ends, and in how long, as in `02:10, in 1h 12m`; minutes, that it need not tick."""
    clock = f"{datetime.fromtimestamp(at, UTC).astimezone():%H:%M}"
    return f"{clock}, in {minutes(at - now)}" if at > now else f"{clock}, any moment"


def minutes(seconds: float) -> str:
    """Say a duration that goes by in minutes, rounded up, as in `1h 12m`, `7m`."""
    whole = math.ceil(seconds / 60)
    return f"{whole // 60}h {whole % 60:02d}m" if whole >= 60 else f"{whole}m"


def local_offset(at: float) -> float:
    """Return the seconds that local time is ahead of UTC at a moment."""
    offset = datetime.fromtimestamp(at, UTC).astimezone().utcoffset()
    return offset.total_seconds() if offset else 0.0


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


def taking(footprint: Footprint) -> str:
    """Say what an agent's tree takes of the machine, as in `12 % CPU, 340 MB, 9 processes`; empty: nobody looked."""
    if not footprint.processes:
        return ""
    count = "1 process" if footprint.processes == 1 else f"{footprint.processes:,} processes"
    return f"{footprint.cpu_percent:.0f} % CPU, {footprint.memory_mb:,.0f} MB, {count}"


def taken(footprint: Footprint) -> str:
    """Say what it has taken in all, as in `2m 05s of CPU, 512 MB at its peak`; empty: nobody looked."""
    if not footprint.peak_mb:
        return ""
    return f"{lasting(footprint.cpu_seconds)} of CPU, {footprint.peak_mb:,.0f} MB at its peak"


def parked_for(provider: str, parked: Parked, now: float) -> str:
    """Say who is parked, for how long, and why, as in `claude parked 1h 12m: its usage limit is reached`."""
    if parked.until is None:
        return f"{provider} parked: {parked.reason}"
    if parked.until <= now:
        return f"{provider} parked: {parked.reason}; one attempt tries whether it serves again"
    return f"{provider} parked {minutes(parked.until - now)}: {parked.reason}"


def source_said(note: SourceNote) -> str:
    """Say what a source said last and when it is asked next, as in `… it offers nothing, 21 Nov 02:10; …`."""
    where = f"{', '.join(note.workspaces)} from {one_line(note.source)}"
    if not note.said:
        return f"{where}: not asked yet"
    again = f"once {note.waits}" if note.waits else f"at {moment(note.next_at)}" if note.next_at else ""
    return f"{where}: {one_line(note.said)}, {moment(note.at)}" + (f"; asked again {again}" if again else "")
