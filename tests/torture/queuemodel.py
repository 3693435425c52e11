"""The model that the state machine of `machine` goes by: what is where, who owns the fleet, and what must hold.

The model is a dictionary of files and a few sets; the owner is a real one, on a real tree.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant

from omni_tui.model.attempt import AttemptId
from omni_tui.model.task import Status, Task, TaskRef
from omni_tui.plugins.tracker.files import FilesTracker
from omni_tui.plugins.tracker.protocol import TrackerSpec
from omni_tui.store.files import DISK
from omni_tui.store.layout import create_fleet, create_workspace
from omni_tui.store.lease import Lease, read_owner
from omni_tui.store.queue import Queue
from omni_tui.store.runs import Runs
from tests.torture.scratch import MEMORY

MOST_FILES = 12
MOST_STALE = 3
WORKSPACE = "app"
PICK = st.integers(0, 9)
"""Which of several; modulo how many there are."""

steps = Counter[str]()
"""How often each rule was followed, in this process."""


class File(NamedTuple):
    """Where a file is, and what it is called."""

    status: Status
    name: str


class Owner:
    """A process that dispatches, as far as queue and lease go."""

    def __init__(self, model: QueueModel, lease: Lease) -> None:
        self.lease = lease
        disk = DISK.through(lease.door)
        self.queue = Queue(model.place, model.now, disk)
        self.runs = Runs(model.place, disk)
        self.tracker = FilesTracker(
            TrackerSpec(
                workspace=WORKSPACE,
                todo=model.place.queue(Status.TODO),
                read=self.queue.read_finished,
                taken=self.queue.taken,
                remark=self.queue.remark,
                now=model.now,
            )
        )


class QueueModel(RuleBasedStateMachine):
    """A tree, its owner, and what both have to be."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="torture-", dir=MEMORY if MEMORY.is_dir() else None))
        self.paths = create_fleet(self.root, "")
        self.place = self.paths.workspace(WORKSPACE)
        create_workspace(self.place)
        self.time = 1_700_000_000.0
        self.files: dict[File, str] = {}
        """The id that each file holds; empty: it is no task."""
        self.given: set[str] = set()
        """Ids that are reserved: each is given once."""
        self.done: dict[str, list[list[str]]] = {}
        """By id, the attempts with the keys of their steps."""
        self.counting: dict[str, int] = {}
        """By id, how many of its attempts count no more."""
        self.serial = 0
        self.stale: list[Owner] = []
        self.epochs: list[str] = []
        self.owner = self._acquire()
        self.others = Queue(self.place, self.now)
        self._add(self.others, 3)

    def now(self) -> float:
        """UTC seconds."""
        return self.time

    def teardown(self) -> None:
        """Leave nothing."""
        try:
            for owner in (self.owner, *self.stale):
                owner.lease.release()
        finally:
            shutil.rmtree(self.root)

    def _acquire(self, *, take_over: bool = False) -> Owner:
        lease = Lease.acquire(self.paths.lease, "headless", self.now, take_over=take_over, pause=lambda _: None)
        assert all(lease.epoch > epoch for epoch in self.epochs), "an epoch does not sort after all before it"
        self.epochs.append(lease.epoch)
        owner = Owner(self, lease)
        self._look_at_attempts(owner)
        return owner

    def _add(self, queue: Queue, times: int) -> None:
        self.serial += 1
        for task in queue.add_all([Task(workspace=WORKSPACE, id="", title=f"Added {self.serial}")] * times):
            assert task.id not in self.given, f"the id {task.id} is given again"
            self.given.add(task.id)
            self.files[File(Status.TODO, f"{task.id}-added-{self.serial}.md")] = task.id

    # -- what must hold ------------------------------------------------------------------------------------------------

    @invariant()
    def tree_is_as_the_model_says(self) -> None:
        found = {
            File(status, name)
            for status in Status
            for name in os.listdir(self.place.queue(status))  # noqa: PTH208 - names are wanted
            if name.endswith(".md") and not name.endswith(".note.md")
        }
        assert found == self.files.keys()
        for status in Status:
            assert self.owner.queue.ids(status) == set(filter(None, self._ids(status)))
            assert {path.name for path in self.owner.queue.files(status)} == {
                file.name for file in found if file.status is status
            }

    @invariant()
    def each_task_is_found_where_it_is(self) -> None:
        for file, task_id in self.files.items():
            if task_id and self._is_sole(file):
                assert self.owner.queue.find(task_id) == (file.status, self._path(file))

    @invariant()
    def lease_is_the_owners(self) -> None:
        self.owner.lease.check()
        assert read_owner(self.paths.lease) == self.owner.lease.owner

    def _look_at_attempts(self, owner: Owner) -> None:
        """See that what was acknowledged to one owner is there for the next."""
        for task_id, attempts in self.done.items():
            first = self.counting.get(task_id, 0)
            assert owner.runs.attempts(task_id) == list(range(first + 1, len(attempts) + 1))
            for number, keys in enumerate(attempts, 1):
                run = owner.runs.open(self._attempt(task_id, number))
                assert [record.key for record in run.steps()] == keys

    # -- choices -------------------------------------------------------------------------------------------------------

    def _path(self, file: File) -> Path:
        return self.place.queue(file.status) / file.name

    def _ids(self, status: Status) -> list[str]:
        return [task_id for file, task_id in self.files.items() if file.status is status]

    def _pick(self, pick: int, status: Status | None = None) -> File | None:
        """Return one of the files; of a folder one that is the only one of its task."""
        files = sorted(file for file in self.files if status is None or (file.status is status and self._is_sole(file)))
        return files[pick % len(files)] if files else None

    def _is_sole(self, file: File) -> bool:
        task_id = self.files[file]
        return bool(task_id) and sum(other == task_id for other in self.files.values()) == 1

    def _attempt(self, task_id: str, number: int) -> AttemptId:
        return AttemptId(TaskRef(WORKSPACE, task_id), number)


class refused(suppress):  # noqa: N801 - reads as a statement
    """Let one error pass, and no less: what has to be refused was refused."""

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> bool:
        assert kind is not None, "it was not refused"
        return bool(super().__exit__(kind, *rest))  # type: ignore[arg-type]
