"""Supervision: whether an attempt still has its task to take, may go on, or has ended, and how.

All times are monotonic seconds, which stand still while the machine sleeps; only a provider's limit is told in UTC. The
caller reads every signal there is before it asks, so that an agent that signalled and then exited is judged by both.
"""

from __future__ import annotations

import msgspec

from omni_tui.model.failure import Failure, FailureKind
from omni_tui.model.signal import Health
from omni_tui.policy.budget import UNREAD_MINUTES, overrun, unread
from omni_tui.policy.evidence import LOOK_SECONDS
from omni_tui.policy.loops import repeated_call, repeated_commit
from omni_tui.policy.patience import look_seconds, needs_opinion, runs_out, silence, with_detail
from omni_tui.policy.vitals import OF_AN_ATTEMPT, Bounds, Moment, Vitals

CANNOT_RUN = (126, 127)
"""A shell's exit statuses for a program that is not executable, or not there."""

ENDED_FROM_OUTSIDE = {129: "its terminal was hung up", 137: "it was killed", 143: "it was told to end"}
"""A shell's exit statuses for SIGHUP, SIGKILL and SIGTERM, which no program sends itself for its work's sake."""

MEGABYTE = 1_000_000


class Ending(msgspec.Struct, frozen=True):
    """The attempt's agent is through: `failure` says why; None: it finished, so look at what it made."""

    failure: Failure | None = None
    status: int | None = None
    """Its exit status, where it is through because it exited."""


class Wait(msgspec.Struct, frozen=True):
    """Nothing to do until `until` (monotonic) or the next signal."""

    until: float


class Doubt(msgspec.Struct, frozen=True):
    """Its silence alone would end it: look at its processes now and again in `seconds`, then ask again."""

    seconds: float


class Accepted(msgspec.Struct, frozen=True):
    """The agent has its task."""


def judge_handover(vitals: Vitals, now: Moment, bounds: Bounds) -> Ending | Wait | Accepted:
    """Judge an attempt that was launched and has to confirm that it has the task."""
    if vitals.accepted:
        return Accepted()
    ending = _given_up(vitals, now, bounds)
    if ending is not None:
        return ending
    if vitals.exited:
        return Ending(_left_before_handover(vitals))
    deadline = vitals.started + bounds.limits.handover_seconds
    if now.monotonic < deadline:
        return Wait(deadline)
    if vitals.health is Health.LIMITED:
        return Ending(_limited(vitals))
    waited = f"it did not signal within {bounds.limits.handover_seconds:g} s that it has its task"
    return Ending(Failure(kind=FailureKind.HANDOVER, message=with_detail(waited, vitals)))


def judge_watch(vitals: Vitals, now: Moment, bounds: Bounds) -> Ending | Wait | Doubt:
    """Judge an attempt that has its task: exit, finish, excess, silence and wall clock end it."""
    ending = _given_up(vitals, now, bounds)
    if ending is not None:
        return ending
    if vitals.health is Health.FINISHED:
        return Ending()
    if vitals.exited:
        return Ending(_lost(vitals) if ended_from_outside(vitals.status) else None, vitals.status)
    excess = _excess(vitals, bounds)
    if excess is not None:
        return Ending(excess)
    due = vitals.started + UNREAD_MINUTES * 60
    if bounds.money and not vitals.tells and now.monotonic >= due:
        detail = "" if bounds.own_money else "unread"
        return Ending(Failure(kind=FailureKind.BUDGET, detail=detail, message=unread(bounds.money)))
    judged = _judge_time(vitals, now, bounds)
    if isinstance(judged, Wait) and bounds.money and not vitals.tells:
        return Wait(min(judged.until, due))
    return judged


def _spent(vitals: Vitals, bounds: Bounds) -> Failure | None:
    """Return the failure of one that has used up a budget: its own, its task's, or one that it shares."""
    if over := overrun(vitals.used, bounds.attempt, OF_AN_ATTEMPT):
        return Failure(kind=FailureKind.BUDGET, detail="attempt", message=f"the attempt has used {over}")
    if over := overrun(bounds.before + vitals.used, bounds.task, bounds.set_by):
        return Failure(kind=FailureKind.BUDGET, message=f"the task has used {over}")
    for ledger in bounds.shared:
        if over := ledger.passed(vitals.used):
            message = f"{ledger.name} has used {over}"
            return Failure(kind=FailureKind.BUDGET, detail=ledger.kind, message=message)
    return None


def _excess(vitals: Vitals, bounds: Bounds) -> Failure | None:
    """Return the failure of an agent that is busy, and ought not to be: it spends, loops or writes too much."""
    limits = bounds.limits
    if spent := _spent(vitals, bounds):
        return spent
    if call := repeated_call(vitals.calls, limits.loop_repeats):
        message = f"it does the same again and again, {limits.loop_repeats} times by now: {call}"
        return Failure(kind=FailureKind.LOOP, detail="call", message=message)
    if paths := repeated_commit(vitals.commits, limits.loop_commits):
        message = f"its last {limits.loop_commits} commits are small ones to the same files ({paths})"
        message += f", the last of them: {vitals.commits[-1].subject}"
        return Failure(kind=FailureKind.LOOP, detail="commit", message=message)
    if limits.output_mb and vitals.output > limits.output_mb * MEGABYTE:
        message = f"it wrote more output than the {limits.output_mb:,} MB that it may"
        return Failure(kind=FailureKind.FLOOD, message=message)
    return None


def _judge_time(vitals: Vitals, now: Moment, bounds: Bounds) -> Ending | Wait | Doubt:
    """Let it go on until it has been silent, or at work, for too long; both end it without a look at its change."""
    wall = vitals.started + bounds.limits.wall_minutes * 60
    silent = runs_out(vitals, now, bounds)
    if now.monotonic >= wall:
        message = f"not finished after {bounds.limits.wall_minutes:g} minutes; it was {vitals.health}"
        return Ending(Failure(kind=FailureKind.OVERTIME, message=with_detail(message, vitals)))
    if now.monotonic < silent:
        return Wait(min(wall, silent))
    if vitals.health is Health.LIMITED:
        return Ending(_limited(vitals))
    if needs_opinion(vitals, now, bounds):
        return Doubt(look_seconds(bounds, LOOK_SECONDS))
    return Ending(silence(vitals, now, bounds))


def _given_up(vitals: Vitals, now: Moment, bounds: Bounds) -> Ending | None:
    """End what cannot go on: the harness says so, or its provider's limit lasts longer than the attempt may."""
    if vitals.fatal == "rate_limit":
        return Ending(_limited(vitals))
    if vitals.fatal:
        message = f"the harness gave up ({vitals.fatal})"
        return Ending(Failure(kind=FailureKind.HARNESS, message=with_detail(message, vitals), detail=vitals.fatal))
    if vitals.health is Health.LIMITED and vitals.until is not None and vitals.until > now.utc:
        wall = vitals.started + bounds.limits.wall_minutes * 60
        if now.monotonic + vitals.until - now.utc > wall:
            return Ending(_limited(vitals))
    return None


def _left_before_handover(vitals: Vitals) -> Failure:
    if ended_from_outside(vitals.status):
        return _lost(vitals)
    if vitals.status in CANNOT_RUN:
        message = f"its program could not be run (exit status {vitals.status})"
        return Failure(kind=FailureKind.LAUNCH, message=with_detail(message, vitals))
    how = "exited cleanly" if vitals.status == 0 else f"exited with status {vitals.status}"
    message = f"it started, {how}, and never took its task"
    return Failure(kind=FailureKind.HANDOVER, message=with_detail(message, vitals))


def ended_from_outside(status: int | None) -> bool:
    """Whether a process that ended so was ended by its machine, terminal or owner; None: nobody could tell."""
    return status is None or status in ENDED_FROM_OUTSIDE


def _lost(vitals: Vitals) -> Failure:
    if vitals.over_mb:
        message = f"its tree of processes used more than {vitals.over_mb:,.0f} MB of memory, its cap"
        return Failure(kind=FailureKind.MEMORY, message=message)
    how = "it went away without an exit status"
    if vitals.status is not None:
        how = f"{ENDED_FROM_OUTSIDE[vitals.status]} (exit status {vitals.status})"
    return Failure(kind=FailureKind.LOST, message=f"{how}: ended from outside")


def _limited(vitals: Vitals) -> Failure:
    message = with_detail("its provider's limit lasts longer than the attempt may", vitals)
    return Failure(kind=FailureKind.LIMITED, message=message, detail="rate_limit", until=vitals.until)
