"""Outages: whether a provider or a task is to blame for failures of the model's server.

A server that fails one task fails the next as well: its provider is parked, and no attempt is lost to that. But a
task's own content can make a server fail each time. What tells them apart is whether the same provider served others
since the task's failure before this one, and failed none of them.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from omni_tui.model.course import Course, Stricken
from omni_tui.model.event import Event

SERVER = "harness:server"
"""The cause of a failure of the model's server."""


def struck(course: Course, event: Event, provider: str) -> Mapping[str, Stricken]:
    """Return the tasks that a server has failed, after an event of `provider` ("": of none) that met `course`."""
    known, task = course.stricken, f"{event.workspace}/{event.task}"
    if event.event in ("task.landed", "task.blocked"):
        return {name: each for name, each in known.items() if name != task} if task in known else known
    if not provider:
        return known
    if event.data.get("kind") == SERVER:
        found = {name: _with(each, provider, failed=True) for name, each in known.items() if name != task}
        return found | {task: _again(known.get(task), provider)} if event.event == "attempt.failed" else found
    if known and was_served(event):
        return {name: each if name == task else _with(each, provider, served=True) for name, each in known.items()}
    return known


def was_served(event: Event) -> bool:
    """Whether an event proves an answer of the model: a tool was called, or the attempt came to its end."""
    if event.event == "provider.checked":
        return bool(event.data.get("passed"))
    return event.event == "attempt.judged" or (
        event.event == "attempt.signal" and event.data.get("health") in {"tool", "finished"}
    )


def is_its_own(course: Course, task: str, provider: str) -> bool:
    """Whether a failure of the server that comes now is the task's own doing: it alone is failed, time and again."""
    before = course.stricken.get(task)
    return before is not None and _alone(before, provider)


def blamed(course: Course, task: str) -> int:
    """Return how many failures of its provider's server are a task's own doing."""
    found = course.stricken.get(task)
    return found.own if found is not None else 0


def _again(before: Stricken | None, provider: str) -> Stricken:
    if before is None:
        return Stricken(provider=provider)
    return Stricken(provider=provider, own=before.own + _alone(before, provider))


def _alone(before: Stricken, provider: str) -> bool:
    return before.provider == provider and before.served and not before.failed


def _with(stricken: Stricken, provider: str, **found: bool) -> Stricken:
    """Add what the provider did for somebody else."""
    return msgspec.structs.replace(stricken, **found) if stricken.provider == provider else stricken
