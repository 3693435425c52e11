"""What a campaign of `make torture` gives back: how much was tried, how much had to be, and what went wrong."""

from __future__ import annotations

import shlex

import msgspec


def again(module: str, *words: object) -> str:
    """Return the command that plays one case of a campaign again."""
    return shlex.join(("python", "-m", f"tests.torture.{module}", *map(str, words)))


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table."""

    what: str
    done: int
    """How many cases were tried."""
    goal: int
    """The least that had to be tried for the row to say anything."""
    bad: tuple[str, ...] = ()
    """What broke a promise, each with the command that plays it again."""
    seconds: float
    cpu_seconds: float = 0.0
    """Of all processes that took part and ended."""
    note: str = ""
    """What else a person should know: what was counted, and what it was made of."""

    @property
    def ok(self) -> bool:
        """Whether enough was tried, and nothing broke."""
        return not self.bad and self.done >= self.goal
