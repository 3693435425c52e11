"""The steps of the state machine of `machine`: what owners do, stale ones among them, and what others and hands do."""

from __future__ import annotations

import asyncio
import os
from collections import Counter

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from omni_tui.errors import LeaseHeldError, LeaseLostError, OmniError, TaskFileError, TaskNotFoundError
from omni_tui.model.lifecycle import Occasion
from omni_tui.model.step import StepRecord
from omni_tui.model.task import Status, Task
from omni_tui.model.taskfile import render
from omni_tui.store.lease import Lease, read_owner
from omni_tui.store.queue import Queue
from tests.torture.queuemodel import MOST_FILES, MOST_STALE, PICK, WORKSPACE, File, Owner, QueueModel, refused, steps

MOVES = {
    (Status.TODO, Occasion.BLOCKED): Status.BLOCKED,
    (Status.DOING, Occasion.LANDED): Status.DONE,
    (Status.DOING, Occasion.BLOCKED): Status.BLOCKED,
    (Status.DOING, Occasion.REQUEUED): Status.TODO,
    (Status.BLOCKED, Occasion.REQUEUED): Status.TODO,
    (Status.DONE, Occasion.REQUEUED): Status.TODO,
}
"""What the life of a task allows, as DESIGN.md tells it."""


class Hands(QueueModel):
    """What other processes and people do."""

    @precondition(lambda self: len(self.files) < MOST_FILES)
    @rule(own=st.booleans(), times=st.integers(1, 2))
    def add(self, own: bool, times: int) -> None:
        steps["add"] += 1
        self._add(self.others if own else Queue(self.place, self.now), times)

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


class Leases(QueueModel):
    """Who owns the fleet, and what those do who owned it."""

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


class Work(QueueModel):
    """What the owner does."""

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
