"""A request: what another process, or a key, asks of the fleet's owner. One file under `control/`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from omni_tui.model.brakes import FLEET, Scope
from omni_tui.model.moment import Moment


class RequestKind(StrEnum):
    """What can be asked."""

    KILL = "kill"
    REDISPATCH = "redispatch"
    """Kill what runs, then queue the task again with fresh attempts."""
    BLOCK = "block"
    FREEZE = "freeze"
    THAW = "thaw"
    THROTTLE = "throttle"
    UNTHROTTLE = "unthrottle"
    CHECK = "check"
    """Try a provider now."""
    STOP = "stop"
    """End the core; agents keep running."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One wish. `task` is `workspace/id`, empty for wishes on the fleet."""

    id: str
    kind: RequestKind
    task: str = ""
    provider: str = ""
    """CHECK: which."""
    reason: str = ""
    by: str = ""
    """Who asks: `cli`, `cockpit`."""
    at: Moment = 0.0
    work: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{40,64})?$")] = ""
    """REDISPATCH: the commit of an earlier attempt's work that the next one shall be told of."""
    scope: Scope = FLEET
    """FREEZE, THAW, THROTTLE, UNTHROTTLE: what it is about."""
    hard: bool = False
    """FREEZE: agents that run are suspended as well."""
    most: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    """THROTTLE: so many tasks at once."""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a request."""

    id: str
    ok: bool
    message: str
