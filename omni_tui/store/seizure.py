"""What is done once when the lease is taken over from an owner that is stopped, not dead.

Its door keeps it from every name in the tree, but to what it had open when it was stopped it can still write. A view
it has open under a temporary name, which nobody reads. Left are the files that grow: the journal, and the steps of what
runs. A copy takes the place of each, so that what the stale owner adds goes to a file without a name.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from omni_tui.model.task import Status
from omni_tui.store.files import DISK, Disk, publish
from omni_tui.store.index import TaskIndex
from omni_tui.store.paths import FleetPaths

_DAYS = 2
"""A journal's file is written to for a day; a process may have been stopped around midnight."""


def renew_open_files(root: Path, disk: Disk = DISK) -> None:
    """Put a copy in the place of each file of the fleet at `root` that its last owner may have open."""
    for path in _growing(FleetPaths(root)):
        publish(path, path.read_bytes(), disk=disk)


def _growing(paths: FleetPaths) -> Iterator[Path]:
    yield from sorted(paths.journal.glob("*.jsonl"))[-_DAYS:]
    for name in paths.workspace_names():
        place = paths.workspace(name)
        for task_id, _ in TaskIndex(place).ids(Status.DOING):
            yield from (place.runs / task_id).glob("*/steps.jsonl")
