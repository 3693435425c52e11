"""A signal: something observed of an attempt, with its source and time; normalised over all harnesses."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Health(StrEnum):
    """What an attempt's agent is doing."""

    STARTING = "starting"
    THINKING = "thinking"
    TOOL = "tool"
    WAITING = "waiting"
    """For an answer or a permission."""
    LIMITED = "limited"
    """By its provider: a rate or usage limit."""
    IDLE = "idle"
    FINISHED = "finished"
    """The agent says that it is done. Whether it is, the gate says."""
    DEAD = "dead"


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """One observation. `at` is UTC seconds as the reader saw it."""

    health: Health
    source: str
    """`hook`, `result`, `events`, `transcript`, `processes`, `start`."""
    at: float
    detail: str = ""
    accepted: bool = False
    """The agent has the task: the proof of a hand-over."""
    until: float | None = None
    """LIMITED: when the limit ends, UTC seconds."""
    fatal: str = ""
    """The harness cannot go on, and why: `auth`, `billing`, `server`, `rate_limit`; empty: it can."""
    call: str = ""
    """The tool call that begins, the same text for the same call; empty: none, or one that cannot be compared."""
    session: str = ""
    """The file in which the harness itself records what it, or a sub-agent of it, does, where the signal names it."""
    turns: int | None = None
    """Answers of the model in the attempt so far."""
    tokens: int | None = None
    """Used by the attempt so far."""
    output: int | None = None
    """Of these: written by the model; None: nobody says, so they count as the dearest."""
    cached: int | None = None
    """Of these: read from the model's cache."""
    stored: int | None = None
    """Of these: put into the model's cache."""
    usd: float | None = None
    """Spent by the attempt so far."""
