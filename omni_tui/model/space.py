"""Space: what is free on a file system."""

from __future__ import annotations

import msgspec


class Space(msgspec.Struct, frozen=True, kw_only=True):
    """What one who is not root can still write."""

    free_bytes: int
    free_inodes_percent: float
    """100 where the file system makes inodes as it goes."""
