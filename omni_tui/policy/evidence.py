"""Evidence: how far what is known of an agent can be believed, and the second opinion on one that has gone silent.

A live agent is given up only where two signals agree. Where the harness keeps a record of its session, that and its
events are the two. Where it does not, the machine is asked: two looks at the CPU time and the terminal of its tree.
That is weak (a spinner turns for ever), so it buys time, and no more than `tool_minutes` of it.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from omni_tui.model.attempt import AttemptStatus, Phase
from omni_tui.model.pulse import Pulse
from omni_tui.model.signal import Health

BUSY_SHARE = 0.05
"""Share of one core from which a tree is at work."""

LOOK_SECONDS = 10.0
"""Longest time between the two looks of a second opinion."""

OLD_SECONDS = 300.0
"""Age from which a signal is one step less certain: much can have happened since."""


class Confidence(StrEnum):
    """How far a status can be believed."""

    SURE = "sure"
    """The harness itself said so, just now."""
    LIKELY = "likely"
    """It said so a while ago, or its session's record shows it."""
    GUESS = "guess"
    """Nothing but its start, or what its processes do, or old news."""


AT_WORK = (Phase.LAUNCH, Phase.CONFIRM, Phase.WATCH)
"""Phases in which what is shown of an attempt is its agent's doing; the others are ours, and certain."""

_BY_SOURCE = {"hook": 0, "result": 0, "events": 0, "transcript": 1, "processes": 2, "start": 2}
_STEPS = tuple(Confidence)


def confidence(source: str, age: float) -> Confidence:
    """Return how far a status from `source` can be believed `age` seconds after it was seen."""
    step = _BY_SOURCE.get(source, 2) + (age >= OLD_SECONDS)
    return _STEPS[min(step, len(_STEPS) - 1)]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How an agent at work is, with what that is known by."""

    health: Health
    source: str
    age: float
    """Seconds since it was seen."""
    confidence: Confidence


def standing(run: AttemptStatus, now: float) -> Standing | None:
    """Return how the agent of an attempt is at the UTC time `now`; None: none is at work in this phase."""
    if run.phase not in AT_WORK or not run.source:
        return None
    age = max(0.0, now - run.signal_at)
    return Standing(health=run.health, source=run.source, age=age, confidence=confidence(run.source, age))


class Opinion(msgspec.Struct, frozen=True, kw_only=True):
    """What the machine says of a silent agent."""

    at: float
    """Monotonic seconds."""
    alive: bool
    words: str


def weigh(before: Pulse, after: Pulse, seconds: float, at: float) -> Opinion:
    """Return the opinion that two looks, `seconds` apart, give at the monotonic time `at`."""
    used = max(0.0, after.cpu_seconds - before.cpu_seconds)
    busy, showed = used >= BUSY_SHARE * seconds, after.shown != before.shown
    words = f"its processes used {used:.1f} s of CPU in {seconds:.1f} s"
    words += " and its screen changed" if showed else " and its screen stood still"
    return Opinion(at=at, alive=busy or showed, words=words)
