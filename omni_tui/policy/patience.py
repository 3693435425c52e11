"""Patience: how long the silence of an agent is borne, by what it was doing when it fell silent."""

from __future__ import annotations

from omni_tui.model.failure import Failure, FailureKind
from omni_tui.model.signal import Health
from omni_tui.policy.vitals import Bounds, Moment, Vitals

MINUTE = 60.0


def runs_out(vitals: Vitals, now: Moment, bounds: Bounds) -> float:
    """Return the moment at which its silence has lasted long enough to be judged."""
    stall, tool = bounds.limits.stall_minutes * MINUTE, bounds.limits.tool_minutes * MINUTE
    if vitals.health is Health.WAITING:
        asked = vitals.last_signal if vitals.waiting_since is None else vitals.waiting_since
        return asked + (bounds.questions.ask_minutes * MINUTE if bounds.questions.policy == "ask" else stall)
    if vitals.health is Health.LIMITED and vitals.until is not None:
        return max(vitals.last_signal, now.monotonic + vitals.until - now.utc) + stall
    if vitals.health is Health.TOOL:
        return vitals.last_signal + max(stall, tool)
    opinion = vitals.opinion
    if opinion is not None and opinion.alive and opinion.at >= vitals.last_signal:
        return min(opinion.at + stall, vitals.last_signal + stall + tool)
    return vitals.last_signal + stall


def needs_opinion(vitals: Vitals, now: Moment, bounds: Bounds) -> bool:
    """Whether the machine must be asked before this silence, which has run out, ends a live agent.

    Not where a second signal agrees already, nor where the silence says itself why: a question, a limit, a tool.
    """
    if vitals.session or vitals.health in (Health.WAITING, Health.LIMITED, Health.TOOL):
        return False
    if now.monotonic >= vitals.last_signal + (bounds.limits.stall_minutes + bounds.limits.tool_minutes) * MINUTE:
        return False
    return vitals.opinion is None or vitals.opinion.at < runs_out(vitals, now, bounds)


def look_seconds(bounds: Bounds, longest: float) -> float:
    """Return how far apart the two looks of a second opinion are: a tenth of the patience, `longest` at most."""
    return min(longest, bounds.limits.stall_minutes * MINUTE / 10)


def silence(vitals: Vitals, now: Moment, bounds: Bounds) -> Failure:
    """Return the failure of one whose silence has run out."""
    minutes = max(0.0, now.monotonic - vitals.last_signal) / MINUTE
    if vitals.health is Health.WAITING:
        patience = bounds.questions.ask_minutes if bounds.questions.policy == "ask" else bounds.limits.stall_minutes
        message = f"it asked a person something, and nobody answered within {patience:g} minutes"
        return Failure(kind=FailureKind.WAITING, message=with_detail(message, vitals))
    if vitals.health is Health.TOOL:
        message = f"a tool ran for {minutes:.3g} minutes without a signal"
        return Failure(kind=FailureKind.STALLED, detail="tool", message=with_detail(message, vitals))
    message = f"silent for {minutes:.3g} minutes; its last signal was {vitals.health}"
    if vitals.session:
        message += ", and the record of its session stood still"
    elif vitals.opinion is not None and vitals.opinion.at >= vitals.last_signal:
        message += f", and {vitals.opinion.words}"
    return Failure(kind=FailureKind.STALLED, message=with_detail(message, vitals))


def with_detail(message: str, vitals: Vitals) -> str:
    """Add what the last signal said."""
    return f"{message}: {vitals.detail}" if vitals.detail else message
