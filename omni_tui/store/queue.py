"""The queue: tasks are files, the folder is the status, a change of status is one durable rename.

The owner of the fleet's lease moves tasks between folders; anybody may add one, many at once.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import msgspec

from omni_tui.errors import OmniError, TaskFileError, TaskNotFoundError
from omni_tui.model.lifecycle import Occasion, after
from omni_tui.model.task import Status, Task
from omni_tui.model.taskfile import SUFFIX, file_name, note_name, parse, render, shown_name
from omni_tui.model.text import Redact, clean
from omni_tui.store.files import DISK, Disk, make_dirs, move, publish, remove, sync_dir
from omni_tui.store.index import TaskIndex, entries
from omni_tui.store.paths import WorkspacePaths
from omni_tui.store.reading import read_small
from omni_tui.store.taskread import is_being_written

SETTLED = (Status.DOING, Status.DONE, Status.BLOCKED)
"""Where tasks are that no longer wait."""

_NUMBER = re.compile(r"\d+")


class Queue:
    """One workspace's folders."""

    def __init__(
        self, paths: WorkspacePaths, now: Callable[[], float], disk: Disk = DISK, redact: Redact = str
    ) -> None:
        """Take where it is, what the time is, and what takes secrets out of the notes beside tasks."""
        self._paths = paths
        self._now = now
        self._disk = disk
        self._redact = redact
        self._index = TaskIndex(paths)
        self._last_number: int | None = None

    # -- looking ---------------------------------------------------------------------------------------------------

    def files(self, status: Status) -> list[Path]:
        """Return the task files in a folder, by name; hidden and temporary files and notes are none."""
        folder = self._paths.queue(status)
        return sorted(folder / name for name, _ in entries(folder))

    def ids(self, status: Status) -> set[str]:
        """Return the ids of the tasks in a folder; no file is read twice for it."""
        return {task_id for task_id, _ in self._index.ids(status)}

    def read(self, path: Path) -> Task:
        """Return the task in a file. Raises `TaskFileError`, or `FileNotFoundError` where it has gone."""
        return self._index.read(path)

    def read_finished(self, path: Path) -> Task | None:
        """As `read`, but None while somebody is still writing the file."""
        return None if self.is_being_written(path) else self.read(path)

    def is_being_written(self, path: Path) -> bool:
        """Whether somebody is still writing a file."""
        return is_being_written(path)

    def find(self, task_id: str) -> tuple[Status, Path] | None:
        """Return where a task is; None: nowhere."""
        return self._index.find(task_id)

    def require(self, task_id: str) -> tuple[Status, Path]:
        """As `find`; what is shown by its file's name, because it cannot be read, is known by that too.

        Raises `TaskFileError` for such a file, `TaskNotFoundError` where there is none.
        """
        place = self.find(task_id)
        if place is None:
            for path in (path for status in Status for path in self.files(status) if shown_name(path.name) == task_id):
                self.check(path)
            name = f"{self._paths.name}/{task_id}"
            raise TaskNotFoundError("there is no such task", where=name, fix="see `omni-tui list`")
        return place

    def check(self, path: Path) -> None:
        """Raise `TaskFileError` where a file is no task: which file, what is wrong with it, and what to do."""
        with suppress(FileNotFoundError):  # moved at this very moment, so it is one
            try:
                self.read(path)
            except TaskFileError as error:
                where = f"{self._paths.name}/queue/{path.parent.name}/{error.where}"
                message, fix = f"it cannot be read as a task: {error.message}", f"{error.fix}, then try again"
                raise TaskFileError(message, where=where, fix=fix) from error

    def taken(self, ids: Collection[str]) -> Mapping[str, Path]:
        """Return which of these ids belong to tasks that no longer wait, and where those are."""
        return {
            task_id: self._paths.queue(status) / name
            for status in SETTLED
            for task_id, name in self._index.ids(status)
            if task_id in ids
        }

    def note(self, task_id: str) -> str:
        """Return what the note beside a task's file says; empty: there is none."""
        place = self.find(task_id)
        return self._read_note(place[1]) if place else ""

    # -- adding ----------------------------------------------------------------------------------------------------

    def add(self, draft: Task) -> Task:
        """Put a task into `todo/`; a draft without an id gets the next number. Many processes may do so at once.

        Making `runs/<id>` is what reserves the id. Raises `TaskFileError` where the id is another task's, or where what
        would be written is no task.
        """
        return self.add_all([draft])[0]

    def add_all(self, drafts: Iterable[Task]) -> list[Task]:
        """Put tasks into `todo/` in their order. Raises as `add`; then none of them is there."""
        for folder in self._folders():
            make_dirs(folder, disk=self._disk)
        with ExitStack() as undo:
            tasks = [self._admit(draft, undo) for draft in drafts]
            sync_dir(self._paths.runs, disk=self._disk)  # what an attempt keeps is below the name that reserves the id
            for task in tasks:
                path = self._paths.queue(Status.TODO) / file_name(task)
                publish(path, render(task).encode(), replace=False, disk=self._disk)
                undo.callback(remove, path, disk=self._disk)
            undo.pop_all()
        return tasks

    def release(self, task_id: str) -> None:
        """Give back an id that was reserved for a task whose file was then not made; one that has run keeps it."""
        if task_id and self.find(task_id) is None:
            with suppress(OSError):  # nothing was reserved, or something is kept there
                (self._paths.runs / task_id).rmdir()

    def _admit(self, draft: Task, undo: ExitStack) -> Task:
        """Reserve a draft's id, and return the task as its file will be read."""
        task_id = self._reserve(draft.id) if draft.id else self._reserve_number()
        undo.callback((self._paths.runs / task_id).rmdir)  # so that the id can be tried again
        task = msgspec.structs.replace(draft, id=task_id, workspace=self._paths.name)
        return parse(render(task).encode(), workspace=task.workspace, stem=task_id, created_at=self._now())

    def _reserve(self, task_id: str) -> str:
        if place := self.find(task_id):
            raise TaskFileError(f"the id {task_id} is taken by {_name(place[1])}", fix="choose another id, or none")
        try:
            self._disk.mkdir(self._paths.runs / task_id)
        except FileExistsError as error:
            run = self._paths.runs / task_id
            fix = "choose another id, or remove that directory if its task is gone for good"
            raise TaskFileError(f"the id {task_id} was used before", where=str(run), fix=fix) from error
        return task_id

    def _reserve_number(self) -> str:
        for number in count((self._last_number or self._highest_number()) + 1):
            task_id = f"{number:04d}"
            with suppress(FileExistsError):  # given to another process: try the next
                self._disk.mkdir(self._paths.runs / task_id)
                self._last_number = number
                return task_id
        raise AssertionError("unreachable: an endless count has ended")

    def _highest_number(self) -> int:
        names = [path.name for folder in self._folders() for path in folder.iterdir()]
        return max(
            (int(match[0]) for name in names if (match := _NUMBER.match(name)) and len(match[0]) < 10), default=0
        )

    def _folders(self) -> Iterable[Path]:
        return (self._paths.runs, *(self._paths.queue(status) for status in Status))

    # -- moving ----------------------------------------------------------------------------------------------------

    def claim(self, task: Task) -> bool:
        """Move a task from `todo/` to `doing/`: one rename, both directories synced. False: it waits no longer."""
        place = self._index.find(task.id, (Status.TODO,))
        if place is None:
            return False
        try:
            self._rename(place[1], Status.DOING, task.id)
        except FileNotFoundError:  # another was faster
            return False
        return True

    def move(self, task_id: str, from_status: Status, occasion: Occasion, note: str = "") -> Path:
        """Move a task on an occasion, with a note for a person beside it; return its file. Again: changes nothing.

        Raises `OmniError` where the life cycle has no such move, `TaskNotFoundError` where there is no such task.
        """
        to_status = after(from_status, occasion)
        if to_status is None:
            raise OmniError(f"a task in {from_status}/ cannot be {occasion}", where=task_id, fix="see omni-tui show")
        place = self._index.find(task_id, (from_status, to_status))
        if place is None:
            raise TaskNotFoundError(
                f"no task {task_id} in {from_status}/", where=self._paths.name, fix="see omni-tui list"
            )
        status, path = place
        target = self._paths.queue(to_status) / path.name
        if note:  # first: a blocked task without its reason would be worse than a reason without its task
            self._write_note(target, note)
        if status is to_status:
            return path
        self._rename(path, to_status, task_id)
        remove(self._beside(path), disk=self._disk)
        return target

    def block(self, task_id: str, note: str) -> Path:
        """Move a task that waits or runs to `blocked/`, with a note that a person can act on; return its file."""
        place = self.find(task_id)
        if place is None:
            raise TaskNotFoundError(f"no task {task_id}", where=self._paths.name, fix="see omni-tui list")
        if place[0] is Status.BLOCKED:
            self._write_note(place[1], note)
            return place[1]
        return self.move(task_id, place[0], Occasion.BLOCKED, note)

    def finish_moves(self) -> None:
        """Bring to an end what a power loss left half done: of a file that has a name in two folders one name goes.

        Some file systems make a rename from folder to folder last in two steps. The task stays where it had come
        furthest; that it had moved, nobody was told yet.
        """
        kept: dict[str, Path] = {}
        for path in (path for status in (*SETTLED, Status.TODO) for path in self.files(status)):
            first = kept.setdefault(path.name, path)
            if first is not path and first.samefile(path):
                remove(path, disk=self._disk)
                sync_dir(path.parent, disk=self._disk)

    def settle(self, path: Path) -> None:
        """Return once a file's move from `todo/` would survive a power loss, whoever has moved it. Raises `OSError`."""
        for folder in (path.parent, self._paths.queue(Status.TODO)):
            sync_dir(folder, disk=self._disk)

    def refuse(self, path: Path, reason: str) -> Path | None:
        """Move what is no task from `todo/` to `blocked/` under a free name, with a note; None: it has gone."""
        while True:
            target = self._free(path.name)
            self._write_note(target, reason)
            try:
                move(path, target, disk=self._disk)
            except FileExistsError:  # a person was faster: take the next free name
                continue
            except FileNotFoundError:
                remove(self._beside(target), disk=self._disk)
                return None
            return target

    def remark(self, task_id: str, text: str) -> None:
        """Add to the note beside a task's file, wherever it is now, unless the note says it already.

        Where a person has removed the file there is nothing to add to.
        """
        place = self.find(task_id)
        if place is None:
            return
        said = self._read_note(place[1])
        if text not in said:
            self._write_note(place[1], f"{said}\n{text}" if said else text)

    def _rename(self, path: Path, to_status: Status, task_id: str) -> None:
        target = self._paths.queue(to_status) / path.name
        try:
            move(path, target, disk=self._disk)
        except FileExistsError as error:
            fix = "rename one of the two files"
            raise TaskFileError(f"{_name(target)} is there already", where=str(path), fix=fix) from error
        self._index.moved(task_id, target)

    def _free(self, name: str) -> Path:
        stem, suffix = (name.removesuffix(SUFFIX), SUFFIX) if name.endswith(SUFFIX) else (name, "")
        blocked = self._paths.queue(Status.BLOCKED)
        names = (f"{stem}{f'.{number}' if number > 1 else ''}{suffix}" for number in count(1))
        return next(path for path in map(blocked.joinpath, names) if not os.path.lexists(path))

    # -- notes -----------------------------------------------------------------------------------------------------

    def _beside(self, path: Path) -> Path:
        return path.with_name(note_name(path.name))

    def _read_note(self, path: Path) -> str:
        try:
            return read_small(self._beside(path)).decode("utf-8", "replace")
        except OSError:  # no note, or none that can be read
            return ""

    def _write_note(self, path: Path, text: str) -> None:
        at = datetime.fromtimestamp(self._now(), UTC)
        note = f"{self._redact(clean(text)).rstrip()}\n\n({at:%Y-%m-%d %H:%M} UTC)\n"
        publish(self._beside(path), note.encode("utf-8", "replace"), disk=self._disk)


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"
