"""What the commands tell of the fleet as a whole, its load, and what agents take."""

from __future__ import annotations

import json
import os
import socket
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from omni_tui.cli import run
from omni_tui.commands.health import Check, Grade
from omni_tui.commands.loading import judge_load, judge_pressure
from omni_tui.fleet import Fleet
from omni_tui.model.attempt import AttemptId, AttemptStatus, Phase
from omni_tui.model.brakes import Brakes, Throttle
from omni_tui.model.effective import Bound, Effective
from omni_tui.model.event import Event
from omni_tui.model.footprint import Footprint
from omni_tui.model.load import Sample
from omni_tui.model.settings import LoadSettings
from omni_tui.model.space import Space
from omni_tui.model.state import FleetState
from omni_tui.model.task import TaskRef
from omni_tui.store.journal import Journal
from omni_tui.store.lease import Lease
from omni_tui.store.paths import FleetPaths
from omni_tui.store.runs import Runs
from omni_tui.store.state import write_state
from tests.support.fleets import TestFleet, make_fleet
from tests.unit.test_cli_doctor import WELL

EASY = Sample(
    cpu_pressure=3.0, load_per_core=0.5, memory_mb=8000.0, space=Space(free_bytes=10**11, free_inodes_percent=80.0)
)
BUSY = Effective(slots=1, of=4, bound=Bound.LOAD, reason="CPU pressure is 95 % (limit 90 %)")
FOOTPRINT = Footprint(cpu_percent=12.0, cpu_seconds=125.0, memory_mb=340.0, peak_mb=512.0, processes=9, killed=2)


@pytest.fixture
async def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TestFleet:
    monkeypatch.setattr(Fleet, "load", lambda _: EASY)
    return await make_fleet(tmp_path, settings="[scheduler]\nslots = 4\n[load]\ncpu_pressure = 90\n")


def answer(fleet: TestFleet, capsys: pytest.CaptureFixture[str], *words: str) -> Any:  # noqa: ANN401 - as it answers
    capsys.readouterr()
    assert run(["--fleet", str(fleet.root), *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)["result"]


def text(fleet: TestFleet, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    assert run(["--fleet", str(fleet.root), *words]) == 0
    return capsys.readouterr().out


def run_one(fleet: TestFleet) -> TaskRef:
    """Have one task in doing/ whose agent takes something."""
    task = fleet.add("Take much")
    assert fleet.queue.claim(task)
    run_ = Runs(fleet.paths).open(AttemptId(task.ref, 1))
    status = AttemptStatus(
        task=task.id, workspace="app", attempt=1, phase=Phase.WATCH, agent="scripted", footprint=FOOTPRINT
    )
    run_.write_status(status)
    return task.ref


def test_status_tells_what_a_dispatcher_would_find(fleet: TestFleet, capsys: pytest.CaptureFixture[str]) -> None:
    fleet.add("Wait")
    found = answer(fleet, capsys, "status")
    assert found["owner"] is None
    assert found["effective"] == {"slots": 4, "of": 4, "bound": "slots", "reason": ""}
    assert found["tasks"] == {"todo": 1, "doing": 0, "done": 0, "blocked": 0}
    assert found["load"]["now"]["memory_mb"] == 8000.0
    lines = text(fleet, capsys, "status").splitlines()
    assert "owner     nobody" in lines
    assert "at once   4" in lines
    assert "load      8000 MB of memory are available (limit 512 MB)" in lines
    assert "disk      100.0 GB and 80 % of the inodes free (reserve 1 GB)" in lines


def test_status_and_list_tell_what_the_dispatcher_found(fleet: TestFleet, capsys: pytest.CaptureFixture[str]) -> None:
    lease = Lease.acquire(FleetPaths(fleet.root).lease, "headless", time.time)
    try:
        brakes = Brakes(throttles=(Throttle(most=2),))
        write_state(fleet.root, FleetState(load=BUSY.reason, effective=BUSY, brakes=brakes))
        ref = run_one(fleet)
        found = answer(fleet, capsys, "status")
        assert found["owner"]["pid"] == os.getpid()
        assert found["effective"] == msgspec.to_builtins(BUSY)
        assert found["load"]["binds"] == BUSY.reason
        assert found["brakes"]["throttles"][0]["most"] == 2
        assert found["agents"] == [{"task": str(ref), "agent": "scripted", "footprint": msgspec.to_builtins(FOOTPRINT)}]
        lines = text(fleet, capsys, "status")
        assert f"on {socket.gethostname()}, headless, since" in lines
        assert "at once   1 of 4 (load: CPU pressure is 95 % (limit 90 %))" in lines
        used = "12 % CPU, 340 MB, 9 processes; 2m 05s of CPU, 512 MB at its peak"
        assert f"agent     {ref} scripted: {used}" in lines
        assert "tasks at once: 1 of 4 (load:" in " ".join(text(fleet, capsys, "list").split())
        assert answer(fleet, capsys, "list")[0]["footprint"]["peak_mb"] == 512.0
    finally:
        lease.release()
    assert answer(fleet, capsys, "status")["effective"]["bound"] == "throttled", "who has gone binds nothing"


def test_show_and_report_tell_what_it_takes(fleet: TestFleet, capsys: pytest.CaptureFixture[str]) -> None:
    ref = run_one(fleet)
    shown = text(fleet, capsys, "show", ref.id)
    assert "takes     12 % CPU, 340 MB, 9 processes" in shown
    assert "took      2m 05s of CPU, 512 MB at its peak" in shown
    assert "2 times the kernel ended a process of it, for its tree was at its cap of memory" in shown
    assert answer(fleet, capsys, "show", ref.id)["run"]["footprint"]["killed"] == 2
    event = Event(time=time.time(), event="attempt.started", workspace="app", task=ref.id, attempt=1)
    Journal(fleet.root / "journal", time.time).write(event)
    assert answer(fleet, capsys, "report")["heaviest"][0]["attempt"] == f"{ref}#1"
    assert f"{ref}#1 by scripted: 2m 05s of CPU, 512 MB at its peak" in text(fleet, capsys, "report")


def test_doctor_tells_of_load_pressure_and_caps(fleet: TestFleet, capsys: pytest.CaptureFixture[str]) -> None:
    run(["--fleet", str(fleet.root), "doctor", "--json"])
    found = {check["name"]: check for check in json.loads(capsys.readouterr().out)["result"]}
    assert found["load"]["grade"] == "ok"
    assert "CPU pressure is 3 % (limit 90 %)" in found["load"]["detail"]
    assert {"pressure stalls", "caps"} <= set(found)


CAPPED = LoadSettings(agent_memory_mb=4096, agent_processes=200, agent_cpus=1.5)


@pytest.mark.parametrize(
    ("settings", "groups", "grade", "words"),
    [
        (LoadSettings(), "", Grade.OK, "none set; they would be held by control groups"),
        (CAPPED, "", Grade.OK, "4096 MB of memory, 200 processes and threads, 1.5 CPUs, held by control groups"),
        (LoadSettings(), "they are not ours", Grade.OK, "could not be capped here: they are not ours"),
        (
            CAPPED,
            "they are not ours",
            Grade.WARN,
            "not held here, because they are not ours; each process gets so much",
        ),
        (LoadSettings(agent_cpus=1), "they are not ours", Grade.WARN, "because they are not ours; none is"),
    ],
)
def test_what_can_be_capped_here(settings: LoadSettings, groups: str, grade: Grade, words: str) -> None:
    [_, check] = judge_load(EASY, settings, msgspec.structs.replace(WELL, groups=groups))
    assert (check.name, check.grade) == ("caps", grade)
    assert words in check.detail
    assert bool(check.fix) is (grade is not Grade.OK)


def test_a_machine_that_would_brake_now_is_told() -> None:
    check: Check = next(iter(judge_load(Sample(memory_mb=100.0), LoadSettings(), WELL)))
    assert check.grade is Grade.WARN
    assert "100 MB of memory are available (limit 512 MB)" in check.detail


@pytest.mark.parametrize(
    ("names", "grade", "words"),
    [(("cpu", "memory", "io"), Grade.OK, "cpu, memory, io"), (("cpu",), Grade.WARN, "not tell of memory, io")],
)
def test_the_kernel_tells_of_pressure_or_not(names: tuple[str, ...], grade: Grade, words: str) -> None:
    check = judge_pressure(msgspec.structs.replace(WELL, pressure=names))
    assert check.grade is grade
    assert words in check.detail
