"""One folder of a queue as the read model sees it: a head is read once, and kept while its file stands as it was."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from omni_tui.errors import TaskFileError
from omni_tui.model.task import Task
from omni_tui.model.taskfile import is_task_name, note_name, shown_name
from omni_tui.model.text import one_line
from omni_tui.store.reading import read_small
from omni_tui.store.taskread import read_task

Stamp = tuple[int, int, int]


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A task file as it was read. `note` is the first line of the note beside it."""

    task: Task
    fault: TaskFileError | None
    """Why the file holds none, if it does not: then it is shown by its name."""
    path: str
    moved_at: float
    """When the file came into this folder (its change time), UTC seconds."""
    note: str
    stamp: Stamp
    note_stamp: Stamp | None


class Folder:
    """The task files of one folder, by file name; tasks `whole`, else without their texts."""

    def __init__(self, workspace: str, path: Path, *, whole: bool = False) -> None:
        self.path = path
        self.entries: dict[str, Entry] = {}
        self._workspace = workspace
        self._whole = whole

    def scan(self) -> bool:
        """Look at every file; return whether anything differs."""
        try:
            listed = set(os.listdir(self.path))  # noqa: PTH208 (10,000 names, not paths)
        except FileNotFoundError:
            listed = set()
        names = {name for name in listed if is_task_name(name)}
        gone = self.entries.keys() - names
        for name in gone:
            del self.entries[name]
        changed = [name for name in names if self._look(name, noted=note_name(name) in listed)]
        return bool(changed or gone)

    def look(self, name: str) -> bool:
        """Look at the file called `name`, or the one that the note called so is of; return whether anything differs."""
        if not is_task_name(name):
            owner = next((task for task in self.entries if note_name(task) == name), None)
            return owner is not None and self._look(owner)
        return self._look(name)

    def _look(self, name: str, *, noted: bool = True) -> bool:
        """Look at a file, and at the note beside it where there may be one; return whether anything differs."""
        path = self.path / name
        known = self.entries.get(name)
        info = _stat(path)
        if info is None:
            return self.entries.pop(name, None) is not None
        note_path = self.path / note_name(name) if noted else None
        note_info = _stat(note_path) if note_path else None
        note_stamp = _stamp(note_info) if note_info else None
        if known is not None and known.stamp == _stamp(info) and known.note_stamp == note_stamp:
            return False
        if known is not None and known.stamp == _stamp(info):
            task, fault = known.task, known.fault
        else:
            task, fault = self._read(path, info)
        self.entries[name] = Entry(
            task=task,
            fault=fault,
            path=str(path),
            moved_at=info.st_ctime,
            note=_first_line(note_path) if note_path and note_info else "",
            stamp=_stamp(info),
            note_stamp=note_stamp,
        )
        return True

    def _read(self, path: Path, info: os.stat_result) -> tuple[Task, TaskFileError | None]:
        """Read a task; a file that is none is shown by its name: it lies in `blocked/` or is about to be put there."""
        try:
            task = read_task(path, self._workspace)
        except (TaskFileError, OSError) as error:
            name = shown_name(path.name)
            shown = Task(workspace=self._workspace, id=name, title=one_line(path.name), created_at=info.st_mtime)
            return shown, error if isinstance(error, TaskFileError) else TaskFileError(str(error), where=path.name)
        return task if self._whole else msgspec.structs.replace(task, body="", extra={}), None


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except FileNotFoundError:
        return None


def _stamp(info: os.stat_result) -> Stamp:
    return info.st_mtime_ns, info.st_ino, info.st_size


def _first_line(path: Path) -> str:
    """Return the first line of a note that says something."""
    try:
        text = read_small(path).decode("utf-8", "replace")
    except OSError:
        return ""
    lines = (one_line(line[:2000]) for line in text.split("\n", 10)[:10])
    return next((line.lstrip("# ") for line in lines if line), "")
