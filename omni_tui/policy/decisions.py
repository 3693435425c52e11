"""What follows from an event for the whole run: parked providers, fewer slots, common causes, and the end of the run.

Each is written to the journal, and folding it there makes it so, see `course`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from omni_tui.model.course import Course, Parked
from omni_tui.model.event import Event
from omni_tui.model.provider import Provider
from omni_tui.model.settings import NightSettings
from omni_tui.model.text import plural
from omni_tui.policy.breaker import BUDGETS, may_probe, parked_by, parked_by_preflight
from omni_tui.policy.budget import as_limit, reached, used_by
from omni_tui.policy.course import attempt_of, provider_in
from omni_tui.policy.feedback import LATEST, rejected, slots_after
from omni_tui.policy.outage import SERVER, is_its_own, was_served
from omni_tui.policy.standing import mates, parked_in

NOBODY: Mapping[str, Provider] = {}


class Decided(msgspec.Struct, frozen=True):
    """Something to be written to the journal, where folding it makes it so."""

    event: str
    workspace: str = ""
    data: dict[str, Any] = {}


def decide(
    before: Course,
    course: Course,
    event: Event,
    settings: NightSettings,
    providers: Mapping[str, Provider] = NOBODY,
) -> Iterator[Decided]:
    """Yield what follows from an event that led from the course `before` to `course`; `providers` are in force."""
    yield from _providers(before, event, providers)
    yield from _slowed(before, course, event, providers)
    yield from _causes(course, event, settings)
    reason = "" if course.stopped else _reason_to_stop(course, event, settings)
    if reason:
        yield Decided("fleet.stopped", data={"reason": reason})


def _providers(course: Course, event: Event, providers: Mapping[str, Provider]) -> Iterator[Decided]:
    """Open the breaker of a provider that did not serve; close it, and its account's, once one was served."""
    provider = provider_in(course, event)
    if not provider:
        return
    before = parked_in(provider, providers, course)
    parked = _parked_by(course, event, provider, before)
    if parked is not None:
        if not _is_known(before, parked, event):
            yield Decided("provider.parked", data={"provider": provider, **_told(parked)})
    elif before is not None and was_served(event) and _may_resume(before, event):
        for name in (provider, *mates(provider, providers)):
            if name in course.parked and (name == provider or not course.parked[name].alone):
                yield Decided("provider.resumed", data={"provider": name})


def _may_resume(parked: Parked, event: Event) -> bool:
    """Whether being served closes a breaker: once its time is up, or as soon as a person has had it checked."""
    return may_probe(parked, event.time) or (event.event == "provider.checked" and not parked.budget)


def _told(parked: Parked) -> dict[str, Any]:
    told = {"reason": parked.reason, "until": parked.until, "row": parked.row, "alone": parked.alone}
    return told | {"budget": True} if parked.budget else told


def _parked_by(course: Course, event: Event, provider: str, before: Parked | None) -> Parked | None:
    """Return how an event parks a provider; None: it does not."""
    data, until = event.data, event.data.get("until")
    if event.event == "provider.checked":
        cause, message = str(data.get("kind", "")), str(data.get("message", ""))
        return parked_by_preflight(cause, message, until, provider, before, event.time) if cause else None
    cause = _turned_away_by(event)
    if cause == SERVER and is_its_own(course, f"{event.workspace}/{event.task}", provider):
        return None
    if cause in BUDGETS:
        return Parked(reason=str(data.get("message", "")), at=event.time, alone=True, budget=True)
    return parked_by(cause, until, provider, before, event.time)


def _slowed(before: Course, course: Course, event: Event, providers: Mapping[str, Provider]) -> Iterator[Decided]:
    """Say so when the gate's verdicts change how many a provider serves at once."""
    name = before.providers.get(attempt_of(event), "")
    if event.event != "attempt.judged" or name not in providers:
        return
    verdicts, of = course.verdicts.get(name, ()), providers[name].slots
    slots = slots_after(verdicts, of)
    if slots != slots_after(before.verdicts.get(name, ()), of):
        share, latest = round(rejected(verdicts), 2), len(verdicts[-LATEST:])
        yield Decided(
            "provider.slots", data={"provider": name, "slots": slots, "of": of, "rejected": share, "judged": latest}
        )


def _turned_away_by(event: Event) -> str:
    """Return the cause by which a provider turned an attempt away; empty: it did not."""
    if event.event == "attempt.failed":
        return str(event.data.get("kind", ""))
    return "limited" if event.event == "attempt.signal" and event.data.get("health") == "limited" else ""


def _is_known(before: Parked | None, now: Parked, event: Event) -> bool:
    """Whether a provider is parked for as long already: several attempts meet the same trouble at the same time.

    A pause that nobody has told is not made longer by them: it is only guessed.
    """
    if before is None:
        return False
    if before.until is None:
        tried = event.event == "provider.checked" and not before.budget  # a person has had it tried: that is news
        return now.reason == before.reason or not tried
    guessed = event.data.get("until") is None and now.reason == before.reason
    return now.until is not None and before.until > event.time and (now.until <= before.until or guessed)


def _causes(course: Course, event: Event, settings: NightSettings) -> Iterator[Decided]:
    """Name what several tasks' failures have in common."""
    if event.event != "attempt.failed" or not settings.common_cause:
        return
    since = event.time - settings.cause_minutes * 60
    for sign in dict.fromkeys(str(sign) for sign in event.data.get("signs", ())):
        tasks = {
            each.task
            for each in course.sightings
            if each.sign == sign and each.workspace == event.workspace and each.at >= since
        }
        known = {cause.tasks for cause in course.causes if (cause.workspace, cause.sign) == (event.workspace, sign)}
        found = tuple(sorted(tasks))
        if len(found) >= settings.common_cause and found not in known:
            yield Decided("cause.found", event.workspace, {"sign": sign, "tasks": found})
            return  # one name is enough, and the first sign is the plainest


def _reason_to_stop(course: Course, event: Event, settings: NightSettings) -> str:
    since = event.time - settings.restart_minutes * 60
    restarts = sum(at > since for at in course.restarts)
    spent = reached(used_by(course.spendings), as_limit(settings))
    if settings.failures and course.failures >= settings.failures:
        return f"{plural(course.failures, 'attempt')} failed in a row, and nothing landed between them"
    if settings.restarts and restarts > settings.restarts:
        return f"a restart storm: {restarts} attempts were started again within {settings.restart_minutes:g} minutes"
    if spent:
        return f"the budget is spent: {spent}"
    if event.event == "attempt.failed" and event.data.get("kind") == "budget:night":  # with what still runs
        return str(event.data.get("message", "the budget is spent"))
    if event.event == "base.moved" and settings.base_moved == "stop":
        return str(event.data["reason"])
    return ""
