"""A moment in time as files hold it: one that can be shown, so that no spoilt number falls over a calendar."""

from __future__ import annotations

from typing import Annotated

import msgspec

Moment = Annotated[float, msgspec.Meta(ge=0, le=32_503_680_000)]
"""UTC seconds since the epoch, up to the year 3000; held to that where it is read, not where it is made."""
