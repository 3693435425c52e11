"""Supervision: whether an attempt still has its task to take, may go on, or has ended, and how.

All times are monotonic seconds, which stand still while the machine sleeps; only a provider's limit is told in UTC. The
caller reads every signal there is before it asks, so that an agent that signalled and then exited is judged by both.
"""

from __future__ import annotations

import msgspec

from omni_tui.model.failure import Failure, FailureKind
from omni_tui.model.settings import LimitSettings
from omni_tui.model.signal import Health

CANNOT_RUN = (126, 127)
"""A shell's exit statuses for a program that is not executable, or not there."""

ENDED_FROM_OUTSIDE = {129: "its terminal was hung up", 137: "it was killed", 143: "it was told to end"}
"""A shell's exit statuses for SIGHUP, SIGKILL and SIGTERM, which no program sends itself for its work's sake."""


class Vitals(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a running attempt."""

    started: float
    """When the agent was started."""
    last_signal: float
    """When the last structured signal came; `started` while none has."""
    accepted: bool = False
    """The agent itself has signalled that it has the task."""
    health: Health = Health.STARTING
    exited: bool = False
    status: int | None = None
    """The exit status as a shell tells it; None with `exited`: nobody could record it, as after a kill -9."""
    fatal: str = ""
    """Why the harness cannot go on: `auth`, `billing`, `server`, `rate_limit`; empty: it can."""
    detail: str = ""
    """What the last signal said, for a person."""
    until: float | None = None
    """LIMITED: when the limit ends, UTC seconds."""


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """The time of a judgement on both clocks."""

    monotonic: float
    utc: float


class Ending(msgspec.Struct, frozen=True):
    """The attempt's agent is through: `failure` says why; None: it finished, so look at what it made."""

    failure: Failure | None = None


class Wait(msgspec.Struct, frozen=True):
    """Nothing to do until `until` (monotonic) or the next signal."""

    until: float


class Accepted(msgspec.Struct, frozen=True):
    """The agent has its task."""


def judge_handover(vitals: Vitals, now: Moment, limits: LimitSettings) -> Ending | Wait | Accepted:
    """Judge an attempt that was launched and has to confirm that it has the task."""
    if vitals.accepted:
        return Accepted()
    ending = _given_up(vitals, now, limits)
    if ending is not None:
        return ending
    if vitals.exited:
        return Ending(_left_before_handover(vitals))
    deadline = vitals.started + limits.handover_seconds
    if now.monotonic < deadline:
        return Wait(deadline)
    if vitals.health is Health.LIMITED:
        return Ending(_limited(vitals))
    waited = f"it did not signal within {limits.handover_seconds:g} s that it has its task"
    return Ending(Failure(kind=FailureKind.HANDOVER, message=_with_detail(waited, vitals)))


def judge_watch(vitals: Vitals, now: Moment, limits: LimitSettings) -> Ending | Wait:
    """Judge an attempt that has its task: exit, finish, silence and wall clock end it."""
    ending = _given_up(vitals, now, limits)
    if ending is not None:
        return ending
    if vitals.health is Health.FINISHED:
        return Ending()
    if vitals.exited:
        return Ending(_lost(vitals) if ended_from_outside(vitals.status) else None)
    return _judge_time(vitals, now, limits)


def _judge_time(vitals: Vitals, now: Moment, limits: LimitSettings) -> Ending | Wait:
    """Let it go on until it has been silent, or at work, for too long; both end it without a look at its change."""
    wall = vitals.started + limits.wall_minutes * 60
    silent = _silent_since(vitals, now) + limits.stall_minutes * 60
    if now.monotonic >= wall:
        message = f"not finished after {limits.wall_minutes:g} minutes; it was {vitals.health}"
        return Ending(Failure(kind=FailureKind.OVERTIME, message=_with_detail(message, vitals)))
    if now.monotonic < silent:
        return Wait(min(wall, silent))
    if vitals.health is Health.LIMITED:
        return Ending(_limited(vitals))
    return Ending(_stalled(vitals, limits))


def _stalled(vitals: Vitals, limits: LimitSettings) -> Failure:
    message = f"silent for {limits.stall_minutes:g} minutes; its last signal was {vitals.health}"
    if vitals.health is Health.WAITING:
        message = f"it asked a person something, and nobody answered within {limits.stall_minutes:g} minutes"
    return Failure(kind=FailureKind.STALLED, message=_with_detail(message, vitals))


def _given_up(vitals: Vitals, now: Moment, limits: LimitSettings) -> Ending | None:
    """End what cannot go on: the harness says so, or its provider's limit lasts longer than the attempt may."""
    if vitals.fatal == "rate_limit":
        return Ending(_limited(vitals))
    if vitals.fatal:
        message = f"the harness gave up ({vitals.fatal})"
        return Ending(Failure(kind=FailureKind.HARNESS, message=_with_detail(message, vitals), detail=vitals.fatal))
    if vitals.health is Health.LIMITED and vitals.until is not None and vitals.until > now.utc:
        wall = vitals.started + limits.wall_minutes * 60
        if now.monotonic + vitals.until - now.utc > wall:
            return Ending(_limited(vitals))
    return None


def _left_before_handover(vitals: Vitals) -> Failure:
    if ended_from_outside(vitals.status):
        return _lost(vitals)
    if vitals.status in CANNOT_RUN:
        message = f"its program could not be run (exit status {vitals.status})"
        return Failure(kind=FailureKind.LAUNCH, message=_with_detail(message, vitals))
    how = "exited cleanly" if vitals.status == 0 else f"exited with status {vitals.status}"
    message = f"it started, {how}, and never took its task"
    return Failure(kind=FailureKind.HANDOVER, message=_with_detail(message, vitals))


def ended_from_outside(status: int | None) -> bool:
    """Whether a process that ended so was ended by its machine, terminal or owner; None: nobody could tell."""
    return status is None or status in ENDED_FROM_OUTSIDE


def _lost(vitals: Vitals) -> Failure:
    how = "it went away without an exit status"
    if vitals.status is not None:
        how = f"{ENDED_FROM_OUTSIDE[vitals.status]} (exit status {vitals.status})"
    return Failure(kind=FailureKind.LOST, message=f"{how}: ended from outside")


def _limited(vitals: Vitals) -> Failure:
    message = _with_detail("its provider's limit lasts longer than the attempt may", vitals)
    return Failure(kind=FailureKind.LIMITED, message=message, detail="rate_limit", until=vitals.until)


def _with_detail(message: str, vitals: Vitals) -> str:
    return f"{message}: {vitals.detail}" if vitals.detail else message


def _silent_since(vitals: Vitals, now: Moment) -> float:
    """Return from when its silence counts; a limit whose end is known is no silence before that end."""
    if vitals.health is Health.LIMITED and vitals.until is not None:
        return max(vitals.last_signal, now.monotonic + vitals.until - now.utc)
    return vitals.last_signal
