"""The index: which file holds which task, without reading a file twice."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from omni_tui.errors import TaskFileError
from omni_tui.model.task import Status
from omni_tui.model.taskfile import is_task_name
from omni_tui.store.paths import WorkspacePaths
from omni_tui.store.taskread import read_task


class TaskIndex:
    """Knows ids by (name, inode), which a move keeps: a file is read once on its whole way through the folders."""

    def __init__(self, paths: WorkspacePaths) -> None:
        self._paths = paths
        self._ids: dict[tuple[str, int], str] = {}
        self._places: dict[str, Path] = {}

    def learn(self, path: Path, task_id: str) -> None:
        """Remember that the task is, or was a moment ago, at `path`."""
        self._places[task_id] = path

    def find(self, task_id: str, statuses: Iterable[Status] = tuple(Status)) -> tuple[Status, Path] | None:
        """Return where a task is; None: in none of these folders."""
        folders = {self._paths.queue(status): status for status in statuses}
        remembered = self._places.get(task_id)
        if remembered is not None and remembered.parent in folders and self._holds(remembered, task_id):
            return folders[remembered.parent], remembered
        likely_first = sorted(
            ((folder / name, inode) for folder in folders for name, inode in _entries(folder)),
            key=lambda entry: not entry[0].name.startswith(task_id),
        )
        for path, inode in likely_first:
            if self._id(path, inode) == task_id and self._holds(path, task_id):
                self._places[task_id] = path
                return folders[path.parent], path
        return None

    def ids(self, status: Status) -> Iterator[tuple[str, Path]]:
        """Give every task's id and file of one folder; what cannot be read has no id."""
        folder = self._paths.queue(status)
        for name, inode in _entries(folder):
            task_id = self._id(folder / name, inode)
            if task_id is not None:
                yield task_id, folder / name

    def _holds(self, path: Path, task_id: str) -> bool:
        try:
            return read_task(path, self._paths.name).id == task_id
        except (TaskFileError, FileNotFoundError):
            return False

    def _id(self, path: Path, inode: int) -> str | None:
        key = (path.name, inode)
        if key not in self._ids:
            try:
                self._ids[key] = read_task(path, self._paths.name).id
            except (TaskFileError, FileNotFoundError):  # not remembered: a person may be mending it
                return None
        return self._ids[key]


def _entries(folder: Path) -> Iterator[tuple[str, int]]:
    """Give name and inode of each task file; the listing has both. A folder that is not there holds none."""
    if not folder.is_dir():
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            if is_task_name(entry.name):
                yield entry.name, entry.inode()
