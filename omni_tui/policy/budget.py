"""Budgets: how much of what they may a task, a provider and a night have used, and what is nearly or quite used up.

The limits are kept from outside, by what the harness tells of itself: an agent cannot be trusted to stop by itself.
Where a limit of money is set and nobody tells money, nothing goes on: what cannot be read cannot be kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from omni_tui.model.course import Course, Spending
from omni_tui.model.provider import NightBudgetSettings, Provider, TaskBudgetSettings
from omni_tui.model.settings import NightSettings
from omni_tui.policy.usage import Usage

NEAR = 0.8
"""The share of a budget at which it is said that it will be used up."""

UNREAD_MINUTES = 10.0
"""So long an agent may work without a word of what it uses, where a budget of money is set."""


SHARED = frozenset({"budget:night", "budget:provider", "budget:unread"})
"""Causes of failures that say nothing against an attempt: not its own budget is used up, or cannot be read."""

ANYBODY: Mapping[str, str] = {}
"""Nothing is said of who sets a limit."""


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """One budget: whose it is, and what has been used of it by all but the attempt at hand."""

    name: str
    """As a sentence begins: `the night`, `provider codex`."""
    kind: str
    """`task`, `provider`, `night`: the detail of the failure that ends an attempt by it."""
    limit: Usage
    before: Usage = Usage()
    money: str = ""
    """The setting that limits its money, for a person; empty: none does."""

    def passed(self, used: Usage) -> str:
        """Say by which limit an attempt that has used `used` has used it up; empty: by none.

        The last attempt that it allows may go on to its end.
        """
        return reached(self.before + used, msgspec.structs.replace(self.limit, attempts=0))

    def nearly(self, used: Usage) -> str:
        """Say which limit is nearly reached; empty: none is."""
        return reached(self.before + used, self.limit, NEAR)


def overrun(used: Usage, limit: Usage, set_by: Mapping[str, str] = ANYBODY) -> str:
    """Say which limit is passed, the first in the order turns, tokens, money, time; empty: none is.

    `set_by` names the setting of each, as `limits.usd in config.toml`.
    """
    if limit.turns and used.turns > limit.turns:
        return f"{used.turns:,} turns; {limit.turns:,} are allowed" + _by(set_by.get("turns"))
    if limit.tokens and used.tokens > limit.tokens:
        return f"{used.tokens:,} tokens; {limit.tokens:,} are allowed" + _by(set_by.get("tokens"))
    if limit.usd and used.usd > limit.usd:
        return f"{used.usd:.2f} USD; {limit.usd:.2f} are allowed" + _by(set_by.get("usd"))
    if limit.minutes and used.minutes > limit.minutes:
        return f"{used.minutes:.0f} minutes; {limit.minutes:g} are allowed" + _by(set_by.get("minutes"))
    return ""


def _by(setting: str | None) -> str:
    return f" by {setting}" if setting else ""


def reached(used: Usage, limit: Usage, share: float = 1.0) -> str:
    """Say which limit is reached to a `share`, as in `2.00 of 2 US dollars`; empty: none is."""
    if limit.usd and used.usd >= share * limit.usd:
        return f"{used.usd:.2f} of {limit.usd:g} US dollars"
    if limit.tokens and used.tokens >= share * limit.tokens:
        return f"{used.tokens:,} of {limit.tokens:,} tokens"
    if limit.turns and used.turns >= share * limit.turns:
        return f"{used.turns:,} of {limit.turns:,} turns"
    if limit.attempts and used.attempts >= share * limit.attempts:
        return f"{used.attempts:,} of {limit.attempts:,} attempts"
    if limit.minutes and used.minutes >= share * limit.minutes:
        return f"{used.minutes:.0f} of {limit.minutes:g} minutes of work"
    return ""


def share_of(used: Usage, limit: Usage) -> float:
    """Return the share of a budget that is used, by whichever of its limits is nearest; 0 where it has none."""
    names = ("usd", "tokens", "turns", "attempts", "minutes")
    return max((getattr(used, name) / most for name in names if (most := getattr(limit, name))), default=0.0)


def as_limit(budget: NightBudgetSettings | NightSettings) -> Usage:
    """Return what a night may use."""
    return Usage(attempts=budget.attempts, minutes=budget.hours * 60, tokens=budget.tokens, usd=budget.usd)


def for_a_task(budget: TaskBudgetSettings) -> Usage:
    """Return what a task may use."""
    return Usage(minutes=budget.hours * 60, tokens=budget.tokens, usd=budget.usd)


def used_by(spendings: Iterable[Spending]) -> Usage:
    """Return what attempts have used together; one that has told nothing yet counts as an attempt all the same."""
    found = list(spendings)
    return Usage(
        attempts=len(found),
        minutes=sum(each.minutes for each in found),
        tokens=sum(each.tokens for each in found),
        usd=sum(each.usd for each in found),
    )


def ledgers(course: Course, attempt: str, night: NightSettings, provider: Provider | None) -> tuple[Ledger, ...]:
    """Return the budgets that an attempt shares: the night's, and its provider's where it has a file.

    `attempt` is `workspace/task#number`. What others have used that run beside it, they have told a while ago.
    """
    spendings = [each for each in course.spendings if each.attempt != attempt]
    found = [
        Ledger(
            name="the night",
            kind="night",
            limit=as_limit(night),
            before=used_by(spendings),
            money="night.usd in config.toml" if night.usd else "",
        )
    ]
    if provider is not None:
        found.append(
            Ledger(
                name=f"provider {provider.name}",
                kind="provider",
                limit=as_limit(provider.night),
                before=used_by(each for each in spendings if each.provider == provider.name),
                money=f"night.usd in providers/{provider.name}.toml" if provider.night.usd else "",
            )
        )
    return tuple(found)


def spent_on(course: Course, provider: str) -> Usage:
    """Return what the attempts of a provider have used tonight, as far as they have told."""
    return used_by(each for each in course.spendings if each.provider == provider)


def unread(settings: Sequence[str]) -> str:
    """Say why an agent whose use of money nobody can read may not go on; `settings` limit its money."""
    return f"it tells nothing of the money it uses, and {settings[0]} limits that"
