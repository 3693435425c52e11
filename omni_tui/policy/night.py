"""A night looked back on: what landed, what is blocked, what failed, what holds it. Pure: events and a view in."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from omni_tui.model.attempt import AttemptStatus
from omni_tui.model.course import Parked
from omni_tui.model.event import Event
from omni_tui.model.footprint import Footprint
from omni_tui.model.task import Status, TaskRef
from omni_tui.model.text import one_line, plural
from omni_tui.model.view import FleetView, TaskRow
from omni_tui.policy.idle import idleness

TROUBLES = {
    "core.fault": "{where} failed: {error}",
    "config.refused": "{file} was not taken over: {error}",
    "workspace.refused": "workspace {workspace} cannot be used: {error}",
    "workspace.spare_failed": "workspace {workspace} has no spare checkout: {error}",
    "offer.refused": "{key} makes no task in {workspace}: {error}",
    "source.failed": "{source}, a source of {workspace}, failed: {error}",
    "attempt.rescued": "{workspace}/{task}#{attempt} left unfinished work: {kept}",
    "release.not_pushed": "the release branch of {workspace} was not pushed: {reason}",
    "fleet.stopped": "the run was stopped: {reason}",
    "provider.parked": "{provider} was parked: {reason}",
    "cause.found": "{workspace}: {sign} failed in {tasks}",
    "workspace.broken": "{workspace}: {reason}",
    "base.moved": "{reason}",
}
"""Events that a person should know of in the morning, and how they are said. What is told by itself is not repeated:
blocked tasks, and what still holds the fleet at the end."""

SETTLES = {
    "config.taken": "config.refused",
    "workspace.opened": "workspace.refused",
    "source.answered": "source.failed",
    "release.pushed": "release.not_pushed",
}
"""What makes a trouble of the same workspace, or of the fleet, one of the past."""


HEAVIEST = 3
"""Attempts that are told for the memory they took."""

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
    kept: tuple[str, ...] = ()
    """Refs and checkouts that keep unfinished work, as far as the time looked at tells."""
    left_nothing: bool = False
    """None of its attempts left any work, as far as that is known."""


class RunningTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task in `doing/`."""

    task: str
    title: str
    attempt: int
    agent: str
    phase: str
    health: str
    worktree: str = ""
    """Its checkout; empty: none yet."""


class WaitingTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task in `todo/`, and what its owner said it waits for."""

    task: str
    title: str
    reason: str


class Heavy(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt, and what its tree of processes has taken of the machine."""

    attempt: str
    agent: str
    footprint: Footprint


class Night(msgspec.Struct, frozen=True, kw_only=True):
    """What happened between two moments (UTC seconds), and how things stand at its end."""

    since: float
    until: float
    landed: tuple[LandedTask, ...]
    blocked: tuple[BlockedTask, ...]
    running: int
    waiting: int
    under_way: tuple[RunningTask, ...]
    """Those that run."""
    in_line: tuple[WaitingTask, ...]
    """Those that wait, in the order they will start."""
    stopped: str
    """Why the run was stopped by its own rules; empty: it was not, or goes on."""
    parked: dict[str, Parked]
    """Providers that get no new attempt."""
    pauses: tuple[str, ...]
    """What is paused for a known cause, a sentence each."""
    frozen: bool
    short: str = ""
    """What the disk has too little of, so that nothing starts; empty: nothing that is known of."""
    attempts: int
    failures: dict[str, int]
    """How often attempts failed, by kind."""
    troubles: tuple[str, ...]
    tokens: int = 0
    usd: float = 0.0
    idle_share: float | None = None
    """Of the slots' time, from 0 to 1, went by unused though a task waited that nothing held; None: nothing ran."""
    heaviest: tuple[Heavy, ...] = ()
    """The attempts whose trees took the most of the machine, the most memory first."""


def look_back(events: Sequence[Event], view: FleetView, *, since: float) -> Night:
    """Put together the events since a moment and the fleet as it stands now."""
    by_ref = {row.ref: row for row in view.rows}
    count = Counter(row.status for row in view.rows)
    failures = Counter(str(event.data.get("kind", "unknown")) for event in events if event.event == "attempt.failed")
    standing, idle = _standing(events, view), idleness(events, view.taken_at)
    return Night(
        since=since,
        until=view.taken_at,
        landed=tuple(_landed(event, events, by_ref) for event in events if event.event == "task.landed"),
        blocked=tuple(_blocked(row, events) for row in view.rows if row.status is Status.BLOCKED),
        running=count[Status.DOING],
        waiting=count[Status.TODO],
        under_way=tuple(_running(row) for row in view.rows if row.status is Status.DOING),
        in_line=tuple(_waiting(row) for row in view.rows if row.status is Status.TODO),
        stopped=view.stopped,
        parked=view.parked,
        pauses=(*view.pauses, *(str(each) for each in view.brakes.freezes if not each.scope.is_fleet)),
        frozen=view.frozen,
        short=_short(events),
        attempts=len(attempts_in(events)),
        failures=dict(failures.most_common()),
        troubles=tuple(trouble for trouble in _troubles(events) if trouble not in standing),
        idle_share=idle.share if idle.total else None,
    )


def heaviest(statuses: Iterable[AttemptStatus]) -> tuple[Heavy, ...]:
    """Return the attempts that took the most memory, and beside them the one that took the most CPU time."""
    seen = [status for status in statuses if status.footprint.peak_mb >= 1]
    greediest = sorted(seen, key=lambda status: -status.footprint.peak_mb)[:HEAVIEST]
    busiest = sorted(seen, key=lambda status: -status.footprint.cpu_seconds)[:1]
    return tuple(
        Heavy(attempt=f"{each.workspace}/{each.task}#{each.attempt}", agent=each.agent, footprint=each.footprint)
        for each in (*greediest, *(status for status in busiest if status not in greediest))
    )


def totals(night: Night) -> str:
    """Count it all in one line."""
    parts = [f"{len(night.landed)} landed", f"{len(night.blocked)} blocked"]
    parts += [f"{night.running} running"] if night.running else []
    parts += [f"{night.waiting} waiting"] if night.waiting else []
    parts.append(plural(night.attempts, "attempt"))
    parts += [f"{night.tokens:,} tokens"] if night.tokens else []
    parts += [f"{night.usd:.2f} USD"] if night.usd else []
    parts += [f"slots idle {night.idle_share:.1%}"] if night.idle_share is not None else []
    return ", ".join(parts)


def needs_thaw(fleet: FleetView | Night) -> bool:
    """Whether something holds the fleet, or a part of it, until a person thaws it."""
    for_good = any(parked.until is None for parked in fleet.parked.values())
    return bool(fleet.stopped or fleet.frozen or fleet.pauses or for_good)


def attempts_in(events: Iterable[Event]) -> set[tuple[TaskRef, int]]:
    """Return the attempts that were given an agent."""
    return {(_ref(event), event.attempt) for event in events if event.event == "attempt.started"}


def _ref(event: Event) -> TaskRef:
    return TaskRef(event.workspace, event.task)


def _landed(event: Event, events: Sequence[Event], rows: dict[TaskRef, TaskRow]) -> LandedTask:
    """Tell one landing from the events that led to it; one of before a crash was written down by the next start."""
    found_at = event.data.get("at")
    at = found_at if isinstance(found_at, float) else event.time
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
        at=at,
        seconds=at - claims[0] if claims else 0.0,
        flags=tuple(_flags(judged)) if judged is not None else (),
    )


def _flags(judged: Event) -> list[str]:
    findings = judged.data.get("findings", [])
    return [str(finding) for finding in findings]


def _blocked(row: TaskRow, events: Iterable[Event]) -> BlockedTask:
    own = [event for event in events if _ref(event) == row.ref]
    rescues = [event.data for event in own if event.event == "attempt.rescued"]
    kept = [str(data.get(name, "")) for data in rescues for name in ("ref", "checkout")]
    works = [event.data.get("work") for event in own if event.event == "attempt.failed"]
    return BlockedTask(
        task=str(row.ref),
        title=row.title,
        reason=row.reason,
        attempts=row.attempt,
        path=row.path,
        kept=tuple(filter(None, kept)),
        left_nothing=len(works) >= row.attempt and all(work == "" for work in works),
    )


def _running(row: TaskRow) -> RunningTask:
    return RunningTask(
        task=str(row.ref),
        title=row.title,
        attempt=row.attempt,
        agent=row.agent,
        phase=row.phase,
        health=str(row.run.health) if row.run is not None else "",
    )


def _waiting(row: TaskRow) -> WaitingTask:
    return WaitingTask(task=str(row.ref), title=row.title, reason=row.reason)


def _short(events: Sequence[Event]) -> str:
    """Return what the disk is short of by its latest word; each core that finds it short says so."""
    words = (event for event in reversed(events) if event.event in ("disk.low", "disk.enough", "core.started"))
    return next((str(event.data.get("reason", "")) for event in words), "")


def _standing(events: Iterable[Event], view: FleetView) -> set[str]:
    """Return the troubles that hold the fleet still, which are told first and not again."""
    causes = [event for event in events if event.event == "cause.found"]
    return {
        view.stopped,
        f"the run was stopped: {view.stopped}",
        *view.pauses,
        *(f"{provider} was parked: {parked.reason}" for provider, parked in view.parked.items()),
        *(_said(TROUBLES[event.event], event) for event in causes if _pauses(event, view.pauses)),
    }


def _pauses(event: Event, pauses: Iterable[str]) -> bool:
    return any(pause.startswith(f"{event.workspace}: ") and str(event.data.get("sign")) in pause for pause in pauses)


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
            said.setdefault(_said(sentence, event), event)
    return list(said)


def _said(sentence: str, event: Event) -> str:
    known = {"workspace": event.workspace, "task": event.task, "attempt": event.attempt}
    data = {
        name: ", ".join(map(str, value)) if isinstance(value, list) else value for name, value in event.data.items()
    }
    return one_line(sentence.format_map(defaultdict(str, {**data, **known})), LONGEST)
