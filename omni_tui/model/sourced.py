"""What the sources say that refill the queues, as a person is shown it."""

from __future__ import annotations

import msgspec

from omni_tui.model.moment import Moment


class SourceNote(msgspec.Struct, frozen=True, kw_only=True):
    """One source, and what it said last."""

    source: str
    """Its identity."""
    workspaces: tuple[str, ...]
    """Those that it refills."""
    said: str = ""
    """Empty: it was not asked yet."""
    at: Moment = 0.0
    """When it said so, UTC seconds."""
    next_at: Moment | None = None
    """Before that it is not asked again, UTC seconds; None: it is not polled."""
    waits: str = ""
    """What has to happen before it is asked again, where time alone does not do it; empty: nothing."""
