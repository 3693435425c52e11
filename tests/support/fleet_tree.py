"""A fleet tree made of files alone, in every state that a screen can show: for tests and for the screenshots.

Times are fixed (`NOW`), so that the same tree always reads the same.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import BinaryIO

import msgspec

from omni_tui.model.attempt import AttemptId, AttemptStatus, Phase
from omni_tui.model.course import Parked
from omni_tui.model.failure import Failure, FailureKind
from omni_tui.model.signal import Health
from omni_tui.model.state import FleetState
from omni_tui.model.step import StepRecord
from omni_tui.model.task import Status, Task, TaskRef
from omni_tui.model.taskfile import file_name, note_name, render
from omni_tui.model.verdict import Finding, FindingKind, Severity, Verdict
from omni_tui.model.view import Owner
from omni_tui.store.layout import create_fleet, create_workspace
from omni_tui.store.paths import FleetPaths
from omni_tui.store.runs import Run, Runs

NOW = 1_700_000_000.0
"""2023-11-14 22:13:20 UTC: the moment at which the tree is looked at."""


class FleetTree:
    """Writes a fleet's files as the store does."""

    def __init__(self, root: Path, *workspaces: str) -> None:
        self.paths: FleetPaths = create_fleet(root, "")
        for name in workspaces:
            create_workspace(self.paths.workspace(name))

    def task(self, task: Task, status: Status, *, note: str = "") -> Path:
        """Put a task into a folder, with a note beside it if there is one; return its file."""
        folder = self.paths.workspace(task.workspace).queue(status)
        path = folder / file_name(task)
        path.write_text(render(task), encoding="utf-8")
        os.utime(path, (task.created_at, task.created_at))
        if note:
            (folder / note_name(path.name)).write_text(note, encoding="utf-8")
        return path

    def run(self, ref: TaskRef, number: int, phase: Phase, **status: object) -> Run:
        """Begin an attempt and say how it stands; return its run."""
        run = Runs(self.paths.workspace(ref.workspace)).open(AttemptId(ref, number))
        known = {"task": ref.id, "workspace": ref.workspace, "attempt": number, "phase": phase, **status}
        run.write_status(msgspec.convert(known, AttemptStatus))
        return run

    def find(self, ref: TaskRef) -> Path:
        """Return a task's file."""
        found = self.paths.workspace(ref.workspace).root.glob(f"queue/*/{ref.id}-*.md")
        return next(path for path in found if not path.name.endswith(".note.md"))

    def move(self, ref: TaskRef, status: Status, *, note: str = "") -> Path:
        """Move a task's file to another folder."""
        source = self.find(ref)
        target = self.paths.workspace(ref.workspace).queue(status) / source.name
        source.rename(target)
        if note:
            target.with_name(note_name(target.name)).write_text(note, encoding="utf-8")
        return target


def _running(tree: FleetTree) -> None:
    rows = (
        ("shop-14", "Retry card payments that time out, at most twice", Health.TOOL, "Edit payments/retry.py", 3.0, 1),
        ("shop-15", "Show the delivery day in the basket", Health.THINKING, "", 41.0, 2),
    )
    for name, title, health, detail, silent, number in rows:
        tree.task(Task(workspace="shop", id=name, title=title, created_at=NOW - 9000, body=BODY), Status.DOING)
        tree.run(
            TaskRef("shop", name), number, Phase.WATCH, agent="ada" if number == 1 else "lin", harness="claude",
            model="sonnet", health=health, source="hook", detail=detail, signal_at=NOW - silent,
            started_at=NOW - 700 + number, updated_at=NOW - silent, tokens=48_200, usd=0.41,
        )  # fmt: skip
    tree.task(
        Task(workspace="docs", id="docs-3", title="Explain how to restore a backup", created_at=NOW - 8000),
        Status.DOING,
    )
    tree.run(
        TaskRef("docs", "docs-3"), 1, Phase.WATCH, agent="grace", harness="claude", health=Health.WAITING,
        source="hook", detail="permission for Bash(rm -r build)", signal_at=NOW - 260,
        started_at=NOW - 400, updated_at=NOW - 260,
    )  # fmt: skip
    tree.task(
        Task(workspace="shop", id="shop-12", title="Round prices half to even", created_at=NOW - 9900), Status.DOING
    )
    tree.run(
        TaskRef("shop", "shop-12"), 1, Phase.CHECK, agent="ada", harness="claude", health=Health.FINISHED,
        source="hook", signal_at=NOW - 25, started_at=NOW - 900, updated_at=NOW - 20,
    )  # fmt: skip


BODY = """\
Payments to the card gateway time out now and then, and the customer sees an error although a second try would do.

- retry twice, one and three seconds later
- never retry a payment that was refused
- `tests/test_retry.py` shows both
"""
NOTE = """\
Removes `Basket.total`, `Basket.tax` and 3 more definitions, which the task did not ask to remove

## What was tried
1. attempt 1 (lin): gate, destruction
2. attempt 2 (lin), told what went wrong: gate, destruction

## What to do
Say in the task whether these may go, then queue it again: `omni-tui redispatch shop-9`.
The work is kept: `git -C workspaces/shop/repo.git show refs/omni/rescue/shop-9/2`
"""


def _blocked(tree: FleetTree) -> None:
    task = Task(
        workspace="shop", id="shop-9", title="Split the basket into modules", created_at=NOW - 20_000, body=BODY
    )
    tree.task(task, Status.BLOCKED, note=NOTE)
    run = tree.run(
        task.ref, 2, Phase.INSPECT, agent="lin", harness="claude", health=Health.FINISHED, started_at=NOW - 5000,
        updated_at=NOW - 1500, reason="the gate blocked the change", usd=1.22,
    )  # fmt: skip
    finding = Finding(
        kind=FindingKind.DESTRUCTION,
        severity=Severity.BLOCK,
        message="5 definitions are gone that the task did not ask to remove",
        paths=("shop/basket.py", "shop/tax.py"),
    )
    run.write_verdict(Verdict(findings=(finding,)))
    failure = Failure(
        kind=FailureKind.GATE,
        detail="destruction",
        message=finding.message,
        output="-def total(self):\n-def tax(self):",
    )
    for seconds, key in enumerate(("prepare", "launch", "confirm", "watch")):
        run.append_step(StepRecord(key=key, at=NOW - 1700 + seconds * 50, epoch="000001"))
    run.append_step(StepRecord(key="inspect", at=NOW - 1500, epoch="000001", failure=failure))
    limit = Task(workspace="docs", id="docs-1", title="Describe every exit code", created_at=NOW - 30_000)
    tree.task(limit, Status.BLOCKED, note="The check command failed twice on the merged tree: 2 of 311 tests\n")
    tree.run(limit.ref, 3, Phase.CHECK, agent="grace", started_at=NOW - 9000, updated_at=NOW - 7300)


def _waiting(tree: FleetTree) -> None:
    titles = (
        "Send the receipt as PDF", "Let customers merge two accounts", "Name the currency in every price",
        "Speed up the search for articles", "Delete carts older than a month", "Log in with a passkey",
        "Übersetze die Fehlermeldungen ins Deutsche", "Ταξινόμησε τα αποτελέσματα", "Warn before a voucher runs out",
    )  # fmt: skip
    for number, title in enumerate(titles, 16):
        depends = ("shop-14",) if number == 16 else ()
        task = Task(
            workspace="shop", id=f"shop-{number}", title=title, priority=5 if number < 18 else 0,
            depends_on=depends, created_at=NOW - 4000 + number, body=BODY,
        )  # fmt: skip
        tree.task(task, Status.TODO)


def _landed(tree: FleetTree) -> None:
    titles = (
        "Add a health endpoint",
        "Pin the build image",
        "Move prices to integers",
        "Drop Python 3.10",
        "Fix the typo in the footer",
    )
    for number, title in enumerate(titles, 1):
        task = Task(workspace="shop", id=f"shop-{number}", title=title, created_at=NOW - 40_000)
        tree.task(task, Status.DONE)
        tree.run(
            task.ref, 1, Phase.DONE, agent="ada" if number % 2 else "lin", health=Health.FINISHED,
            started_at=NOW - 8000 * number, updated_at=NOW - 7200 * number + 600, usd=0.2,
        )  # fmt: skip


def demo_tree(root: Path) -> FleetTree:
    """Make a fleet in the middle of a night: all states, two workspaces, titles in several scripts."""
    tree = FleetTree(root, "shop", "docs")
    for part in (_running, _blocked, _waiting, _landed):
        part(tree)
    return tree


STOPPED = FleetState(
    stopped="8 attempts failed in a row, and nothing landed between them",
    parked={
        "claude": Parked(reason="its usage limit is reached", at=NOW - 60, until=NOW + 4300),
        "codex": Parked(reason="it does not accept our login", at=NOW - 60),
    },
    pauses=("shop: test_total failed in shop-9, shop-11, shop-12",),
)
"""A run that was stopped by its own rules, with all that can hold a part of it."""


def large_tree(root: Path, waiting: int) -> FleetTree:
    """Make a fleet with `waiting` tasks in one folder, and nothing else."""
    tree = FleetTree(root, "bulk")
    todo = tree.paths.workspace("bulk").queue(Status.TODO)
    for number in range(waiting):
        (todo / f"t-{number:05d}.md").write_bytes(b"# Task number %d\n" % number)
    return tree


def hold_lease(tree: FleetTree, mode: str = "headless") -> BinaryIO:
    """Be the fleet's owner, always the same one to look at, until the file that this returns is closed."""
    owner = Owner(
        pid=4242, host="nightbox", boot_id="b", process_started=1.0, epoch="000007-b-4242", since=NOW - 9000, mode=mode
    )
    lease = tree.paths.lease.open("wb")
    lease.write(msgspec.json.encode(owner).ljust(1023) + b"\n")
    lease.flush()
    fcntl.flock(lease, fcntl.LOCK_EX)
    return lease
