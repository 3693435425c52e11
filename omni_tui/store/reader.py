"""The read model: builds `FleetView` from the files, and after the first time reads only what has changed.

It asks nobody and changes nothing, so the cockpit works the same beside the dispatcher and far from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from omni_tui.errors import TaskFileError
from omni_tui.model.attempt import AttemptStatus
from omni_tui.model.state import FleetState
from omni_tui.model.task import Status, Task, TaskRef
from omni_tui.model.view import FleetView, Owner, TaskRow
from omni_tui.store.detail import TaskDetail, read_detail
from omni_tui.store.folder import Entry, Folder
from omni_tui.store.lease import read_owner
from omni_tui.store.notable import NotableEvents
from omni_tui.store.paths import FleetPaths
from omni_tui.store.runs import Runs
from omni_tui.store.state import STATE_FILE, read_state

FolderKey = tuple[str, Status]
SHOWN_ORDER = (Status.DOING, Status.BLOCKED, Status.TODO, Status.DONE)
STATUS_FILE = "status.json"


class Latest(msgspec.Struct, frozen=True):
    """A task's latest attempt."""

    number: int = 0
    """0: none yet."""
    status: AttemptStatus | None = None


class FleetReader:
    """Reads a fleet's tree, and keeps the tasks `whole` or without their texts. Not thread-safe: one call at a time."""

    def __init__(self, paths: FleetPaths, now: Callable[[], float], *, whole: bool = False) -> None:
        self.paths = paths
        self._whole = whole
        self._now = now
        self._folders: dict[FolderKey, Folder] = {}
        self._by_path: dict[Path, FolderKey] = {}
        self._latest: dict[TaskRef, Latest] = {}
        self._rows: dict[Status, tuple[TaskRow, ...]] = dict.fromkeys(SHOWN_ORDER, ())
        self._kept: dict[tuple[Status, str], TaskRow] = {}
        self._stale: set[Status] = set(SHOWN_ORDER)
        self._state = FleetState()
        self._notable = NotableEvents(paths.journal)
        self._owner: Owner | None = None
        self._view = FleetView(root=str(paths.root), taken_at=0.0)

    def read(self) -> FleetView:
        """Look at everything: the first time, and when changes may have been missed."""
        self._take_workspaces()
        for key, folder in self._folders.items():
            self._scanned(key, changed=folder.scan())
        self._take_state()
        self._notable.read()
        self._take_owner()
        return self._build()

    def update(self, changed: Iterable[Path]) -> FleetView:
        """Look at what `changed` names: files, or directories in which anything may have changed."""
        for path in changed:
            self._take(path)
        self._take_owner()
        return self._build()

    def check_owner(self) -> FleetView:
        """Look at who dispatches: a lease that falls back to nobody changes no file."""
        return self._build() if self._take_owner() else self._view

    def watched(self) -> frozenset[Path]:
        """Return the directories in which a change matters now; those that exist."""
        directories = [self.paths.root, self.paths.control, self.paths.journal, self.paths.workspaces]
        for key, folder in self._folders.items():
            workspace, status = key
            directories += [folder.path, folder.path.parent, self.paths.workspaces / workspace]
            if status is Status.DOING:
                runs = self.paths.workspace(workspace).runs
                for entry in folder.entries.values():
                    number = self._latest.get(entry.task.ref, Latest()).number
                    directories.append(runs / entry.task.id)
                    if number:
                        directories.append(runs / entry.task.id / str(number))
        return frozenset(directory for directory in directories if directory.is_dir())

    def tasks(self, status: Status) -> dict[str, Task]:
        """Return the tasks with this status as they were read last, by their files; what is none is not among them."""
        folders = (folder for (_, of), folder in self._folders.items() if of is status)
        return {entry.path: entry.task for folder in folders for entry in folder.entries.values() if not entry.fault}

    def faults(self, status: Status) -> dict[str, tuple[TaskRef, TaskFileError]]:
        """Return why files with this status are no task as they were read last, and what they are shown as."""
        folders = (folder for (_, of), folder in self._folders.items() if of is status)
        entries = (entry for folder in folders for entry in folder.entries.values())
        return {entry.path: (entry.task.ref, entry.fault) for entry in entries if entry.fault}

    def detail(self, row: TaskRow) -> TaskDetail:
        """Read all about the task of `row`."""
        return read_detail(self.paths, row.ref, Path(row.path))

    def _take(self, path: Path) -> None:
        if path in self._by_path or path.parent in self._by_path:
            self._take_queue(path)
        elif path.name == STATE_FILE and path.parent == self.paths.root:
            self._take_state()
        elif self.paths.journal in (path, path.parent):
            self._notable.read()
        elif self.paths.workspaces in path.parents or path == self.paths.workspaces:
            self._take_below_workspaces(path)

    def _take_queue(self, path: Path) -> None:
        """Look at a queue's folder, or a file in it."""
        key = self._by_path.get(path)
        if key is not None:
            self._scanned(key, changed=self._folders[key].scan())
            return
        key = self._by_path[path.parent]
        self._scanned(key, changed=self._folders[key].look(path.name), name=path.name)

    def _take_below_workspaces(self, path: Path) -> None:
        """Look at a run, or at workspaces that have come, gone, or got their folders."""
        parts = path.relative_to(self.paths.workspaces).parts
        if len(parts) >= 3 and parts[1] == "runs":
            if len(parts) < 5 or parts[4] == STATUS_FILE:
                self._take_run(TaskRef(parts[0], parts[2]))
        elif len(parts) <= 3:
            self._take_workspaces()
            for key, folder in self._folders.items():
                if not parts or key[0] == parts[0]:
                    self._scanned(key, changed=folder.scan())

    def _take_workspaces(self) -> None:
        names = set(self.paths.workspace_names())
        for name in names - {workspace for workspace, _ in self._folders}:
            for status in SHOWN_ORDER:
                path = self.paths.workspace(name).queue(status)
                self._folders[name, status] = Folder(name, path, whole=self._whole)
                self._by_path[path] = (name, status)
        for key in [key for key in self._folders if key[0] not in names]:
            del self._by_path[self._folders.pop(key).path]
            self._stale.add(key[1])

    def _take_owner(self) -> bool:
        """Look who dispatches; return whether it is another, or nobody any more: what held tasks then is over."""
        owner = read_owner(self.paths.lease)
        changed = owner != self._owner
        if changed:
            self._owner = owner
            self._stale.add(Status.TODO)
        return changed

    def _take_state(self) -> None:
        state = read_state(self.paths.root)
        if state.holds != self._state.holds:
            self._stale.add(Status.TODO)
        self._state = state

    def _scanned(self, key: FolderKey, *, changed: bool, name: str = "") -> None:
        """Take note that a folder differs: its tasks' attempts may be others now."""
        if not changed:
            return
        status = key[1]
        self._stale.add(status)
        entries = self._folders[key].entries
        if name:
            seen = [entries[name]] if name in entries else []
        else:
            tried = Runs(self.paths.workspace(key[0])).tasks()
            seen = [entry for entry in entries.values() if entry.task.id in tried or entry.task.ref in self._latest]
        for entry in seen:
            self._take_run(entry.task.ref, status)

    def _take_run(self, ref: TaskRef, status: Status = Status.DOING) -> None:
        run = Runs(self.paths.workspace(ref.workspace)).latest(ref.id)
        latest = Latest(run.attempt.number, run.read_status()) if run is not None else Latest()
        if latest != self._latest.get(ref, Latest()):
            self._latest[ref] = latest
            self._stale.add(status)

    def _build(self) -> FleetView:
        """Return the view; the same one as before where nothing differs."""
        for status in self._stale:
            rows = [
                self._row(entry, status)
                for (_, of), folder in self._folders.items()
                if of is status
                for entry in folder.entries.values()
            ]
            self._rows[status] = tuple(sorted(rows, key=_ORDER[status]))
        view = FleetView(
            root=str(self.paths.root),
            taken_at=self._view.taken_at,
            rows=self._view.rows if not self._stale else sum((self._rows[status] for status in SHOWN_ORDER), ()),
            owner=self._owner,
            brakes=self._state.in_force,
            load=self._state.load,
            effective=self._state.effective if self._owner else None,
            unguarded=self._state.unguarded,
            stopped=self._state.stopped,
            parked=self._state.parked,
            near=self._state.near,
            line=self._state.line if self._owner else (),
            pauses=self._state.pauses,
            sources=self._state.sources,
            message=self._state.message or self._notable.message,
        )
        if self._stale or view != self._view:
            self._view = msgspec.structs.replace(view, taken_at=self._now())
        self._stale.clear()
        return self._view

    def _row(self, entry: Entry, status: Status) -> TaskRow:
        """Make a row, the very same object as before where nothing has changed: screens compare by identity."""
        task, latest = entry.task, self._latest.get(entry.task.ref, Latest())
        row = TaskRow(
            ref=task.ref,
            title=task.title,
            status=status,
            path=entry.path,
            priority=task.priority,
            created_at=task.created_at,
            attempt=latest.number,
            agent=(latest.status.agent if latest.status else "") or task.agent or "",
            phase=str(latest.status.phase) if latest.status else "",
            reason=self._reason(entry, status, latest.status),
            hold=self._state.holds.get(str(task.ref)) if status is Status.TODO and self._owner else None,
            run=latest.status,
        )
        before = self._kept.get((status, entry.path))
        if before == row:
            return before
        self._kept[status, entry.path] = row
        return row

    def _reason(self, entry: Entry, status: Status, run: AttemptStatus | None) -> str:
        if status is Status.TODO:
            if entry.fault:
                return f"no task: {entry.fault}"
            hold = self._state.holds.get(str(entry.task.ref)) if self._owner else None
            return hold.message if hold else ""
        if status is Status.BLOCKED:
            return entry.note or (run.reason if run else "")
        return run.reason if run and status is Status.DOING else ""


def _touched(row: TaskRow) -> float:
    return row.run.updated_at if row.run else row.created_at


_ORDER: dict[Status, Callable[[TaskRow], tuple[object, ...]]] = {
    Status.DOING: lambda row: (row.run.started_at if row.run else 0.0, row.ref),
    Status.BLOCKED: lambda row: (-_touched(row), row.ref),
    Status.TODO: lambda row: (-row.priority, row.created_at, row.ref),
    Status.DONE: lambda row: (-_touched(row), row.ref),
}
