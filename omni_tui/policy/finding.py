"""A finding before the configuration has given it its weight."""

from __future__ import annotations

import msgspec

from omni_tui.model.verdict import FindingKind


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What one look at a change found."""

    kind: FindingKind
    message: str
    paths: tuple[str, ...] = ()
    flag_only: bool = False
    """It cannot tell enough to block, whatever the configuration says."""
    certain: bool = False
    """It blocks, whatever the configuration says."""
