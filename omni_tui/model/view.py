"""The read model: the fleet as a screen, a list or a report shows it. Built from the files alone."""

from __future__ import annotations

import msgspec

from omni_tui.model.attempt import AttemptStatus
from omni_tui.model.brakes import Brakes
from omni_tui.model.course import Parked
from omni_tui.model.effective import Effective
from omni_tui.model.moment import Moment
from omni_tui.model.sourced import SourceNote
from omni_tui.model.state import PublishedHold
from omni_tui.model.task import Status, TaskRef


class TaskRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One task in a table."""

    ref: TaskRef
    title: str
    status: Status
    path: str
    """Its file."""
    priority: int = 0
    created_at: float = 0.0
    attempt: int = 0
    """The latest attempt's number; 0: none yet."""
    agent: str = ""
    phase: str = ""
    reason: str = ""
    """Why it waits or is blocked: the note's first line, or the hold."""
    hold: PublishedHold | None = None
    """What keeps it from starting, as who dispatches says; None: it does not wait, or nobody has said."""
    run: AttemptStatus | None = None
    """The latest attempt, if there was one."""


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """Who dispatches the fleet: the content of `lease`."""

    pid: int
    host: str
    boot_id: str
    process_started: Moment
    """The process's start time as the kernel tells it: with `pid` and `boot_id` it names one process for good."""
    epoch: str
    """Unique to each start of a dispatcher."""
    since: Moment
    mode: str
    """`cockpit` or `headless`."""


class FleetView(msgspec.Struct, frozen=True, kw_only=True):
    """The whole fleet at one moment."""

    root: str
    taken_at: float
    rows: tuple[TaskRow, ...] = ()
    """Running first, then blocked, then waiting in the order they will start, then landed, newest first."""
    owner: Owner | None = None
    """None: nobody dispatches."""
    brakes: Brakes = Brakes()
    """What is frozen or throttled."""
    load: str = ""
    """Which limit of the machine's load binds; empty: none."""
    effective: Effective | None = None
    """How many may run at once, and what binds that; None: nobody dispatches, or has looked yet."""
    unguarded: bool = False
    """Agents run without a sandbox."""
    stopped: str = ""
    """Why the run was stopped by its own rules; empty: it goes on."""
    parked: dict[str, Parked] = {}
    """Providers that get no new attempt for now."""
    pauses: tuple[str, ...] = ()
    """What is paused for a known cause, a sentence each."""
    near: tuple[str, ...] = ()
    """Which budgets are nearly used up, a sentence each."""
    sources: tuple[SourceNote, ...] = ()
    """What the sources say that refill the queues."""
    line: tuple[str, ...] = ()
    """Who is next in line, `workspace/id`, as who dispatches says."""
    message: str = ""
    """The latest thing that a person should read, such as a refused configuration."""

    @property
    def frozen(self) -> bool:
        """Whether the whole fleet is frozen."""
        return self.brakes.frozen

    @property
    def throttled(self) -> bool:
        """Whether the whole fleet is throttled."""
        return self.brakes.throttled > 0

    @property
    def refilling(self) -> tuple[SourceNote, ...]:
        """What the sources say of those workspaces in which nothing waits, while somebody dispatches."""
        stocked = {row.ref.workspace for row in self.rows if row.status is Status.TODO}
        return tuple(note for note in self.sources if self.owner and not stocked.issuperset(note.workspaces))

    def count(self, status: Status) -> int:
        """How many tasks are in a folder."""
        return sum(row.status is status for row in self.rows)
