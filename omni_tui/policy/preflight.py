"""The judgement of a preflight: whether the tiny task that was given to a provider has proved that it serves."""

from __future__ import annotations

import msgspec

from omni_tui.model.failure import Failure, FailureKind
from omni_tui.model.settings import LimitSettings
from omni_tui.model.signal import Health
from omni_tui.policy.patience import with_detail
from omni_tui.policy.supervision import CANNOT_RUN, Ending, Wait, judge_handover, judge_watch
from omni_tui.policy.vitals import Bounds, Moment, Vitals

SECONDS = 20.0
"""The longest that a preflight may take."""

SETTLE_SECONDS = 1.0
"""A program of the user's knows nothing of preflights: one that has its task, and no trouble for so long, serves."""

PROMPT = """\
This only tries whether you can work here. Change nothing and use no tool: answer with the one word `ready`, and stop.
"""


class Proved(msgspec.Struct, frozen=True):
    """It serves."""


def judge(vitals: Vitals, now: Moment, *, answers: bool) -> Proved | Failure | Wait:
    """Judge a preflight that was begun at `vitals.started`; `answers`: the harness tells when the model has answered.

    Each failure is the one that an attempt would have had.
    """
    deadline = vitals.started + SECONDS
    limits = LimitSettings(handover_seconds=SECONDS, wall_minutes=SECONDS / 60, stall_minutes=SECONDS / 60)
    if vitals.health is Health.LIMITED and not vitals.fatal:
        message = with_detail("its usage limit is reached", vitals)
        return Failure(kind=FailureKind.LIMITED, message=message, detail="rate_limit", until=vitals.until)
    bounds = Bounds(limits=limits)
    handed = judge_watch(vitals, now, bounds) if vitals.fatal else judge_handover(vitals, now, bounds)
    if isinstance(handed, Ending) and handed.failure is not None:
        return handed.failure
    if isinstance(handed, Wait):
        return Wait(min(handed.until, deadline))
    if vitals.health is Health.FINISHED:
        return Proved()
    if vitals.exited:
        return Proved() if vitals.status == 0 and not answers else _left(vitals)
    settled = vitals.last_signal + SETTLE_SECONDS
    if not answers:
        return Proved() if now.monotonic >= settled else Wait(settled)
    if now.monotonic >= deadline:
        return Failure(kind=FailureKind.OVERTIME, message=with_detail(f"no answer within {SECONDS:.0f} s", vitals))
    return Wait(deadline)


def _left(vitals: Vitals) -> Failure:
    kind = FailureKind.LAUNCH if vitals.status in CANNOT_RUN else FailureKind.HANDOVER
    return Failure(kind=kind, message=with_detail(f"it exited with status {vitals.status}", vitals))
