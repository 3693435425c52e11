"""Retry: bounds what reactions propose. Reactions say what would help; this says what is allowed.

Every failure stands for one attempt. Some consume none of them, because the work was not at fault.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from omni_tui.model.failure import Failure, FailureKind, Move, MoveKind
from omni_tui.model.settings import LimitSettings
from omni_tui.model.task import Task
from omni_tui.policy.breaker import SLACK_SECONDS, TURNED_AWAY, spread
from omni_tui.policy.budget import SHARED
from omni_tui.policy.outage import SERVER

FREE = (FailureKind.LOST, FailureKind.LIMITED, FailureKind.BASE, FailureKind.OVERTAKEN)
"""Kinds of failures that consume no attempt; nor does being turned away by a provider or failed by its server, or
that a budget which it shares is used up."""

FREE_IN_A_ROW = 5
"""After so many of them in a row another try is no cure (restart intensity, as OTP has it); a limit is waited out."""

OUTAGES_IN_A_ROW = 16
"""The same for failures of the model's server, where nobody else shows whose fault they are: with the pauses of its
provider between them they last a night."""


def decide(
    task: Task,
    failures: Sequence[Failure],
    proposal: Move | None,
    limits: LimitSettings,
    now: float,
    blamed: int = 0,
) -> Move:
    """Return what follows the last of `failures` (oldest first, at least one); `now` is in UTC seconds.

    `blamed` of its provider's server's failures are the task's own doing.
    """
    last = failures[-1]
    if last.kind is FailureKind.KILLED:
        return _block(f"killed by a person: {last.message}" if last.message else "killed by a person")
    if proposal is None:
        return _block(f"nothing is known to help: {last.message}")
    if proposal.kind is MoveKind.BLOCK:
        return proposal
    refusal = _refusal(failures, proposal, limits, blamed)
    if refusal:
        return _block(f"{last.message} ({refusal})")
    delay = spread(max(0.0, proposal.delay), f"{task.ref} {len(failures)}")
    if last.cause == SERVER and not blamed:
        delay = 0.0  # its provider is parked: that is the pause
    if last.kind is FailureKind.LIMITED and last.until is not None:
        delay = max(delay, last.until - now + SLACK_SECONDS)
    return Move(kind=proposal.kind, reason=proposal.reason, delay=delay)


def _refusal(failures: Sequence[Failure], proposal: Move, limits: LimitSettings, blamed: int) -> str:
    """Return why there may be no other attempt; empty: there may."""
    last = failures[-1]
    if last.final:
        return last.final
    row = sum(1 for _ in takewhile(lambda failure: failure.cause == last.cause, reversed(failures)))
    most = OUTAGES_IN_A_ROW if last.cause == SERVER else FREE_IN_A_ROW
    if _is_free(last) and last.kind is not FailureKind.LIMITED and row >= most:
        return f"{last.cause} {row} times in a row"
    used = sum(not _is_free(failure) for failure in failures) + blamed
    if last.cause == SERVER and blamed and used >= limits.attempts:
        return f"its provider serves others, and fails it each time: {used} of {limits.attempts} attempts are used up"
    if not _is_free(last) and used >= limits.attempts:
        return f"{used} of {limits.attempts} attempts are used up"
    same = sum(failure.cause == last.cause for failure in failures)
    if proposal.kind is MoveKind.REPAIR and same > limits.repairs:
        return f"no repair of {last.cause} is left (limit: {limits.repairs})"
    return ""


def _is_free(failure: Failure) -> bool:
    return failure.kind in FREE or failure.cause in {SERVER, *TURNED_AWAY, *SHARED}


def _block(reason: str) -> Move:
    return Move(kind=MoveKind.BLOCK, reason=reason)
