"""How a scripted agent behaves in one attempt: well, or in one of the ways that nights have shown."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from random import Random


class Conduct(StrEnum):
    """What one attempt's agent does."""

    WORKS = "works"
    """Does its task, commits, says that it has finished."""
    LEAVES = "leaves"
    """The same, but exits without saying so."""
    STALL = "stall"
    """Falls silent in the middle, for ever."""
    HANG = "hang"
    """The same, and does not mind SIGTERM."""
    LATE = "late"
    """Never says that it has its task."""
    FLOOD = "flood"
    """Prints without end."""
    LOOP = "loop"
    """Makes the same tool call again and again."""
    COMMITS = "commits"
    """Makes the same small commit again and again."""
    LIMIT = "limit"
    """Hits its provider's usage limit and waits for its end, or gives up."""
    AUTH = "auth"
    """Is refused by its provider: 401."""
    SERVER = "server"
    """Gives up because its provider's server fails."""
    UNCOMMITTED = "uncommitted"
    """Does its task and forgets to commit."""
    ASK = "ask"
    """Asks a person something and waits."""
    ASTRAY = "astray"
    """Works at another place than the task says."""
    BROKEN = "broken"
    """Commits what the check does not pass."""
    CONFLICT = "conflict"
    """Changes a line that others change as well."""
    DIES = "dies"
    """Is killed in the middle, as the machine does for want of memory."""


SHARES: Mapping[Conduct, float] = {
    Conduct.LEAVES: 0.05,
    Conduct.STALL: 0.04,
    Conduct.HANG: 0.02,
    Conduct.LATE: 0.02,
    Conduct.FLOOD: 0.02,
    Conduct.LOOP: 0.02,
    Conduct.COMMITS: 0.02,
    Conduct.LIMIT: 0.04,
    Conduct.AUTH: 0.01,
    Conduct.SERVER: 0.02,
    Conduct.UNCOMMITTED: 0.04,
    Conduct.ASK: 0.02,
    Conduct.ASTRAY: 0.02,
    Conduct.BROKEN: 0.03,
    Conduct.CONFLICT: 0.04,
    Conduct.DIES: 0.03,
}
"""How often an attempt goes so; the others work."""


def draw(chance: Random, allowed: Collection[str]) -> Conduct:
    """Return how an attempt goes, if only the misbehaviour in `allowed` may happen."""
    point = chance.random()
    for conduct, share in SHARES.items():
        point -= share
        if point < 0:
            return conduct if conduct in allowed else Conduct.WORKS
    return Conduct.WORKS
