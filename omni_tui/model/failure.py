"""A failure: why an attempt did not land, and what may follow."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class FailureKind(StrEnum):
    """Why an attempt ended without landing. Findings of the gate are failures of their own kind."""

    SETUP = "setup"
    """The worktree could not be prepared."""
    LAUNCH = "launch"
    """The agent could not be started."""
    HANDOVER = "handover"
    """The agent never signalled that it has the task."""
    STALLED = "stalled"
    OVERTIME = "overtime"
    """Longer than `wall_minutes`."""
    WAITING = "waiting"
    """It asked a person something, and nobody answered in time."""
    LOOP = "loop"
    """It did the same again and again; `detail` is `call` or `commit`."""
    BUDGET = "budget"
    """It used up the turns, tokens or money that it had."""
    MEMORY = "memory"
    """Its tree of processes used more memory than it may, and the kernel ended it."""
    FLOOD = "flood"
    """It wrote more output than an attempt may."""
    HARNESS = "harness"
    """The harness gave up: authentication, billing, its server."""
    LIMITED = "limited"
    """The provider's limit lasts longer than the attempt may."""
    GATE = "gate"
    """The gate blocked the change; `detail` names the first finding."""
    CONFLICT = "conflict"
    OVERTAKEN = "overtaken"
    """Others landed while it worked, and its change, which was good, does not merge with theirs."""
    CHECK = "check"
    """The check command failed, or ran out of time, on the merged tree."""
    KILLED = "killed"
    """A person killed it."""
    LOST = "lost"
    """The agent went away with its machine or its owner, not by itself."""
    ROUTING = "routing"
    """No agent can take the task: the one that it names is not there, or the workspace has none."""
    BASE = "base"
    """The check fails on the release branch as it was without the change."""
    FAULT = "fault"
    """Something of ours or the machine's failed, not the agent."""


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why one attempt failed. `message` is for a person and for the repair prompt."""

    kind: FailureKind
    message: str
    detail: str = ""
    """Narrows the kind: a finding's kind, `auth`, `rate_limit`."""
    output: str = ""
    """The end of the output that shows it, where there is any."""
    work: str = ""
    """The commit that keeps what the attempt had done; empty: nothing."""
    checkout: str = ""
    """The attempt's checkout, where it stays because not all of that could be committed."""
    until: float | None = None
    """LIMITED: when the limit ends, UTC seconds."""
    final: str = ""
    """Why no attempt may follow, whatever has failed; empty: one may."""

    @property
    def cause(self) -> str:
        """The kind that repairs are counted by."""
        return f"{self.kind}:{self.detail}" if self.detail else str(self.kind)


class MoveKind(StrEnum):
    """What follows a failure."""

    RETRY = "retry"
    """The same again: the fault was not in the work."""
    REPAIR = "repair"
    """Again, with what went wrong in the prompt."""
    BLOCK = "block"
    """A person must look."""


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """What follows a failure, and why."""

    kind: MoveKind
    reason: str
    delay: float = 0.0
    """Seconds to wait before the next attempt."""
