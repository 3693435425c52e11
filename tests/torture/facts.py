"""What the store's readers find in a tree, for each fact that a history has made true."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from omni_tui.model.attempt import AttemptId
from omni_tui.model.state import FleetState
from omni_tui.model.task import Status, Task
from omni_tui.store import control
from omni_tui.store.journal import read_events
from omni_tui.store.lease import Lease
from omni_tui.store.paths import FleetPaths, WorkspacePaths
from omni_tui.store.queue import Queue
from omni_tui.store.runs import Run, Runs
from tests.torture.history import OUTCOMES, WORKSPACE, Facts, now


class Tree(NamedTuple):
    """A tree as its readers see it; the queue is one, so that no task is read twice."""

    paths: FleetPaths
    place: WorkspacePaths
    queue: Queue


def facts_of(tree: Path, expected: Facts) -> dict[str, object]:
    """Return what the store's readers find in a tree, for each fact that is expected."""
    paths = FleetPaths(tree)
    place = paths.workspace(WORKSPACE)
    found = Tree(paths, place, Queue(place, now))
    return {name: _look(name, found) for name in expected}


def _look(name: str, tree: Tree) -> object:
    kind, _, rest = name.partition(" ")
    return LOOKS[kind](tree, rest)


def _task(tree: Tree, task_id: str) -> object:
    queue = tree.queue
    found = [status for status in Status for path in queue.files(status) if path.name.startswith(task_id)]
    if len(found) == 1 and queue.read(queue.find(task_id)[1]).title != f"Do {task_id}":  # type: ignore[index]
        return "another task"
    return found[0] if len(found) == 1 else tuple(found) or None


def _note(tree: Tree, task_id: str) -> object:
    return tree.queue.note(task_id).partition("\n")[0]


def _attempts(tree: Tree, task_id: str) -> object:
    return Runs(tree.place).last_number(task_id)


def _first(tree: Tree, task_id: str) -> object:
    return Runs(tree.place)._first(task_id)


def _steps(tree: Tree, attempt: str) -> object:
    task_id, _, number = attempt.partition("/")
    run = tree.place.runs / task_id / number
    return tuple(record.key for record in Run(run, AttemptId(Task(workspace="", id=task_id, title="").ref, 1)).steps())


def _request(tree: Tree, name: str) -> object:
    if control.read_reply(tree.paths.control, name) is not None:
        return "answered"
    return "asked" if any(request.id == name for request in control.pending(tree.paths.control)) else None


def _state(tree: Tree, _: str) -> object:
    path = tree.paths.root / "state.json"
    return msgspec.json.decode(path.read_bytes(), type=FleetState) if path.exists() else None


def _lease(tree: Tree, _: str) -> object:
    """Return the epoch of the next owner."""
    lease = Lease.acquire(tree.paths.lease, "headless", now)
    lease.release()
    return lease.epoch


def _journal(tree: Tree, _: str) -> object:
    return tuple(event.data["serial"] for event in read_events(tree.paths.journal) if event.event in OUTCOMES)


LOOKS: Mapping[str, Callable[[Tree, str], object]] = {
    "task": _task,
    "note": _note,
    "attempts": _attempts,
    "first": _first,
    "steps": _steps,
    "request": _request,
    "state": _state,
    "lease": _lease,
    "journal": _journal,
}
