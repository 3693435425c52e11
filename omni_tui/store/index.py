"""The index: which file holds which task, without reading a file twice."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from omni_tui.errors import TaskFileError
from omni_tui.model.task import Status, Task
from omni_tui.model.taskfile import is_task_name
from omni_tui.store.paths import WorkspacePaths
from omni_tui.store.taskread import read_task

Stamp = tuple[int, int, int]
"""Modification time in ns, inode and size; a move keeps them."""


class TaskIndex:
    """Knows ids by (name, inode), which a move keeps: a file is read once on its whole way through the folders."""

    def __init__(self, paths: WorkspacePaths) -> None:
        self._paths = paths
        self._ids: dict[tuple[str, int], str] = {}
        self._places: dict[str, tuple[Path, Stamp]] = {}

    def read(self, path: Path) -> Task:
        """Read a task, and remember where it is. Raises as `read_task`."""
        before = path.lstat()
        task = read_task(path, self._paths.name)
        self._ids[path.name, before.st_ino] = task.id
        self._places[task.id] = (path, _stamp(before))
        return task

    def moved(self, task_id: str, path: Path) -> None:
        """Take note that a task was found and moved to `path`."""
        _, stamp = self._places[task_id]
        self._places[task_id] = (path, stamp)

    def find(self, task_id: str, statuses: Iterable[Status] = tuple(Status)) -> tuple[Status, Path] | None:
        """Return where a task is; None: in none of these folders."""
        folders = {self._paths.queue(status): status for status in statuses}
        remembered = self._places.get(task_id)
        if remembered is not None and remembered[0].parent in folders and self._stands(*remembered):
            return folders[remembered[0].parent], remembered[0]
        likely_first = sorted(
            ((folder / name, inode) for folder in folders for name, inode in entries(folder)),
            key=lambda entry: not entry[0].name.startswith(task_id),
        )
        for path, inode in likely_first:
            if self._id(path.parent, path.name, inode) == task_id and self._holds(path, task_id):
                return folders[path.parent], path
        return None

    def ids(self, status: Status) -> Iterator[tuple[str, str]]:
        """Give every task's id and file name of one folder; what cannot be read has no id.

        It is asked at every change of thousands of files, so it makes no path of one that it knows.
        """
        folder = self._paths.queue(status)
        for name, inode in entries(folder):
            task_id = self._id(folder, name, inode)
            if task_id is not None:
                yield task_id, name

    def _id(self, folder: Path, name: str, inode: int) -> str | None:
        key = (name, inode)
        if key not in self._ids:
            with suppress(TaskFileError, FileNotFoundError):  # no task, which is not kept: a person may be mending it
                self.read(folder / name)
        return self._ids.get(key)

    def _holds(self, path: Path, task_id: str) -> bool:
        """Whether a file, known to have held the task, still does: its id may have been edited in place.

        One that cannot be read now is still the task's: a person is in the middle of editing it.
        """
        try:
            return self.read(path).id == task_id
        except TaskFileError:
            return True
        except FileNotFoundError:
            return False

    @staticmethod
    def _stands(path: Path, stamp: Stamp) -> bool:
        try:
            return _stamp(path.lstat()) == stamp
        except FileNotFoundError:
            return False


def _stamp(info: os.stat_result) -> Stamp:
    return info.st_mtime_ns, info.st_ino, info.st_size


def entries(folder: Path) -> Iterator[tuple[str, int]]:
    """Give name and inode of each task file; the listing has both. A folder that is not there holds none."""
    if not folder.is_dir():
        return
    with os.scandir(folder) as listing:
        for entry in listing:
            if is_task_name(entry.name):
                yield entry.name, entry.inode()
