"""What scheduling decides on: the tasks of the whole fleet, and how much may run.

Times are seconds on one clock, the caller's; which clock it is does not matter here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec

from omni_tui.model.brakes import Brakes
from omni_tui.model.course import Course
from omni_tui.model.flag import Flags
from omni_tui.model.frozen import FrozenPlan
from omni_tui.model.load import Load
from omni_tui.model.provider import Standing
from omni_tui.model.settings import LoadSettings
from omni_tui.model.task import Status, Task, TaskRef
from omni_tui.model.touch import TouchPoint


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """The tasks of the whole fleet."""

    waiting: Sequence[Task]
    """Those in `todo/`."""
    status_of: Mapping[TaskRef, Status]
    """Those that are not waiting."""
    running: Collection[TaskRef] = ()
    not_before: Mapping[TaskRef, float] = {}
    """Delays before another attempt."""
    course: Course = Course()
    providers: Mapping[TaskRef, Collection[str]] = {}
    """Who could serve each waiting task; one that is not named has no such limits."""
    standings: Mapping[str, Standing] = {}
    """How the providers stand."""
    flags: Mapping[str, Flags] = {}
    """The feature flags of each workspace."""
    refused: Mapping[TaskRef, str] = {}
    """Tasks whose text the settings refuse, and why."""
    brakes: Brakes = Brakes()
    """Of these the parts' count here; the fleet's own are its capacity's."""
    points: Mapping[TaskRef, Sequence[TouchPoint]] = {}
    """What each task will touch; one that is not named has not been looked at yet."""
    changed: Mapping[TaskRef, Sequence[TouchPoint]] = {}
    """What running tasks are known to touch because they have; what else they will touch it does not tell."""
    plans: Mapping[str, FrozenPlan] = {}
    """The frozen plans, by workspace."""


class Capacity(msgspec.Struct, frozen=True, kw_only=True):
    """How much may run."""

    slots: int
    now: float
    frozen: bool = False
    why_frozen: str = ""
    throttled: int = 0
    """So many at once, whatever `slots` says; 0: it is not throttled."""
    proven: bool = False
    """Beside others only what is known to be independent of them starts."""
    look_until: float = 0.0
    """Until then a start beside others waits to be told what the task will touch."""
    short: str = ""
    """What the disk has too little of; empty: it has enough."""
    load: Load | None = None
    """How loaded the machine is; None: nobody has looked."""
    load_limits: LoadSettings = LoadSettings()
    stagger_seconds: float = 0.0
    """Least time between two starts while another agent runs."""
    last_start: float | None = None
