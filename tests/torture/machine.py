"""The queue and the lease against a model: what owners, other processes and people's hands do in any order.

The model is a dictionary of files and a few sets. After each step the tree, what a fresh look finds and what the
owner's own index says have to be what the model says. Hypothesis chooses the steps.

`python -m tests.torture.machine SEED` walks again by a seed, and shortens what breaks, which may take minutes.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import hypothesis
from hypothesis import Phase
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from omni_tui.errors import LeaseHeldError, LeaseLostError, OmniError, TaskFileError, TaskNotFoundError
from omni_tui.model.attempt import AttemptId
from omni_tui.model.lifecycle import Occasion
from omni_tui.model.step import StepRecord
from omni_tui.model.task import Status, Task, TaskRef
from omni_tui.model.taskfile import render
from omni_tui.plugins.tracker.files import FilesTracker
from omni_tui.plugins.tracker.protocol import TrackerSpec
from omni_tui.store.files import DISK
from omni_tui.store.layout import create_fleet, create_workspace
from omni_tui.store.lease import Lease, read_owner
from omni_tui.store.queue import Queue
from omni_tui.store.runs import Runs
from tests.torture.figure import Figure
from tests.torture.scratch import MEMORY
from tests.torture.workers import WORKERS, spread

GOAL = 200_000
LONG = 5_000_000
STEPS = 100
"""Of one run through the machine, at most."""
MOST_RUNS = 100
"""Through the machine by one seed."""
MOST_FILES = 12
MOST_STALE = 3
WORKSPACE = "app"
PICK = st.integers(0, 9)
"""Which of several; modulo how many there are."""

MOVES = {
    (Status.TODO, Occasion.BLOCKED): Status.BLOCKED,
    (Status.DOING, Occasion.LANDED): Status.DONE,
    (Status.DOING, Occasion.BLOCKED): Status.BLOCKED,
    (Status.DOING, Occasion.REQUEUED): Status.TODO,
    (Status.BLOCKED, Occasion.REQUEUED): Status.TODO,
    (Status.DONE, Occasion.REQUEUED): Status.TODO,
}
"""What the life of a task allows, as DESIGN.md tells it."""

steps = Counter[str]()
"""How often each rule was followed, in this process."""


class File(NamedTuple):
    """Where a file is, and what it is called."""

    status: Status
    name: str


class Owner:
    """A process that dispatches, as far as queue and lease go."""

    def __init__(self, machine: QueueMachine, lease: Lease) -> None:
        self.lease = lease
        disk = DISK.through(lease.door)
        self.queue = Queue(machine.place, machine.now, disk)
        self.runs = Runs(machine.place, disk)
        self.tracker = FilesTracker(
            TrackerSpec(
                workspace=WORKSPACE,
                todo=machine.place.queue(Status.TODO),
                read=self.queue.read_finished,
                taken=self.queue.taken,
                remark=self.queue.remark,
                now=machine.now,
            )
        )


class QueueMachine(RuleBasedStateMachine):
    """The rules."""

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
        for owner in (self.owner, *self.stale):
            owner.lease.release()
        shutil.rmtree(self.root)

    # -- who owns the fleet --------------------------------------------------------------------------------------------

    def _acquire(self, *, take_over: bool = False) -> Owner:
        lease = Lease.acquire(self.paths.lease, "headless", self.now, take_over=take_over, pause=lambda _: None)
        assert all(lease.epoch > epoch for epoch in self.epochs), "an epoch does not sort after all before it"
        self.epochs.append(lease.epoch)
        owner = Owner(self, lease)
        self._look_at_attempts(owner)
        return owner

    def _retire(self) -> None:
        self.stale.append(self.owner)
        if len(self.stale) > MOST_STALE:
            self.stale.pop(0).lease.release()

    @rule()
    def crash_and_reopen(self) -> None:
        steps["crash and reopen"] += 1
        os.close(self.owner.lease._descriptor)  # as the kernel does
        self.owner = self._acquire()

    @rule()
    def end_and_reopen(self) -> None:
        steps["end and reopen"] += 1
        self.owner.lease.release()
        assert read_owner(self.paths.lease) is None
        self.owner = self._acquire()

    @rule()
    def open_a_second_time(self) -> None:
        steps["second opener"] += 1
        with refused(LeaseHeldError):
            Lease.acquire(self.paths.lease, "headless", self.now, pause=lambda _: None)

    @rule(removed=st.booleans())
    def take_over(self, removed: bool) -> None:
        steps["take over"] += 1
        if removed:
            self.paths.lease.unlink()
        self._retire()
        self.owner = self._acquire(take_over=not removed)

    @precondition(lambda self: self.stale)
    @rule(which=PICK, pick=PICK, deed=st.sampled_from(("claim", "move", "refuse", "add", "attempt", "check")))
    def act_stale(self, which: int, pick: int, deed: str) -> None:
        owner = self.stale[which % len(self.stale)]
        file = self._pick(pick)
        if deed != "check" and file is None:
            return
        steps["stale owner"] += 1
        with refused(LeaseLostError):
            self._deed(owner, deed, file)

    def _deed(self, owner: Owner, deed: str, file: File | None) -> None:
        """Do what a stale owner would, on a file that is there."""
        if file is None or deed == "check":
            owner.lease.check()
        elif deed == "claim" and file.status is Status.TODO and self._is_sole(file):
            owner.queue.claim(owner.queue.read(self._path(file)))
        elif deed == "move" and file.status is Status.DOING and self._is_sole(file):
            owner.queue.move(self.files[file], file.status, Occasion.LANDED, note="stale")
        elif deed == "add":
            owner.queue.add(Task(workspace=WORKSPACE, id=f"stale-{self.serial}", title="Stale"))
        elif deed == "attempt":
            owner.runs.begin_afresh(self.files[file] or "nobody")
        else:
            owner.queue.refuse(self._path(file), "stale")

    # -- what the owner does -------------------------------------------------------------------------------------------

    @rule(pick=PICK)
    def claim(self, pick: int) -> None:
        file = self._pick(pick, Status.TODO)
        if file is None:
            return
        steps["claim"] += 1
        task = self.owner.queue.read(self._path(file))
        target = File(Status.DOING, file.name)
        if target in self.files:
            with refused(TaskFileError):
                self.owner.queue.claim(task)
        else:
            assert self.owner.queue.claim(task)
            self.files[target] = self.files.pop(file)

    @rule()
    def claim_what_has_gone(self) -> None:
        steps["claim what has gone"] += 1
        assert not self.owner.queue.claim(Task(workspace=WORKSPACE, id="nowhere", title="Gone"))

    @rule(pick=PICK, occasion=st.sampled_from(tuple(Occasion)), note=st.sampled_from(("", "Look at it.")))
    def move(self, pick: int, occasion: Occasion, note: str) -> None:
        file = self._pick(pick)
        if file is None or not self._is_sole(file) or occasion in (Occasion.CLAIMED, Occasion.REFUSED):
            return
        steps["move"] += 1
        to = MOVES.get((file.status, occasion))
        queue, task_id = self.owner.queue, self.files[file]
        if to is None:
            with refused(OmniError):
                queue.move(task_id, file.status, occasion, note)
        elif File(to, file.name) in self.files:
            with refused(TaskFileError):
                queue.move(task_id, file.status, occasion, note)
        else:
            for _ in range(2):  # again changes nothing
                assert queue.move(task_id, file.status, occasion, note) == self._path(File(to, file.name))
            self.files[File(to, file.name)] = self.files.pop(file)
            assert note in queue.note(task_id)

    @rule(pick=PICK)
    def move_from_elsewhere(self, pick: int) -> None:
        file = self._pick(pick, Status.TODO)
        if file is None:
            return
        steps["move from elsewhere"] += 1
        with refused(TaskNotFoundError):
            self.owner.queue.move(self.files[file], Status.DOING, Occasion.LANDED)

    @rule(pick=PICK)
    def block(self, pick: int) -> None:
        file = self._pick(pick)
        if file is None or not self._is_sole(file):
            return
        steps["block"] += 1
        target = File(Status.BLOCKED, file.name)
        if file.status is Status.DONE or (target != file and target in self.files):
            with refused(OmniError):
                self.owner.queue.block(self.files[file], "A person has to look.")
            return
        assert self.owner.queue.block(self.files[file], "A person has to look.") == self._path(target)
        self.files[target] = self.files.pop(file)
        assert "A person has to look." in self.owner.queue.note(self.files[target])

    @rule(pick=PICK)
    def remark(self, pick: int) -> None:
        file = self._pick(pick)
        if file is None or not self._is_sole(file):
            return
        steps["remark"] += 1
        for _ in range(2):
            self.owner.queue.remark(self.files[file], "It was pushed.")
        assert self.owner.queue.note(self.files[file]).count("It was pushed.") == 1

    @rule()
    def take_in(self) -> None:
        steps["take in"] += 1
        wrong = self._refusable()
        asyncio.run(self.owner.tracker.fetch())
        self.time += 2
        intake = asyncio.run(self.owner.tracker.fetch())
        assert {refusal.path.name for refusal in intake.refused} <= wrong
        for refusal in intake.refused:
            kept = self.owner.queue.refuse(refusal.path, refusal.reason)
            assert kept is not None
            self.files[File(Status.BLOCKED, kept.name)] = self.files.pop(File(Status.TODO, refusal.path.name))
        assert not self._refusable() or self._rivals(), "what is no task still lies in todo/"
        waiting = [task.id for task in intake.tasks]
        assert sorted(waiting) == sorted(filter(None, self._ids(Status.TODO)))

    def _refusable(self) -> set[str]:
        """Return the names in todo/ that may be refused: no tasks, and those with an id that another has."""
        times = Counter(self.files.values())
        return {
            file.name
            for file, task_id in self.files.items()
            if file.status is Status.TODO and (not task_id or times[task_id] > 1)
        }

    def _rivals(self) -> bool:
        """Whether all in todo/ that may be refused are tasks that keep an id which a file elsewhere has as well."""
        times = Counter(self._ids(Status.TODO))
        return all(times[self.files[File(Status.TODO, name)]] == 1 for name in self._refusable())

    # -- attempts ------------------------------------------------------------------------------------------------------

    @rule(pick=PICK, key=st.sampled_from(("prepare", "launch", "land.1")))
    def attempt(self, pick: int, key: str) -> None:
        file = self._pick(pick, Status.DOING)
        if file is None:
            return
        steps["attempt"] += 1
        task_id = self.files[file]
        attempts = self.done.setdefault(task_id, [])
        assert self.owner.runs.last_number(task_id) == len(attempts)
        if not attempts or key == "prepare":
            attempts.append([])
        run = self.owner.runs.open(self._attempt(task_id, len(attempts)))
        run.append_step(StepRecord(key=key, at=self.time, epoch=self.owner.lease.epoch))
        attempts[-1].append(key)

    @rule(pick=PICK)
    def redispatch(self, pick: int) -> None:
        file = self._pick(pick)
        if file is None or not self._is_sole(file) or (file.status, Occasion.REQUEUED) not in MOVES:
            return
        target = File(Status.TODO, file.name)
        if target in self.files:
            return
        steps["redispatch"] += 1
        task_id = self.files[file]
        self.owner.runs.begin_afresh(task_id)
        self.owner.queue.move(task_id, file.status, Occasion.REQUEUED)
        self.files[target] = self.files.pop(file)
        self.counting[task_id] = len(self.done.get(task_id, []))

    def _attempt(self, task_id: str, number: int) -> AttemptId:
        return AttemptId(TaskRef(WORKSPACE, task_id), number)

    # -- what other processes and people do ----------------------------------------------------------------------------

    @precondition(lambda self: len(self.files) < MOST_FILES)
    @rule(own=st.booleans(), times=st.integers(1, 2))
    def add(self, own: bool, times: int) -> None:
        steps["add"] += 1
        self._add(self.others if own else Queue(self.place, self.now), times)

    def _add(self, queue: Queue, times: int) -> None:
        self.serial += 1
        for task in queue.add_all([Task(workspace=WORKSPACE, id="", title=f"Added {self.serial}")] * times):
            assert task.id not in self.given, f"the id {task.id} is given again"
            self.given.add(task.id)
            self.files[File(Status.TODO, f"{task.id}-added-{self.serial}.md")] = task.id

    @precondition(lambda self: self.given)
    @rule(pick=PICK)
    def add_again(self, pick: int) -> None:
        steps["add a taken id"] += 1
        task_id = sorted(self.given)[pick % len(self.given)]
        with refused(TaskFileError):
            self.others.add(Task(workspace=WORKSPACE, id=task_id, title="Taken"))

    @precondition(lambda self: len(self.files) < MOST_FILES)
    @rule(pick=PICK, what=st.sampled_from(("new", "duplicate", "nonsense", "same name")))
    def drop(self, pick: int, what: str) -> None:
        steps[f"drop {what}"] += 1
        self.serial += 1
        there = self._pick(pick)
        name = there.name if there and what == "same name" else f"by-hand-{self.serial}.md"
        task_id = self.files[there] if there and what == "duplicate" else f"hand-{self.serial}"
        if File(Status.TODO, name) in self.files:
            return
        self._write(File(Status.TODO, name), "" if what == "nonsense" else task_id)

    @rule(pick=PICK, how=st.sampled_from(("in place", "as an editor", "another id")))
    def edit(self, pick: int, how: str) -> None:
        file = self._pick(pick)
        if file is None or not self.files[file]:
            return
        steps[f"edit {how}"] += 1
        self.serial += 1
        if how == "in place":
            path = self._path(file)
            path.write_bytes(self._content(self.files[file]))
        else:
            self._write(file, f"edited-{self.serial}" if how == "another id" else self.files[file])

    @rule(pick=PICK, to=st.sampled_from(tuple(Status)))
    def move_by_hand(self, pick: int, to: Status) -> None:
        file = self._pick(pick)
        if file is None or File(to, file.name) in self.files:
            return
        steps["move by hand"] += 1
        self._path(file).rename(self._path(File(to, file.name)))
        self.files[File(to, file.name)] = self.files.pop(file)

    @rule(pick=PICK)
    def remove_by_hand(self, pick: int) -> None:
        file = self._pick(pick)
        if file is None:
            return
        steps["remove by hand"] += 1
        self._path(file).unlink()
        del self.files[file]

    def _write(self, file: File, task_id: str) -> None:
        """Have a file there as an editor does: another one in its place."""
        draft = self._path(file).with_name(".draft")
        draft.write_bytes(self._content(task_id))
        draft.replace(self._path(file))
        self.files[file] = task_id

    def _content(self, task_id: str) -> bytes:
        if not task_id:
            return b"+++\nno = task\n+++\n"
        task = Task(workspace=WORKSPACE, id=task_id, title=f"By hand {self.serial}")
        return render(task).encode()

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

    def _look_at_attempts(self, owner: Owner) -> None:
        """See that what was acknowledged to one owner is there for the next."""
        for task_id, attempts in self.done.items():
            first = self.counting.get(task_id, 0)
            assert owner.runs.attempts(task_id) == list(range(first + 1, len(attempts) + 1))
            for number, keys in enumerate(attempts, 1):
                run = owner.runs.open(self._attempt(task_id, number))
                assert [record.key for record in run.steps()] == keys

    @invariant()
    def lease_is_the_owners(self) -> None:
        self.owner.lease.check()
        assert read_owner(self.paths.lease) == self.owner.lease.owner

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


class refused(suppress):  # noqa: N801 - reads as a statement
    """Let one error pass, and no less: what has to be refused was refused."""

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> bool:
        assert kind is not None, "it was not refused"
        return bool(super().__exit__(kind, *rest))  # type: ignore[arg-type]


# -- the campaign ------------------------------------------------------------------------------------------------------


class Walk(NamedTuple):
    """One worker's share."""

    seed: int
    steps: int


class Walked(NamedTuple):
    """What came of it."""

    steps: Counter[str]
    bad: str = ""


def walk(job: Walk, *, shorten: bool = False) -> Walked:
    """Follow the rules for so many steps, by a seed; stop at what breaks, perhaps to `shorten` it."""
    steps.clear()
    settings = hypothesis.settings(
        max_examples=max(1, min(MOST_RUNS, job.steps // STEPS)),
        stateful_step_count=STEPS,
        phases=(Phase.generate, *((Phase.shrink,) if shorten else ())),
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        print_blob=False,
    )
    number = 0
    while steps.total() < job.steps:
        number += 1
        try:
            machine = hypothesis.seed(job.seed * 1000 + number)(QueueMachine)
            run_state_machine_as_test(machine, settings=settings)
        except Exception as error:  # noqa: BLE001 - whatever breaks is what is looked for
            notes = "\n".join(getattr(error, "__notes__", ()))
            return Walked(Counter(steps), f"seed {job.seed}: {type(error).__name__}: {error}\n{notes}")
    return Walked(Counter(steps))


def run(long: bool) -> Figure:
    """Walk on both cores until the goal is reached."""
    started = time.monotonic()
    goal = LONG if long else GOAL
    walks = spread(walk, [Walk(seed, goal // WORKERS) for seed in range(1, WORKERS + 1)])
    followed = sum((one.steps for one in walks), Counter[str]())
    return Figure(
        what="steps of a state machine: owners, others and hands on a queue and its lease, against a model",
        done=followed.total(),
        goal=GOAL,
        bad=tuple(one.bad for one in walks if one.bad),
        seconds=time.monotonic() - started,
        note=f"{len(followed)} rules, the rarest {min(followed.items(), key=lambda item: item[1])}",
    )


if __name__ == "__main__":
    sys.exit(walk(Walk(int(sys.argv[1]), LONG // WORKERS), shorten=True).bad or None)
