"""Usage: what agents have used of turns, tokens and money, and whether that is more than they may.

The limits are kept from outside, by what the harness tells of itself: an agent cannot be trusted to stop by itself.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from omni_tui.model.event import Event


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """An amount; as a limit, 0 means that there is none."""

    turns: int = 0
    tokens: int = 0
    usd: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        """Return both together."""
        return Usage(turns=self.turns + other.turns, tokens=self.tokens + other.tokens, usd=self.usd + other.usd)


def overrun(used: Usage, limit: Usage) -> str:
    """Say which limit is passed, the first in the order turns, tokens, money; empty: none is."""
    if limit.turns and used.turns > limit.turns:
        return f"{used.turns:,} turns; {limit.turns:,} are allowed"
    if limit.tokens and used.tokens > limit.tokens:
        return f"{used.tokens:,} tokens; {limit.tokens:,} are allowed"
    if limit.usd and used.usd > limit.usd:
        return f"{used.usd:.2f} USD; {limit.usd:.2f} are allowed"
    return ""


def spent(events: Iterable[Event]) -> Usage:
    """Return what the attempts of a journal have used together, by their `attempt.usage` events.

    An attempt says it more than once: its last word counts.
    """
    last: dict[tuple[str, str, int], Usage] = {}
    for event in events:
        if event.event == "attempt.usage":
            last[event.workspace, event.task, event.attempt] = msgspec.convert(event.data, Usage)
    return sum(last.values(), Usage())
