"""Usage: what agents have used of turns, tokens, money, time and attempts. What they may, `policy.budget` says."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from omni_tui.model.event import Event


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """An amount; as a limit, 0 means that there is none."""

    turns: int = 0
    tokens: int = 0
    usd: float = 0.0
    minutes: float = 0.0
    attempts: int = 0

    def __add__(self, other: Usage) -> Usage:
        """Return both together."""
        return Usage(
            turns=self.turns + other.turns,
            tokens=self.tokens + other.tokens,
            usd=self.usd + other.usd,
            minutes=self.minutes + other.minutes,
            attempts=self.attempts + other.attempts,
        )


def spent(events: Iterable[Event]) -> Usage:
    """Return what the attempts of a journal have used together, by their `attempt.usage` events.

    An attempt says it more than once: its last word counts.
    """
    last: dict[tuple[str, str, int], Usage] = {}
    for event in events:
        if event.event == "attempt.usage":
            last[event.workspace, event.task, event.attempt] = msgspec.convert(event.data, Usage)
    return sum(last.values(), Usage())
