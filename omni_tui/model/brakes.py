"""The brakes that a person puts on: freezes and throttles, of the fleet, a workspace or a provider."""

from __future__ import annotations

from operator import attrgetter
from typing import TypeVar

import msgspec


class Scope(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """What a brake is on: a workspace, a provider, or with neither of them the fleet."""

    workspace: str = ""
    provider: str = ""

    @property
    def is_fleet(self) -> bool:
        """Whether it is the whole fleet."""
        return not self.workspace and not self.provider

    @property
    def option(self) -> str:
        """How a command names it, with a space before it; the fleet is not named."""
        if self.workspace:
            return f" --workspace {self.workspace}"
        return f" --provider {self.provider}" if self.provider else ""

    def holds(self, workspace: str, provider: str) -> bool:
        """Whether what is done for a workspace by a provider (empty: not known) is in it."""
        return self.workspace in ("", workspace) and self.provider in ("", provider)

    def __str__(self) -> str:
        if self.workspace:
            return f"the workspace {self.workspace}"
        return f"the provider {self.provider}" if self.provider else "the fleet"


FLEET = Scope()


class Freeze(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing starts and nothing is merged, until a person thaws it."""

    scope: Scope = FLEET
    reason: str = ""
    """Why; empty: nobody said."""
    hard: bool = False
    """Agents that run are suspended as well."""

    def __str__(self) -> str:
        hard = ", and its agents are suspended" if self.hard else ""
        return f"{self.scope} is frozen{hard}" + (f": {self.reason}" if self.reason else "")


class Throttle(msgspec.Struct, frozen=True, kw_only=True):
    """So many tasks at once, whatever room there is."""

    scope: Scope = FLEET
    most: int = 1
    by: str = ""
    """Who said so, such as `a command`; empty: nobody knows."""
    doubt: str = ""
    """Why what was said is no such number, so that `most` is a guess; empty: it is one."""

    def __str__(self) -> str:
        words = f"{self.scope} is throttled: {'one' if self.most == 1 else self.most} at a time"
        return words + (f", by {self.by}" if self.by else "") + (f", {self.doubt}" if self.doubt else "")


Brake = TypeVar("Brake", Freeze, Throttle)


class Brakes(msgspec.Struct, frozen=True):
    """All that are on, at most one freeze and one throttle a scope."""

    freezes: tuple[Freeze, ...] = ()
    throttles: tuple[Throttle, ...] = ()

    @property
    def frozen(self) -> bool:
        """Whether the whole fleet is frozen."""
        return self.freeze_of(FLEET) is not None

    @property
    def throttled(self) -> int:
        """How many tasks the fleet may run at once; 0: it is not throttled."""
        throttle = self.throttle_of(FLEET)
        return throttle.most if throttle else 0

    @property
    def scopes(self) -> frozenset[Scope]:
        """What is braked."""
        return frozenset({*(each.scope for each in self.freezes), *(each.scope for each in self.throttles)})

    @property
    def words(self) -> tuple[str, ...]:
        """What is braked, a sentence each, with what ends it."""
        return (
            *(f"{freeze}; `omni-tui thaw{freeze.scope.option}` goes on" for freeze in self.freezes),
            *(f"{throttle}; `omni-tui throttle off{throttle.scope.option}` ends that" for throttle in self.throttles),
        )

    def freeze_of(self, scope: Scope) -> Freeze | None:
        """Return the freeze of exactly this scope."""
        return next((freeze for freeze in self.freezes if freeze.scope == scope), None)

    def throttle_of(self, scope: Scope) -> Throttle | None:
        """Return the throttle of exactly this scope."""
        return next((throttle for throttle in self.throttles if throttle.scope == scope), None)

    def with_freeze(self, freeze: Freeze) -> Brakes:
        """Return these and another freeze, which takes the place of the one of its scope."""
        return msgspec.structs.replace(self, freezes=_with(self.freezes, freeze))

    def with_throttle(self, throttle: Throttle) -> Brakes:
        """Return these and another throttle, which takes the place of the one of its scope."""
        return msgspec.structs.replace(self, throttles=_with(self.throttles, throttle))

    def thawed(self, scope: Scope) -> Brakes:
        """Return these without the freeze of a scope."""
        return msgspec.structs.replace(self, freezes=tuple(each for each in self.freezes if each.scope != scope))

    def unthrottled(self, scope: Scope) -> Brakes:
        """Return these without the throttle of a scope."""
        return msgspec.structs.replace(self, throttles=tuple(each for each in self.throttles if each.scope != scope))

    def and_those(self, others: Brakes) -> Brakes:
        """Return these and others; of two in one scope the tighter one."""
        both = self
        for freeze in others.freezes:
            here = both.freeze_of(freeze.scope)
            if here is None or (freeze.hard and not here.hard):
                both = both.with_freeze(freeze)
        most = {throttle.scope: throttle.most for throttle in both.throttles}
        for throttle in others.throttles:
            if throttle.most < most.get(throttle.scope, throttle.most + 1):
                both = both.with_throttle(throttle)
        return both


def _with(there: tuple[Brake, ...], new: Brake) -> tuple[Brake, ...]:
    brakes: list[Brake] = [each for each in there if each.scope != new.scope]
    brakes.append(new)
    return tuple(sorted(brakes, key=attrgetter("scope")))
