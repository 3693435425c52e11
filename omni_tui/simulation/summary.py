"""Many nights at once: a line for each, and all of them as if they were one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from omni_tui.simulation.clock import Wakeups
from omni_tui.simulation.play import Played


def row_of(played: Played) -> str:
    """Return a night in one line."""
    broken = f"  VIOLATED {len(played.violations)}" if played.violations else ""
    stopped = "  stopped" if played.stopped else ""
    return (
        f"seed {played.seed:<6} {played.landed:>4} of {played.tasks} landed  {played.blocked:>3} blocked  "
        f"{played.attempts:>4} attempts  {played.restarts:>3} restarts{stopped}{broken}"
    )


def sum_up(nights: Sequence[Played]) -> Played:
    """Return the nights' numbers together; times are sums, too. Raises `IndexError` for none."""
    wakeups = Wakeups()
    for night in nights:
        wakeups.add(night.wakeups)
    first = nights[0]
    return Played(
        seed=first.seed,
        hours=sum(night.hours for night in nights),
        slots=first.slots,
        tasks=sum(night.tasks for night in nights),
        landed=sum(night.landed for night in nights),
        blocked=sum(night.blocked for night in nights),
        running=sum(night.running for night in nights),
        waiting=sum(night.waiting for night in nights),
        drained=sum(night.drained for night in nights),
        last_landing=sum(night.last_landing for night in nights),
        landed_in_all=sum(night.landed_in_all for night in nights),
        reasons={},
        stopped="",
        attempts=sum(night.attempts for night in nights),
        outcomes=_added(night.outcomes for night in nights),
        stalls=sum(night.stalls for night in nights),
        healed=sum(night.healed for night in nights),
        restarts=sum(night.restarts for night in nights),
        doubled=sum(night.doubled for night in nights),
        idle=sum(night.idle for night in nights),
        slot_time=sum(night.slot_time for night in nights),
        limited=sum(night.limited for night in nights),
        wakeups=wakeups,
        faults=_added(night.faults for night in nights),
        violations=tuple(words for night in nights for words in night.violations),
        lives=(),
        stints=(),
        digest="",
    )


def _added(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(total.most_common())
