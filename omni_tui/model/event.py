"""An event: one line of the journal. What happened, append only."""

from __future__ import annotations

from typing import Any

import msgspec

from omni_tui.model.moment import Moment


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that happened. Names are `<noun>.<past verb>`, as in `task.claimed`; all are in `EVENTS`."""

    time: Moment
    """UTC seconds."""
    event: str
    workspace: str = ""
    task: str = ""
    attempt: int = 0
    epoch: str = ""
    """The lease under which it happened."""
    data: dict[str, Any] = msgspec.field(default_factory=dict)


EVENTS = {
    "core.started": "a process took the lease and began to dispatch; data: mode, pid, frozen",
    "fleet.unguarded": "the settings let agents run without a sandbox",
    "core.stopped": "it let go; data: reason",
    "core.fault": "something of ours failed; data: where, error",
    "config.taken": "a changed configuration is in force; data: file, later (what counts from the next start)",
    "config.refused": "a bad configuration was left aside; data: error",
    "flags.taken": "a workspace's changed flags are in force; data: file, changes",
    "flags.refused": "bad ones were left aside; data: file, error",
    "workspace.opened": "a workspace can take tasks",
    "workspace.closed": "its directory has gone; data: reason",
    "workspace.refused": "a workspace cannot be used; data: error",
    "workspace.spare_failed": "a spare checkout could not be prepared, so starts wait for theirs; data: error",
    "survey.failed": "the repository could not tell what tasks will touch, so only what they say counts; data: error",
    "plan.taken": "a frozen plan is in force, or one was let go; data: waves",
    "plan.refused": "a plan.toml was left aside, the last good one stays in force; data: error",
    "task.offered": "made of what a source offers; data: source, key",
    "offer.refused": "it makes no task; data: source, key, error",
    "source.failed": "it cannot be asked or told; data: source, error, until (None: something has to happen first)",
    "source.answered": "it answers again; data: source",
    "slots.wanted": "another number of tasks waits for a slot alone; data: ready (at most slots), slots, running",
    "task.refused": "a file could not be read as a task; data: file, error",
    "task.unreadable": "a file in doing/ is no task any more; data: file, error",
    "task.claimed": "moved from todo/ to doing/",
    "task.adopted": "found in doing/, where it did not run; data: reason",
    "task.landed": "its change is on the release branch; data: commit, release; after a crash also found_later, at",
    "task.blocked": "a person must look; data: reason, found_later",
    "task.requeued": "moved back to todo/; data: reason",
    "task.withdrawn": "a person's hand took its file out of doing/, or spoilt it there; data: reason",
    "attempt.started": "an attempt was given an agent; data: agent, harness, provider, chosen (why who serves it)",
    "attempt.phase": "it went on to another phase; data: phase",
    "attempt.signal": "its agent's health changed; data: health, source, detail",
    "attempt.refused": "its agent wanted to reach a host that is not allowed; data: place, reason",
    "attempt.uncapped": "what its agent takes of the machine is to be capped, and cannot be here",
    "attempt.failed": "it ended without landing; data: kind, message, until, signs, work (what keeps any)",
    "attempt.usage": "what its agent has used so far; data: turns, tokens, usd, minutes",
    "attempt.killed": "its whole process tree is gone; data: receipt",
    "attempt.rescued": "unfinished work was kept; data: kept, ref, commit, left_out, checkout",
    "attempt.judged": "the gate has spoken; data: grade, findings",
    "conflict.seen": "a change in flight does not merge with another one, or with what landed; data: other, files",
    "landing.delayed": "it lets another change land first with which it conflicts; data: other, files",
    "landing.cleared": "nobody lands before it any more; data: other, reason",
    "check.finished": "the check command ended; data: passed, seconds",
    "release.pushed": "the release branch was pushed to where it came from",
    "release.not_pushed": "it was not; data: reason",
    "request.done": "a request was carried out; data: kind",
    "request.refused": "a request could not be carried out; data: kind, error",
    "disk.low": "the fleet's disk has less free than its reserve, so nothing starts; data: reason",
    "disk.enough": "it has enough again",
    "load.high": "the machine has too little left for another agent; data: reason (which limit, value)",
    "load.eased": "it has enough again",
    "task.parked": "its agent makes room, because memory is about to run out; data: reason",
    "machine.slept": "the machine was suspended, or its clock was set ahead; data: seconds",
    "provider.parked": "a provider gets no new attempt; data: provider, reason, until, row, alone, premise, budget",
    "provider.checked": "a preflight has tried it; data: provider, passed, seconds, kind, message, until",
    "provider.slots": "the gate's verdicts changed how many it serves; data: provider, slots, of, rejected, judged",
    "provider.resumed": "it serves again; data: provider",
    "provider.changed": "what it was parked for may be mended, so it is tried again; data: provider",
    "budget.near": "a budget is nearly used up; data: budget, used",
    "cause.found": "several tasks failed with the same sign; data: sign, tasks",
    "workspace.broken": "its check fails on the release branch as it is, so nothing can land; data: reason",
    "base.moved": "the default branch changed where the repository came from; data: reason",
    "fleet.stopped": "no new starts until a person thaws it; data: reason, unserved (until somebody serves)",
    "attempt.suspended": "a hard freeze has its agent stand still",
    "attempt.resumed": "its agent goes on; data: seconds (that it stood still)",
    "fleet.frozen": "no new starts and no merges; data: reason, hard",
    "fleet.thawed": "starts again",
    "fleet.throttled": "fewer at once; data: most",
    "fleet.unthrottled": "as many as there are slots",
    "part.frozen": "no new starts and no merges in a workspace or of a provider; data: part, reason, hard",
    "part.thawed": "starts again; data: part",
    "part.throttled": "fewer at once in a workspace or of a provider; data: part, most",
    "part.unthrottled": "as many as there are slots; data: part",
    "fleet.idle": "nothing runs and nothing can start; data: reason (what a person has to end, if anything)",
}
"""Every event there is, with what it means: the journal's vocabulary."""
