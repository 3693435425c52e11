"""Runs and the journal: what was acknowledged is read back, what a crash cut short is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from omni_tui.errors import OmniError
from omni_tui.model.attempt import AttemptId, AttemptStatus, Phase
from omni_tui.model.event import Event
from omni_tui.model.failure import Failure, FailureKind
from omni_tui.model.step import StepRecord
from omni_tui.model.task import TaskRef
from omni_tui.model.verdict import Finding, FindingKind, Severity, Verdict
from omni_tui.store.journal import Journal, read_events
from omni_tui.store.paths import WorkspacePaths
from omni_tui.store.runs import Run, Runs
from tests.support.disks import RecordingDisk

DAY = 86_400.0
NOON = 1_800_014_400.0 + 2 * 3600
"""2027-01-15 14:00 UTC."""


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(WorkspacePaths(tmp_path, "shop"))


def attempt(number: int) -> AttemptId:
    return AttemptId(TaskRef("shop", "0001"), number)


@pytest.fixture
def run(runs: Runs) -> Run:
    return runs.open(attempt(1))


def test_attempts_are_counted_by_their_directories(runs: Runs, tmp_path: Path) -> None:
    assert (runs.attempts("0001"), runs.last_number("0001"), runs.latest("0001")) == ([], 0, None)
    for number in (1, 2, 10):
        runs.open(attempt(number))
    runs.open(attempt(2))
    (tmp_path / "runs" / "0001" / "spare").mkdir()
    assert runs.attempts("0001") == [1, 2, 10]
    latest = runs.latest("0001")
    assert latest is not None
    assert (latest.dir, latest.attempt) == (tmp_path / "runs" / "0001" / "10", attempt(10))


def test_an_attempt_is_consumed_durably(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    disk = RecordingDisk(tmp_path)
    Runs(WorkspacePaths(tmp_path, "shop"), disk).open(attempt(1))
    assert disk.operations == [("sync", "runs"), ("sync", "runs/0001")]


def test_afresh(runs: Runs) -> None:
    runs.begin_afresh("0001")
    runs.open(attempt(1))
    assert runs.attempts("0001") == [1]
    runs.begin_afresh("0001")
    assert runs.attempts("0001") == []
    assert runs.last_number("0001") == 1
    runs.open(attempt(2))
    assert runs.attempts("0001") == [2]
    latest = runs.latest("0001")
    assert latest is not None
    assert latest.attempt.number == 2


def test_afresh_with_work_to_tell_of(runs: Runs) -> None:
    work = "ab" * 20
    runs.open(attempt(1))
    runs.begin_afresh("0001", work)
    assert (runs.attempts("0001"), runs.work_to_tell_of("0001")) == ([], work)
    runs.begin_afresh("0001")
    assert runs.work_to_tell_of("0001") == ""


def test_files_of_a_run(run: Run) -> None:
    verdict = Verdict(findings=(Finding(kind=FindingKind.TOO_LARGE, severity=Severity.FLAG, message="m"),))
    assert (run.read_status(), run.read_verdict(), run.steps()) == (None, None, [])
    run.write_prompt("Dö it\n")
    run.write_patch("diff \udcff\n")
    run.write_verdict(verdict)
    status = AttemptStatus(task="0001", workspace="shop", attempt=1, phase=Phase.WATCH)
    run.write_status(status)
    assert run.prompt.read_text(encoding="utf-8") == "Dö it\n"
    assert run.patch.read_bytes() == b"diff \xff\n"
    assert run.read_verdict() == verdict
    assert run.read_status() == status
    assert sorted(path.name for path in run.dir.iterdir()) == [
        "change.patch",
        "prompt.md",
        "status.json",
        "verdict.json",
    ]


def test_a_status_whose_bytes_were_lost(run: Run) -> None:
    (run.dir / "status.json").touch()
    assert run.read_status() is None


STEPS = [
    StepRecord(key="prepare", at=1.0, epoch="1", result={"path": "x", "n": [1, None]}),
    StepRecord(key="launch", at=2.0, epoch="1", failure=Failure(kind=FailureKind.LAUNCH, message="no\nway")),
    StepRecord(key="watch", at=3.0, epoch="2"),
]


def test_steps(run: Run) -> None:
    for step in STEPS:
        run.append_step(step)
    assert run.steps() == STEPS


def test_a_crash_at_any_byte_of_a_step(run: Run) -> None:
    path = run.dir / "steps.jsonl"
    run.append_step(STEPS[0])
    whole = path.read_bytes()
    run.append_step(STEPS[1])
    both = path.read_bytes()
    for cut in range(len(whole), len(both)):
        path.write_bytes(both[:cut])
        assert run.steps() == STEPS[:1]
        run.append_step(STEPS[2])
        assert run.steps() == [STEPS[0], STEPS[2]]


def test_a_spoilt_step_is_told_not_passed_over(run: Run) -> None:
    (run.dir / "steps.jsonl").write_bytes(b'{"key": "a", "at": 1.0}\nnonsense\n')
    with pytest.raises(OmniError, match=r"steps.jsonl:2"):
        run.steps()


def test_which_writes_wait_for_the_medium(tmp_path: Path) -> None:
    disk = RecordingDisk(tmp_path)
    run = Run(tmp_path, attempt(1), disk)
    run.write_status(AttemptStatus(task="0001", workspace="shop", attempt=1, phase=Phase.WATCH))
    assert "sync" not in {verb for verb, _ in disk.operations}
    run.append_step(STEPS[0])
    assert disk.operations[-2:] == [("sync", "steps.jsonl"), ("sync", ".")]
    synced = len(disk.operations)
    run.append_step(STEPS[1], durable=False)
    assert "sync" not in {verb for verb, _ in disk.operations[synced:]}


# -- the journal -------------------------------------------------------------------------------------------------------


def test_a_file_a_day(tmp_path: Path) -> None:
    now = [NOON]
    journal = Journal(tmp_path / "journal", lambda: now[0])
    events = []
    for day in range(3):
        now[0] = NOON + day * DAY
        events.append(Event(time=now[0], event="fleet.idle", data={"day": day}))
        journal.write(events[-1])
    assert sorted(path.name for path in (tmp_path / "journal").iterdir()) == [
        "2027-01-15.jsonl",
        "2027-01-16.jsonl",
        "2027-01-17.jsonl",
    ]
    assert list(read_events(tmp_path / "journal")) == events
    assert list(read_events(tmp_path / "journal", NOON + DAY)) == events[1:]
    assert list(read_events(tmp_path / "journal", NOON + 9 * DAY)) == []
    assert list(read_events(tmp_path / "none")) == []


def test_only_what_may_be_wanted_is_read(tmp_path: Path) -> None:
    (tmp_path / "2027-01-14.jsonl").mkdir()  # not to be opened
    journal = Journal(tmp_path, lambda: NOON)
    for second in range(3):
        journal.write(Event(time=NOON + second, event="fleet.idle"))
    assert [event.time for event in read_events(tmp_path, NOON + 1)] == [NOON + 1, NOON + 2]


def test_an_event_from_before_midnight_written_after_it(tmp_path: Path) -> None:
    midnight = NOON + 10 * 3600
    Journal(tmp_path, lambda: midnight + 1).write(Event(time=midnight - 1, event="attempt.failed"))
    assert len(list(read_events(tmp_path, midnight - 2))) == 1


def test_a_torn_line_hides_no_other(tmp_path: Path) -> None:
    journal = Journal(tmp_path, lambda: NOON)
    journal.write(Event(time=NOON, event="core.started"))
    file = tmp_path / "2027-01-15.jsonl"
    with file.open("ab") as stream:
        stream.write(b'{"time": 18000')
    assert [event.event for event in read_events(tmp_path)] == ["core.started"]
    journal.write(Event(time=NOON, event="core.stopped"))
    assert [event.event for event in read_events(tmp_path)] == ["core.started", "core.stopped"]
    assert file.read_bytes().count(b"\n") == 2


@pytest.mark.parametrize(
    ("event", "synced"), [("task.landed", True), ("task.claimed", False), ("attempt.signal", False)]
)
def test_what_happened_to_a_task_waits_for_the_medium(tmp_path: Path, event: str, synced: bool) -> None:
    disk = RecordingDisk(tmp_path)
    Journal(tmp_path, lambda: NOON, disk).write(Event(time=NOON, event=event))
    assert disk.operations.count(("write", "2027-01-15.jsonl")) == 1
    assert (("sync", "2027-01-15.jsonl") in disk.operations) is synced
