"""How a task is told on the screen: its state as glyph, word and tone; what it is doing; whether it needs a person.

The glyphs are one cell wide everywhere, also in East Asian locales (a test asks `unicodedata`).
"""

from __future__ import annotations

import msgspec

from omni_tui.cockpit.text import NONE, age
from omni_tui.cockpit.tones import Tone
from omni_tui.model.attempt import Phase
from omni_tui.model.signal import Health
from omni_tui.model.task import Status
from omni_tui.model.text import one_line
from omni_tui.model.view import TaskRow
from omni_tui.policy.evidence import standing

MINUTE = 60.0


class Look(msgspec.Struct, frozen=True):
    """A state as it is shown."""

    glyph: str
    word: str
    tone: Tone


RUNNING = Look("▸", "running", Tone.RUNNING)
ASKING = Look("?", "asking", Tone.ASKING)
LIMITED = Look("~", "limited", Tone.ASKING)
WAITING = Look("◌", "waiting", Tone.WAITING)
LANDED = Look("✓", "landed", Tone.LANDED)
BLOCKED = Look("✗", "blocked", Tone.BLOCKED)

_BY_STATUS = {
    Status.TODO: WAITING,
    Status.DOING: RUNNING,
    Status.DONE: LANDED,
    Status.BLOCKED: BLOCKED,
}
_BY_HEALTH = {Health.WAITING: ASKING, Health.LIMITED: LIMITED}


def look(row: TaskRow) -> Look:
    """Return how the state of `row` is shown."""
    if row.status is Status.DOING and row.run is not None and row.run.phase is Phase.WATCH:
        return _BY_HEALTH.get(row.run.health, RUNNING)
    return _BY_STATUS[row.status]


def needs_person(row: TaskRow) -> bool:
    """Whether nothing goes on with `row` until a person comes: it is blocked, or its agent asks."""
    return look(row) in (BLOCKED, ASKING)


def doing(row: TaskRow) -> str:
    """Say what a running attempt does in one word: the phase, and while its agent works, the agent's health."""
    if row.status is not Status.DOING or row.run is None:
        return ""
    return str(row.run.health) if row.run.phase is Phase.WATCH else str(row.run.phase)


def signal_age(row: TaskRow, now: float) -> str:
    """Say how old the last signal of a running attempt is; for other tasks, how long they have been as they are.

    Only what runs is worth frames of its own while it is young.
    """
    if row.status is Status.DOING and row.run is not None and row.run.signal_at:
        return age(now - row.run.signal_at)
    at = row.run.updated_at if row.run is not None else row.created_at
    if not at:
        return NONE
    return age(now - at) if now - at >= MINUTE else "<1m"


def evidence(row: TaskRow, now: float) -> str:
    """Say what the state of an agent at work is known by, as in `hook 3s ago · sure`; empty: none is at work."""
    if row.status is not Status.DOING or row.run is None:
        return ""
    known = standing(row.run, now)
    return f"{one_line(known.source)} {age(known.age)} ago · {known.confidence}" if known else ""


def reason(row: TaskRow) -> str:
    """Return why the row waits, asks or is blocked, on one line; empty when all is well."""
    if row.reason:
        return one_line(row.reason)
    if look(row) in (ASKING, LIMITED) and row.run is not None:
        return one_line(row.run.detail) or "the agent waits for an answer"
    return ""
