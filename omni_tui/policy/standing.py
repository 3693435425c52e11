"""How providers stand: breaker, slots, budget and record put together, for routing, scheduling and the list of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

import msgspec

from omni_tui.model.course import Course, Parked
from omni_tui.model.provider import Provider, Standing
from omni_tui.policy.breaker import Breaker, state_of
from omni_tui.policy.budget import as_limit, reached, share_of, spent_on
from omni_tui.policy.feedback import LATEST, rejected, slots_after

SPENT = "its budget is spent: {}; `omni-tui thaw` begins it again"


def standings(
    providers: Mapping[str, Provider], course: Course, serving: Collection[str], now: float
) -> dict[str, Standing]:
    """Return how each provider stands that has a file, is parked or serves; `serving` names who serves each agent."""
    used = Counter(name for name in serving if name)
    names = dict.fromkeys((*providers, *course.parked, *used))
    drawn = Counter(ledger_of(name, providers) for name in used.elements())
    found = {}
    for name in names:
        parked = parked_in(name, providers, course)
        state = state_of(parked, now)
        spent, verdicts = spent_on(course, name), course.verdicts.get(name, ())
        found[name] = _filed(
            Standing(
                name=name,
                state=state.value,
                reason=parked.reason if parked else "",
                until=parked.until if parked else None,
                used=used[name],
                probing=state is not Breaker.CLOSED and drawn[ledger_of(name, providers)] > 0,
                rejected=rejected(verdicts),
                judged=len(verdicts[-LATEST:]),
                usd=spent.usd,
                tokens=spent.tokens,
            ),
            providers.get(name),
            course,
        )
    return found


def _filed(standing: Standing, provider: Provider | None, course: Course) -> Standing:
    """Add what a provider's file says of it; one without a file has no limits."""
    if provider is None:
        return standing
    used, limit = spent_on(course, provider.name), as_limit(provider.night)
    spent = reached(used, limit)
    closed = standing.state == Breaker.CLOSED
    return msgspec.structs.replace(
        standing,
        slots=slots_after(course.verdicts.get(provider.name, ()), provider.slots),
        of=provider.slots,
        unproven=provider.preflight and not (closed and provider.name in course.proven),
        spent=SPENT.format(spent) if spent else "",
        share=share_of(used, limit),
        priority=provider.priority,
        price=provider.cost.input + provider.cost.output,
        labels=provider.labels,
    )


def ledger_of(name: str, providers: Mapping[str, Provider]) -> str:
    """Return the account that a provider draws on; one without a file has its own."""
    provider = providers.get(name)
    return provider.ledger if provider is not None else name


def mates(name: str, providers: Mapping[str, Provider]) -> tuple[str, ...]:
    """Return the other providers of the same account."""
    ledger = ledger_of(name, providers)
    return tuple(other for other in providers if other != name and ledger_of(other, providers) == ledger)


def parked_in(name: str, providers: Mapping[str, Provider], course: Course) -> Parked | None:
    """Return how a provider is parked: by itself, or with one of the same account, whichever lasts longer."""
    own = [course.parked[name]] if name in course.parked else []
    shared = [course.parked[mate] for mate in mates(name, providers) if mate in course.parked]
    found = [*own, *(each for each in shared if not each.alone)]
    return max(found, key=lambda parked: float("inf") if parked.until is None else parked.until, default=None)


def is_due(standing: Standing) -> bool:
    """Whether a preflight should look now whether a provider serves."""
    return standing.unproven and standing.state != Breaker.OPEN and not standing.spent
