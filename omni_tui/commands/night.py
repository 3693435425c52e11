"""A night looked back on: what landed, what is blocked, what failed. Pure: events and rows in, a value out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from omni_tui.model.event import Event
from omni_tui.model.task import Status, TaskRef
from omni_tui.model.text import one_line
from omni_tui.model.view import TaskRow

TROUBLES = {
    "core.fault": "{where} failed: {error}",
    "config.refused": "{file} was not taken over: {error}",
    "workspace.refused": "workspace {workspace} cannot be used: {error}",
    "workspace.spare_failed": "workspace {workspace} has no spare checkout: {error}",
    "attempt.rescued": "{workspace}/{task}#{attempt} left unfinished work: {kept}",
    "release.not_pushed": "the release branch of {workspace} was not pushed: {reason}",
}
"""Events that a person should know of in the morning, and how they are said; blocked tasks are told by themselves."""

SETTLES = {
    "config.taken": "config.refused",
    "workspace.opened": "workspace.refused",
    "release.pushed": "release.not_pushed",
}
"""What makes a trouble of the same workspace, or of the fleet, one of the past."""


LONGEST = 400
"""Characters of a trouble that are told."""


class LandedTask(msgspec.Struct, frozen=True, kw_only=True):
    """A change that is on the release branch."""

    task: str
    title: str
    commit: str
    release: str
    agent: str
    attempt: int
    at: float
    """UTC seconds."""
    seconds: float
    """From the first claim to the landing; 0: it was claimed before the time looked at."""
    flags: tuple[str, ...] = ()
    """What the gate noticed and let pass."""


class BlockedTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task that needs a person, whenever it was blocked."""

    task: str
    title: str
    reason: str
    attempts: int
    path: str


class Night(msgspec.Struct, frozen=True, kw_only=True):
    """What happened between two moments (UTC seconds), and how things stand at its end."""

    since: float
    until: float
    landed: tuple[LandedTask, ...]
    blocked: tuple[BlockedTask, ...]
    running: int
    waiting: int
    attempts: int
    failures: dict[str, int]
    """How often attempts failed, by kind."""
    troubles: tuple[str, ...]
    tokens: int = 0
    usd: float = 0.0


def look_back(events: Sequence[Event], rows: Sequence[TaskRow], *, since: float, until: float) -> Night:
    """Put together the events since a moment and the tasks as they stand now."""
    by_ref = {row.ref: row for row in rows}
    count = Counter(row.status for row in rows)
    failures = Counter(str(event.data.get("kind", "unknown")) for event in events if event.event == "attempt.failed")
    return Night(
        since=since,
        until=until,
        landed=tuple(_landed(event, events, by_ref) for event in events if event.event == "task.landed"),
        blocked=tuple(_blocked(row) for row in rows if row.status is Status.BLOCKED),
        running=count[Status.DOING],
        waiting=count[Status.TODO],
        attempts=len(attempts_in(events)),
        failures=dict(failures.most_common()),
        troubles=tuple(_troubles(events)),
    )


def attempts_in(events: Iterable[Event]) -> set[tuple[TaskRef, int]]:
    """Return the attempts that were given an agent."""
    return {(_ref(event), event.attempt) for event in events if event.event == "attempt.started"}


def _ref(event: Event) -> TaskRef:
    return TaskRef(event.workspace, event.task)


def _landed(event: Event, events: Sequence[Event], rows: dict[TaskRef, TaskRow]) -> LandedTask:
    """Tell one landing from the events that led to it."""
    ref, row = _ref(event), rows.get(_ref(event))
    before = [each for each in events if _ref(each) == ref and each.time <= event.time]
    claims = [each.time for each in before if each.event == "task.claimed"]
    started = next((each for each in reversed(before) if each.event == "attempt.started"), None)
    judged = next((each for each in reversed(before) if each.event == "attempt.judged"), None)
    return LandedTask(
        task=str(ref),
        title=row.title if row is not None else "",
        commit=str(event.data.get("commit", "")),
        release=str(event.data.get("release", "")),
        agent=str(started.data.get("agent", "")) if started is not None else "",
        attempt=started.attempt if started is not None else row.attempt if row is not None else 0,
        at=event.time,
        seconds=event.time - claims[0] if claims else 0.0,
        flags=tuple(_flags(judged)) if judged is not None else (),
    )


def _flags(judged: Event) -> list[str]:
    findings = judged.data.get("findings", [])
    return [str(finding) for finding in findings]


def _blocked(row: TaskRow) -> BlockedTask:
    return BlockedTask(task=str(row.ref), title=row.title, reason=row.reason, attempts=row.attempt, path=row.path)


def _troubles(events: Iterable[Event]) -> list[str]:
    """Say in a line each what still stands at the end, once, in the order of its first appearance."""
    said: dict[str, Event] = {}
    for event in events:
        settled = SETTLES.get(event.event)
        if settled is not None:
            said = {
                text: each for text, each in said.items() if (each.event, each.workspace) != (settled, event.workspace)
            }
        sentence = TROUBLES.get(event.event)
        if sentence is not None:
            known = {"workspace": event.workspace, "task": event.task, "attempt": event.attempt}
            blanks = {"where": "", "error": "", "file": "", "kept": "", "reason": ""}
            said.setdefault(one_line(sentence.format(**{**blanks, **event.data, **known}), LONGEST), event)
    return list(said)
