"""The survey: what tasks will touch, looked up in the repository beside the scheduler's loop and remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence

from omni_tui.engine.guard import Guard
from omni_tui.engine.services import Services
from omni_tui.engine.workplace import Workplace
from omni_tui.errors import ScmError
from omni_tui.model.task import Task, TaskRef
from omni_tui.model.touch import Knowledge, TouchPoint
from omni_tui.plugins.scm.protocol import Scm
from omni_tui.policy.defining import defining
from omni_tui.policy.history import companions
from omni_tui.policy.naming import named_symbols
from omni_tui.policy.touching import ByName, touch_points

COMMITS = 1000
"""How far back history is looked at, in commits."""
MOST_WORDS = 2000
"""Names of symbols that one survey looks up."""
MOMENT_SECONDS = 2.0
"""For so long a start beside others waits for a survey; then what the task itself says has to do."""
AFRESH_SECONDS = 60.0
"""So much later at the earliest all is surveyed again because the release branch has moved."""

Surveyed = Mapping[TaskRef, tuple[TouchPoint, ...]]


async def survey(scm: Scm, commit: str, tasks: Collection[Task]) -> Surveyed:
    """Return what tasks of one workspace will touch, by the tree of `commit` and the history before it.

    Raises `ScmError`.
    """
    symbols = dict.fromkeys(symbol for task in tasks for symbol in named_symbols(task))
    words = list(symbols)[:MOST_WORDS]
    paths = await scm.paths(commit)
    lines = await scm.lines(commit, words) if words else ()
    changes = await scm.changes(commit, COMMITS)

    def judge() -> Surveyed:
        places = defining(lines, frozenset(words))
        files = {name: tuple(dict.fromkeys(line.path for line in there)) for name, there in places.items()}
        knowledge = Knowledge(paths=paths, definitions=files, companions=companions(changes, paths))
        return declared(tasks, knowledge)

    return await asyncio.to_thread(judge)


def declared(tasks: Collection[Task], knowledge: Knowledge) -> Surveyed:
    """Return what tasks will touch, by what is known."""
    by_name = ByName(knowledge.paths)
    return {task.ref: touch_points(task, knowledge, by_name) for task in tasks}


class Surveyor:
    """Keeps what is known of one workplace's tasks; a survey at a time, of those that are new."""

    def __init__(self, place: Workplace, services: Services, guard: Guard, wake: asyncio.Event) -> None:
        self.points: dict[TaskRef, Sequence[TouchPoint]] = {}
        self.look_until = 0.0
        """While a survey runs: until when a start waits for it, UTC seconds."""
        self._place = place
        self._services = services
        self._guard = guard
        self._wake = wake
        self._seen: Sequence[Task] | None = None
        """The tasks that waited at the last look."""
        self._tasks: dict[TaskRef, Task] = {}
        self._commit = ""
        self._at = 0.0
        self._job: asyncio.Task[None] | None = None

    async def look(self, running: Sequence[Task], waiting: Sequence[Task]) -> None:
        """Have a survey made, unless one is, where a task is new or the release branch has moved since long ago."""
        now = self._services.clock.now()
        if self._job is not None or (waiting is self._seen and now < self._at + AFRESH_SECONDS):
            return
        self._seen = waiting
        tasks = [*running, *waiting]
        known = {id(task) for task in self._tasks.values()}
        new = [task for task in tasks if id(task) not in known]
        if not new and now < self._at + AFRESH_SECONDS:
            return
        commit = await self._place.scm.tip()
        if commit != self._commit and now >= self._at + AFRESH_SECONDS:
            new = list(tasks)
        if new:
            self.look_until = now + MOMENT_SECONDS
            self._job = self._guard.spawn(f"survey of {self._place.name}", self._survey(commit, tasks, new))

    async def _survey(self, commit: str, tasks: Sequence[Task], new: Sequence[Task]) -> None:
        try:
            found = await survey(self._place.scm, commit, new)
        except ScmError as error:
            self._services.record("survey.failed", workspace=self._place.name, error=str(error))
            found = await asyncio.to_thread(declared, new, Knowledge())
        there = {task.ref: task for task in tasks}
        self.points = {ref: points for ref, points in self.points.items() if ref in there} | dict(found)
        self._tasks = there
        self._commit, self._at = commit, self._services.clock.now()
        self.look_until = 0.0
        self._job = None
        self._seen = None  # others may have come meanwhile
        self._wake.set()
