"""Narration: one event as a sentence for a person, for the headless run and the report."""

from __future__ import annotations

from datetime import datetime

from omni_tui.model.event import Event
from omni_tui.model.text import clean, one_line

SENTENCES = {
    "core.started": "dispatching ({mode}, pid {pid}){but_frozen}",
    "fleet.unguarded": "NO SANDBOX: agents, checks and set-up commands can read and change all that you can",
    "core.stopped": "stopped: {reason}",
    "core.fault": "{where} failed: {error}",
    "config.taken": "{file} has changed and is in force{except_for}",
    "config.refused": "{file} is not taken over: {error}",
    "flags.taken": "{file} has changed: {changes}",
    "flags.refused": "{file} is not taken over: {error}",
    "workspace.opened": "is open",
    "workspace.closed": "closed: {reason}",
    "workspace.refused": "cannot be used: {error}",
    "workspace.spare_failed": "no spare checkout: {error}",
    "survey.failed": "what the tasks of {workspace} will touch could not be looked up: {error}",
    "plan.taken": "the frozen plan of {workspace} is in force: {waves} waves",
    "plan.refused": "the plan.toml of {workspace} was left aside: {error}",
    "task.offered": "comes from {key}",
    "offer.refused": "{key} makes no task: {error}",
    "source.failed": "{source} cannot be asked{until_when}: {error}",
    "source.answered": "{source} answers again",
    "task.refused": "{file} is no task: {error}",
    "task.unreadable": "doing/{file} cannot be read: {error}",
    "task.claimed": "claimed",
    "task.adopted": "taken over{because}",
    "task.landed": "landed on {release} as {commit:.10}{found}",
    "task.blocked": "blocked{found}: {reason}",
    "task.requeued": "back in todo/: {reason}",
    "task.withdrawn": "withdrawn: {reason}",
    "attempt.started": "{agent} starts ({harness})",
    "attempt.refused": "wanted to reach {place}, which {reason}",
    "attempt.uncapped": "cannot be held to its caps here; `omni-tui doctor` tells why",
    "attempt.failed": "failed ({kind}): {message}",
    "attempt.rescued": "unfinished work is kept: {kept}",
    "attempt.judged": "the gate gives it {grade}",
    "conflict.seen": "conflicts with {other}: both change {files}",
    "landing.delayed": "waits for {other} to land: both change {files}",
    "landing.cleared": "goes on to land: {other} {reason}",
    "check.finished": "check {verb} after {seconds:.1f} s",
    "release.pushed": "release branch pushed",
    "release.not_pushed": "release branch not pushed: {reason}",
    "request.done": "{kind} {for_task} carried out",
    "request.refused": "{kind} {for_task} refused: {error}",
    "disk.low": "nothing starts: {reason}",
    "disk.enough": "there is room on the disk again",
    "load.high": "no more starts for now: {reason}",
    "load.eased": "the machine has room again",
    "task.parked": "makes room: {reason}",
    "machine.slept": "the machine slept for {seconds:.0f} s; deadlines go on from here",
    "provider.parked": "{provider} gets no new attempt{until_when}: {reason}",
    "provider.checked": "the preflight of {provider} {verb} after {seconds:.1f} s{why}",
    "provider.slots": "{provider} serves {slots} of {of} at once: of its last {judged} changes {rejected:.0%} were bad",
    "budget.near": "{budget} has used {used}",
    "provider.resumed": "{provider} serves again",
    "provider.changed": "what {provider} rests on has changed: it is tried again",
    "cause.found": "tasks {tasks} failed with the same sign, {sign}: what depends on it is paused",
    "workspace.broken": "paused: {reason}",
    "base.moved": "{reason}",
    "fleet.stopped": "no new starts: {reason} (omni-tui thaw goes on)",
    "attempt.suspended": "stands still: a hard freeze",
    "attempt.resumed": "goes on after {seconds:.0f} s of standing still",
    "fleet.frozen": "frozen: no new starts, no merges{because}",
    "fleet.thawed": "thawed",
    "fleet.throttled": "throttled: {most} at a time",
    "fleet.unthrottled": "no longer throttled",
    "part.frozen": "{part} is frozen{because}",
    "part.thawed": "{part} is thawed",
    "part.throttled": "{part} is throttled: {most} at a time",
    "part.unthrottled": "{part} is no longer throttled",
    "fleet.idle": "nothing runs and nothing can start{because}{still_waiting}",
}
"""Events that a person wants to read. The others are for the journal alone."""


def narrate(event: Event) -> str:
    """Return one line, `HH:MM:SS subject sentence` in local time; empty: not worth a person's line."""
    sentence = SENTENCES.get(event.event)
    if sentence is None:
        return ""
    try:
        return one_line(_narrated(event, sentence))
    except (LookupError, TypeError, ValueError, OverflowError, OSError):  # spoilt, or of another version
        return one_line(f"{subject(event)} {event.event}, with data that says nothing to this version")


def _narrated(event: Event, sentence: str) -> str:
    data = event.data
    later = ", ".join(data.get("later", ()))
    clauses = {
        "found": " (before the last crash)" if data.get("found_later") else "",
        "verb": "passed" if data.get("passed") else "failed",
        "except_for": f", but for what counts from the next start: {later}" if later else "",
        "until_when": f" before {_clock(data['until'])}" if data.get("until") else "",
        "why": f": {_one_value(data['message'])}" if data.get("message") else "",
        "but_frozen": ", but frozen: nothing starts before omni-tui thaw" if data.get("frozen") else "",
        "still_waiting": f"; still waiting: {'; '.join(data['waiting'])}"
        if data.get("waiting") and not data.get("reason")
        else "",
        "because": f": {_one_value(data['reason'])}" if data.get("reason") else "",
    }
    said = {name: _one_value(value) for name, value in data.items()}
    return f"{_clock(event.time)} {subject(event)} {sentence.format(**clauses | said)}"


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().strftime("%H:%M:%S")


def _one_value(value: object) -> object:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return _first_line(value) if isinstance(value, str) else value


def _first_line(text: str) -> str:
    return next(iter(clean(text).strip().splitlines()), "")


def subject(event: Event) -> str:
    """Return what an event is about: `workspace/task#attempt`, the workspace, or the fleet."""
    if not event.task:
        return event.workspace or "fleet"
    return f"{event.workspace}/{event.task}" + (f"#{event.attempt}" if event.attempt else "")
