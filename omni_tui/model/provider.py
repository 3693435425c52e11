"""A provider: who serves models to agents. A file `providers/<name>.toml` is one; without any, a harness is its own."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from omni_tui.model.variable import VARIABLE, VARIABLE_NAME


class TokenCost(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a million tokens cost, in US dollars. Without any price what the harness itself tells counts."""

    input: Annotated[float, Meta(ge=0, le=10_000, description="A million tokens that the model reads.")] = 0.0
    output: Annotated[float, Meta(ge=0, le=10_000, description="A million tokens that it writes.")] = 0.0
    cached: Annotated[float, Meta(ge=0, le=10_000, description="A million tokens that it reads from its cache.")] = 0.0
    stored: Annotated[
        float, Meta(ge=0, le=10_000, description="A million tokens that it puts into its cache; 0: as what it reads.")
    ] = 0.0
    free: Annotated[bool, Meta(description="It costs nothing, so no budget of money binds it.")] = False

    @property
    def known(self) -> bool:
        """Whether money can be counted by tokens."""
        return self.free or bool(self.input or self.output or self.cached or self.stored)

    def usd(self, tokens: int, output: int | None, cached: int, stored: int = 0) -> float:
        """Return what so many tokens cost, of which so many were written, came from the cache, or were put there.

        Where nobody tells how many were written, all that could be have the dearer price: no budget is overdrawn so.
        """
        rest = max(0, tokens - cached - stored)
        kept = stored * (self.stored or self.input) + cached * self.cached
        if output is None:
            return (rest * max(self.input, self.output) + kept) / 1e6
        return (max(0, rest - output) * self.input + output * self.output + kept) / 1e6


class TaskBudgetSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much of a provider one task may use, all attempts together; 0: no limit."""

    hours: Annotated[float, Meta(ge=0, le=100_000, description="Hours of agents' work, all together.")] = 0.0
    tokens: Annotated[int, Meta(ge=0, le=1 << 53, description="Tokens.")] = 0
    usd: Annotated[float, Meta(ge=0, le=1_000_000, description="US dollars.")] = 0.0


class NightBudgetSettings(TaskBudgetSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much of a provider a night may use; 0: no limit."""

    attempts: Annotated[int, Meta(ge=0, le=1_000_000, description="Attempts.")] = 0


class ProviderSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`providers/<name>.toml`. It counts from the next attempt on."""

    harness: Annotated[str, Meta(description="Agents of this harness can be served by it.")] = "claude"
    model: Annotated[str, Meta(description="The model where an agent names none; empty: the harness's default.")] = ""
    base_url: Annotated[str, Meta(description="Where its API is; empty: where the harness looks by itself.")] = ""
    key: Annotated[
        str,
        Meta(
            pattern=f"^$|{VARIABLE_NAME}",
            title=VARIABLE,
            description="Name of our environment variable that holds its key.",
        ),
    ] = ""
    account: Annotated[
        str,
        Meta(description="What its limits are counted by; providers of one account share them. Empty: the key's name."),
    ] = ""
    slots: Annotated[int, Meta(ge=1, le=64, description="How many agents it serves at once.")] = 2
    priority: Annotated[int, Meta(ge=-1000, le=1000, description="Higher is chosen first.")] = 0
    labels: Annotated[
        tuple[str, ...], Meta(description="What it is good for: tasks with one of these labels go to it first.")
    ] = ()
    preflight: Annotated[
        bool, Meta(description="Try it with a tiny task before the first dispatch, and after trouble.")
    ] = True
    cost: TokenCost = msgspec.field(default_factory=TokenCost)
    task: TaskBudgetSettings = msgspec.field(default_factory=TaskBudgetSettings)
    night: NightBudgetSettings = msgspec.field(default_factory=NightBudgetSettings)


class Provider(ProviderSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A provider as its file tells it."""

    name: str

    @property
    def ledger(self) -> str:
        """The account on which it draws: named, else its key, else its address, else the harness's own login."""
        own = self.harness if self.harness != "command" else self.name
        return self.account or self.key or self.base_url or own


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How a provider stands now: all that routing and scheduling go by, and what `provider list` shows."""

    name: str
    state: str = "closed"
    """Its circuit breaker's: `closed`, `open`, `half-open`."""
    reason: str = ""
    """Why its breaker is not closed."""
    until: float | None = None
    """When one attempt, or a preflight, may try it again, UTC seconds; None: once a person has mended it."""
    used: int = 0
    """How many agents it serves now."""
    slots: int = 0
    """How many it may serve now; 0: any number."""
    of: int = 0
    """How many it is set to serve; 0: any number."""
    probing: bool = False
    """Something is served by its account while its breaker is half-open."""
    unproven: bool = False
    """A preflight has to prove first that it serves."""
    spent: str = ""
    """Which of its budgets is used up; empty: none."""
    share: float = 0.0
    """The share of its night's budget that is used; 0 also where it has none."""
    rejected: float = 0.0
    """The share of its latest changes that the gate rejected."""
    judged: int = 0
    """How many that were."""
    usd: float = 0.0
    """What was spent on it tonight, as far as it is known."""
    tokens: int = 0
    priority: int = 0
    price: float = 0.0
    """US dollars for a million tokens, read and written; 0: nobody said."""
    labels: tuple[str, ...] = ()

    @property
    def trial(self) -> str:
        """What has to try it yet, and before what; empty: nothing. Agents from before a restart may be served by it."""
        if not self.unproven:
            return ""
        return f"a preflight tries it before the {'next' if self.used else 'first'} task"
