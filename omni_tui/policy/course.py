"""The course of a run: what each event adds to it. What follows from that is in `decisions`.

Everything is in the journal: what happened, and what was decided because of it. So a restart reads the course of the
last hours again and goes on with it, and a decision once made does not change with the settings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from omni_tui.model.course import Cause, Course, Parked, Sighting, Spending
from omni_tui.model.event import Event
from omni_tui.model.failure import FailureKind
from omni_tui.policy.breaker import TURNED_AWAY
from omni_tui.policy.budget import SHARED
from omni_tui.policy.feedback import KEPT
from omni_tui.policy.outage import SERVER, struck

NIGHT_SECONDS = 12 * 3600.0
"""How far back the journal counts: a night."""

NOT_ITS_FAULT = frozenset(
    {FailureKind.LOST, FailureKind.LIMITED, FailureKind.KILLED, FailureKind.BASE, FailureKind.OVERTAKEN}
)
"""Failures that say nothing against the attempts."""

PROVIDERS_FAULT = frozenset({SERVER, *TURNED_AWAY, *SHARED})
"""Causes of such failures: whoever serves them has failed, or a budget that is not theirs alone is used up."""


def fold(course: Course, event: Event) -> Course:
    """Return the course after an event."""
    handler = _HANDLERS.get(event.event)
    after = course if handler is None else handler(course, event)
    stricken = struck(course, event, provider_in(course, event))
    return after if stricken is course.stricken else msgspec.structs.replace(after, stricken=dict(stricken))


def pauses(course: Course) -> tuple[str, ...]:
    """Say what is paused for a known cause, a sentence each."""
    broken = [f"{workspace}: {reason}" for workspace, reason in course.broken.items()]
    signs: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for each in course.causes:
        signs.setdefault((each.workspace, each.tasks), []).append(each.sign)
    causes = [f"{name}: {', '.join(found)} failed in {', '.join(tasks)}" for (name, tasks), found in signs.items()]
    return (*broken, *causes)


def near(course: Course) -> tuple[str, ...]:
    """Say which budgets are nearly used up, a sentence each."""
    return tuple(f"{budget} has used {used}" for budget, used in course.near.items())


def attempt_of(event: Event) -> str:
    """Return the name of the attempt that an event tells of."""
    return f"{event.workspace}/{event.task}#{event.attempt}"


def provider_in(course: Course, event: Event) -> str:
    """Return the provider that an event tells something of; empty: of none."""
    return str(event.data.get("provider", "")) or course.providers.get(attempt_of(event), "")


# -- what an event adds ------------------------------------------------------------------------------------------------


def _started(course: Course, event: Event) -> Course:
    restarts = course.restarts
    if event.attempt > 1:
        restarts = (*(at for at in restarts if at > event.time - NIGHT_SECONDS), event.time)
    attempt, provider = attempt_of(event), str(event.data.get("provider", ""))
    return msgspec.structs.replace(
        course,
        restarts=restarts,
        providers=course.providers | {attempt: provider},
        spendings=(*_spendings_but(course, attempt, event.time), Spending(attempt, event.time, provider=provider)),
    )


def _failed(course: Course, event: Event) -> Course:
    cause = str(event.data.get("kind", ""))
    own_fault = cause.partition(":")[0] not in NOT_ITS_FAULT and cause not in PROVIDERS_FAULT
    signs = [Sighting(str(sign), event.workspace, event.task, event.time) for sign in event.data.get("signs", ())]
    recent = [each for each in course.sightings if each.at > event.time - NIGHT_SECONDS]
    return msgspec.structs.replace(
        course,
        failures=course.failures + own_fault,
        sightings=(*recent, *signs),
        providers=_without(course.providers, attempt_of(event)),
    )


def _judged(course: Course, event: Event) -> Course:
    provider, verdicts = course.providers.get(attempt_of(event), ""), course.verdicts
    if provider:
        passed = event.data.get("grade") != "F"
        verdicts = verdicts | {provider: (*verdicts.get(provider, ()), passed)[-KEPT:]}
    return msgspec.structs.replace(course, providers=_without(course.providers, attempt_of(event)), verdicts=verdicts)


def _landed(course: Course, event: Event) -> Course:
    """End the row of failures, and every common cause that the landed task was thought to share."""
    course = _put_away(course, event)
    causes = tuple(cause for cause in course.causes if not _shares(cause, event))
    seen = tuple(each for each in course.sightings if (each.workspace, each.task) != (event.workspace, event.task))
    return msgspec.structs.replace(course, failures=0, causes=causes, sightings=seen)


def _shares(cause: Cause, event: Event) -> bool:
    return cause.workspace == event.workspace and event.task in cause.tasks


def _used(course: Course, event: Event) -> Course:
    """Take over what an attempt has used so far, in place of what it said before."""
    attempt, data = attempt_of(event), event.data
    spending = Spending(
        attempt,
        event.time,
        tokens=int(data.get("tokens") or 0),
        usd=float(data.get("usd") or 0.0),
        provider=course.providers.get(attempt, ""),
        minutes=float(data.get("minutes") or 0.0),
    )
    others = _spendings_but(course, attempt, event.time)
    return msgspec.structs.replace(course, spendings=(*others, spending))


def _spendings_but(course: Course, attempt: str, now: float) -> list[Spending]:
    """Return what the other attempts of the last hours have used."""
    return [each for each in course.spendings if each.attempt != attempt and each.at > now - NIGHT_SECONDS]


def _parked(course: Course, event: Event) -> Course:
    data = event.data
    parked = Parked(
        reason=str(data["reason"]),
        at=event.time,
        until=data.get("until"),
        row=int(data.get("row", 1)),
        alone=bool(data.get("alone")),
        premise=str(data.get("premise", "")),
        budget=bool(data.get("budget")),
    )
    name = str(data["provider"])
    return msgspec.structs.replace(course, parked=course.parked | {name: parked}, proven=course.proven - {name})


def _checked(course: Course, event: Event) -> Course:
    """Take a provider whose preflight has passed for proven, until it gives trouble."""
    proven = {str(event.data["provider"])} if event.data.get("passed") else set()
    return msgspec.structs.replace(course, proven=course.proven | proven)


def _begun(course: Course, event: Event) -> Course:  # noqa: ARG001 - as all handlers
    """Have a new process prove each provider afresh: keys and programs may have changed."""
    return msgspec.structs.replace(course, proven=frozenset())


def _near(course: Course, event: Event) -> Course:
    return msgspec.structs.replace(course, near=course.near | {str(event.data["budget"]): str(event.data["used"])})


def _put_away(course: Course, event: Event) -> Course:
    """Of a task that is put away nobody needs to know what it may still use."""
    name = f"{event.workspace}/{event.task}"
    return msgspec.structs.replace(course, near=_without(course.near, name)) if name in course.near else course


def _resumed(course: Course, event: Event) -> Course:
    return msgspec.structs.replace(_served_again(course), parked=_without(course.parked, str(event.data["provider"])))


def _changed(course: Course, event: Event) -> Course:
    """Let a provider be tried again, what it was parked for may be mended: from now on it is half-open."""
    name = str(event.data["provider"])
    parked = msgspec.structs.replace(course.parked[name], until=event.time, row=1, budget=False)
    proven = course.proven - {name}
    return msgspec.structs.replace(_served_again(course), parked=course.parked | {name: parked}, proven=proven)


def _taken(course: Course, event: Event) -> Course:
    """Look again whether anybody serves, where other providers are in force."""
    return _served_again(course) if event.data.get("file") == "providers/" else course


def _served_again(course: Course) -> Course:
    """Go on with a run that was stopped because no provider served."""
    return msgspec.structs.replace(course, stopped="", unserved=False) if course.unserved else course


def _cause(course: Course, event: Event) -> Course:
    sign = str(event.data["sign"])
    cause = Cause(workspace=event.workspace, sign=sign, tasks=tuple(event.data["tasks"]))
    others = tuple(each for each in course.causes if (each.workspace, each.sign) != (cause.workspace, sign))
    return msgspec.structs.replace(course, causes=(*others, cause))


def _broken(course: Course, event: Event) -> Course:
    return msgspec.structs.replace(course, broken=course.broken | {event.workspace: str(event.data["reason"])})


def _stopped(course: Course, event: Event) -> Course:
    unserved = bool(event.data.get("unserved"))
    return msgspec.structs.replace(course, stopped=str(event.data["reason"]), unserved=unserved)


def _thawed(course: Course, event: Event) -> Course:  # noqa: ARG001 - as all handlers
    """Begin every count again: a person has looked, and what only they could mend counts as mended."""
    timed = {name: parked for name, parked in course.parked.items() if parked.until is not None}
    return Course(providers=course.providers, parked=timed, proven=course.proven)


def _without(table: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in table.items() if name != key}


_HANDLERS: dict[str, Callable[[Course, Event], Course]] = {
    "attempt.started": _started,
    "attempt.failed": _failed,
    "attempt.judged": _judged,
    "attempt.usage": _used,
    "task.landed": _landed,
    "task.blocked": _put_away,
    "core.started": _begun,
    "provider.checked": _checked,
    "budget.near": _near,
    "provider.parked": _parked,
    "provider.resumed": _resumed,
    "provider.changed": _changed,
    "config.taken": _taken,
    "cause.found": _cause,
    "workspace.broken": _broken,
    "fleet.stopped": _stopped,
    "fleet.thawed": _thawed,
}
