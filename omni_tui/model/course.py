"""The course of a run: what the journal adds up to, apart from the tasks. Folded by `policy.course`, shown by views."""

from __future__ import annotations

import msgspec


class Parked(msgspec.Struct, frozen=True, kw_only=True):
    """A provider that gets no new attempt for now."""

    reason: str
    at: float
    """Since when, UTC seconds."""
    until: float | None = None
    """When one attempt may try whether it serves again, UTC seconds; None: once a person has thawed the fleet."""
    row: int = 1
    """How often in a row it was parked for want of service: the pause grows with it."""
    alone: bool = False
    """Its own trouble; else it is its account's, and holds all that draw on that."""
    premise: str = ""
    """A mark of what it rested on (file, key, login, program), where nothing but a change of that, or a thaw, helps."""
    budget: bool = False
    """A budget parked it: that it serves changes nothing."""


class Stricken(msgspec.Struct, frozen=True, kw_only=True):
    """A task that the server of its provider has failed."""

    provider: str
    own: int = 0
    """How often it failed this task alone, time and again."""
    served: bool = False
    """Since the latest of these it served somebody else."""
    failed: bool = False
    """Since then it failed somebody else as well."""


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """What several failures have in common."""

    workspace: str
    sign: str
    """As `policy.signs` names it: a failing test, a missing name, a flag."""
    tasks: tuple[str, ...]
    """Ids of the tasks that failed with it."""


class Sighting(msgspec.Struct, frozen=True):
    """One sign in one task's failure."""

    sign: str
    workspace: str
    task: str
    at: float


class Spending(msgspec.Struct, frozen=True):
    """What one attempt has used."""

    attempt: str
    """`workspace/task#number`."""
    at: float
    """When it was told last, UTC seconds."""
    tokens: int = 0
    usd: float = 0.0
    provider: str = ""
    minutes: float = 0.0


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """How the run goes."""

    failures: int = 0
    """Attempts in a row that failed by their own fault, whatever their tasks."""
    restarts: tuple[float, ...] = ()
    """When attempts other than a task's first were started, UTC seconds."""
    spendings: tuple[Spending, ...] = ()
    providers: dict[str, str] = {}
    """Who serves each attempt that runs; keys are `workspace/task#number`."""
    parked: dict[str, Parked] = {}
    proven: frozenset[str] = frozenset()
    """Providers whose preflight has passed since the core was started, and that gave no trouble after it."""
    verdicts: dict[str, tuple[bool, ...]] = {}
    """Of each provider's latest changes, whether the gate let them pass; the newest last."""
    stricken: dict[str, Stricken] = {}
    """Tasks, as `workspace/task`, that the server of their provider has failed."""
    near: dict[str, str] = {}
    """Budgets that are nearly used up, and what was said of each, once."""
    sightings: tuple[Sighting, ...] = ()
    causes: tuple[Cause, ...] = ()
    broken: dict[str, str] = {}
    """Workspaces in which nothing can land, and why."""
    stopped: str = ""
    """Why the run was stopped; empty: it goes on."""
    unserved: bool = False
    """It was stopped because no provider serves, and goes on as soon as one may."""
