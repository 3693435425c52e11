"""The files tracker: the tasks are the files in `todo/`, whoever put them there."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import ClassVar

import msgspec

from omni_tui.errors import TaskFileError
from omni_tui.model.outcome import Outcome
from omni_tui.model.task import Task
from omni_tui.model.taskfile import is_temporary
from omni_tui.plugins.tracker.protocol import Intake, Refusal, TrackerSpec

SETTLE_SECONDS = 1.0
"""How long a bad file must stay as it is before it is refused: it may be half written, or an editor's for a moment."""

READ_AT_ONCE = 50
LOOK_AT_ONCE = 250
"""Files that are read, or looked at, before others have a turn on the loop: a few milliseconds."""

Stamp = tuple[int, int, int]
"""Modification time in ns, inode and size: while they stand, a file is not read again."""


class _Known(msgspec.Struct, frozen=True):
    """A file that holds a task."""

    stamp: Stamp
    task: Task


class FilesTracker:
    """Reads what is new or changed in `todo/`, and nothing else."""

    name: ClassVar[str] = "files"

    def __init__(self, spec: TrackerSpec) -> None:
        self._spec = spec
        self._known: dict[str, _Known] = {}
        self._doubted: dict[str, tuple[Stamp, float]] = {}
        """Files that are no tasks (yet), and since when, UTC seconds, each has been as it is."""

    async def fetch(self) -> Intake:
        """See `Tracker`. Where nothing changed it costs one listing and a look at each file's stamp."""
        stamps = await self._stamps()
        self._known = {name: known for name, known in self._known.items() if stamps.get(name) == known.stamp}
        tasks, doubts = await self._read([name for name in stamps if name not in self._known])
        doubts |= self._admit(tasks, stamps)
        refused, look_again_at = self._settle(doubts, stamps)
        return Intake(
            tasks=[known.task for known in self._known.values()], refused=refused, look_again_at=look_again_at
        )

    async def tell(self, task: Task, outcome: Outcome) -> None:
        """See `Tracker`: the outcome goes into the note beside the task's file, unless that says it already."""
        said = f"{outcome.message} ({outcome.commit})" if outcome.commit else outcome.message
        self._spec.remark(task.id, said)

    async def _stamps(self) -> dict[str, Stamp]:
        stamps = {}
        with os.scandir(self._spec.todo) as entries:
            for number, entry in enumerate(entries, 1):
                if number % LOOK_AT_ONCE == 0:
                    await asyncio.sleep(0)
                if entry.name not in self._known and is_temporary(entry.name):
                    continue
                with suppress(FileNotFoundError):  # it went while we looked
                    info = entry.stat(follow_symlinks=False)
                    stamps[entry.name] = (info.st_mtime_ns, info.st_ino, info.st_size)
        return stamps

    async def _read(self, names: list[str]) -> tuple[dict[str, Task], dict[str, str]]:
        """Return tasks by file name, and why other files are none; for no reason where one is still being written."""
        tasks: dict[str, Task] = {}
        doubts: dict[str, str] = {}
        for number, name in enumerate(names, 1):
            if number % READ_AT_ONCE == 0:
                await asyncio.sleep(0)
            try:
                task = self._spec.read(self._spec.todo / name)
            except FileNotFoundError:
                continue
            except TaskFileError as error:
                doubts[name] = str(error)
                continue
            if task is None:
                doubts[name] = ""
            else:
                tasks[name] = task
        return tasks, doubts

    def _admit(self, tasks: dict[str, Task], stamps: dict[str, Stamp]) -> dict[str, str]:
        """Take in new tasks, the oldest first; return those whose id another has, and why that keeps them out."""
        if not tasks:
            return {}
        holders = {known.task.id: f"todo/{name}" for name, known in self._known.items()}
        settled = self._spec.taken({task.id for task in tasks.values()})
        holders |= {task_id: f"{path.parent.name}/{path.name}" for task_id, path in settled.items()}
        doubts = {}
        for name, task in sorted(tasks.items(), key=lambda item: (item[1].created_at, item[0])):
            if task.id in holders:
                doubts[name] = f"{name}: the id {task.id} is taken by {holders[task.id]} (give it an id of its own)"
            else:
                self._known[name] = _Known(stamps[name], task)
                holders[task.id] = f"todo/{name}"
        return doubts

    def _settle(self, doubts: dict[str, str], stamps: dict[str, Stamp]) -> tuple[list[Refusal], float | None]:
        """Refuse what has been bad for long enough; return the refusals, and when the rest will have been."""
        now = self._spec.now()
        doubted, refused, moments = {}, [], []
        for name, reason in doubts.items():
            stamp, since = self._doubted.get(name, (None, now))
            if stamp != stamps[name]:
                since = now
            doubted[name] = (stamps[name], since)
            if not reason:
                moments.append(now + SETTLE_SECONDS)
            elif now < since + SETTLE_SECONDS:
                moments.append(since + SETTLE_SECONDS)
            else:
                refused.append(Refusal(path=self._spec.todo / name, reason=reason))
        self._doubted = doubted
        return refused, min(moments, default=None)
