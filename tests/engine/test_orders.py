"""Orders at every phase: each ends as documented, soon, with the whole tree gone and a truthful reply."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from omni_tui.model.brakes import Brakes, Freeze
from omni_tui.model.event import Event
from omni_tui.model.request import Request, RequestKind
from omni_tui.model.task import Status, Task
from omni_tui.store import control
from omni_tui.store.runs import Runs
from tests.support.fleets import AGENT, GOOD, QUICK, TestFleet, make_fleet
from tests.support.leftovers import nothing_left, processes
from tests.support.running import ask, dispatching, until_idle
from tests.support.waiting import wait_for_async

SOON = 5.0
"""Seconds within which an order must have been carried out, however long the phase would last."""

PATIENT = QUICK.replace("0.05", "5")
LONG = 'setup = "sleep 100"\n'
SILENT = AGENT + "sleep 100\n"
WAITS = AGENT + "say accepted\nsleep 100\n"


def status_of(fleet: TestFleet, task: Task) -> Status | None:
    found = fleet.queue.find(task.id)
    return found[0] if found else None


def in_phase(phase: str) -> Callable[[Event], bool]:
    return lambda event: event.data.get("phase") == phase


async def fleet_in(tmp_path: Path, phase: str) -> TestFleet:
    """Return a fleet whose tasks stay in `phase` for long."""
    workspace = {"prepare": LONG, "check": 'check = "sleep 100"\n'}.get(phase, "")
    settings = PATIENT.replace("handover_seconds = 5", "handover_seconds = 60")
    fleet = await make_fleet(tmp_path, settings=settings, workspace=workspace)
    fleet.agent({"confirm": SILENT, "watch": WAITS}.get(phase, GOOD))
    return fleet


ENDS = {RequestKind.KILL: Status.BLOCKED, RequestKind.BLOCK: Status.BLOCKED, RequestKind.REDISPATCH: Status.TODO}


@pytest.mark.parametrize("kind", ENDS)
@pytest.mark.parametrize("phase", ["prepare", "confirm", "watch", "check"])
async def test_order_ends_a_phase_soon(tmp_path: Path, phase: str, kind: RequestKind) -> None:
    fleet = await fleet_in(tmp_path, phase)
    task = fleet.add("Ordered")
    async with dispatching(fleet) as (core, record):
        if phase == "prepare":
            await wait_for_async(lambda: processes(fleet), "the set-up command")
        else:
            await record.wait(in_phase(phase))
        core.scheduler.change_state(brakes=Brakes(freezes=(Freeze(),)))
        began = time.monotonic()
        reply = await ask(fleet, record, kind, str(task.ref))
        assert time.monotonic() - began < SOON
        assert reply.ok, reply.message
        assert status_of(fleet, task) is ENDS[kind]
        await nothing_left(fleet)
    assert fleet.landed() == []


async def test_order_does_not_wait_for_the_turn_to_land(tmp_path: Path) -> None:
    settings = PATIENT + "[scheduler]\nslots = 2\n"
    fleet = await make_fleet(tmp_path, settings=settings, workspace='check = "sleep 100"\n')
    fleet.add("One")
    fleet.add("Two")
    async with dispatching(fleet) as (core, record):
        await record.wait(in_phase("check"))
        checked = next(event for event in record.events if event.data.get("phase") == "check").task
        other = next(ref for ref in core.scheduler.running if ref.id != checked)
        await record.wait(lambda event: event.event == "attempt.judged" and event.task == other.id)
        began = time.monotonic()
        reply = await ask(fleet, record, RequestKind.KILL, str(other))
        assert reply.ok
        assert time.monotonic() - began < SOON


async def test_order_between_attempts_starts_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omni_tui.engine.delivery.PATIENCE_SECONDS", 60.0)
    fleet = await make_fleet(tmp_path, settings=PATIENT)
    fleet.agent(AGENT + "exit 0\n")
    task = fleet.add("Waits before its third attempt")
    async with dispatching(fleet) as (_, record):
        await record.wait(lambda event: event.event == "attempt.failed" and event.attempt == 2)
        reply = await ask(fleet, record, RequestKind.KILL, str(task.ref))
        assert reply.ok
    assert Runs(fleet.paths).attempts(task.id) == [1, 2]
    assert status_of(fleet, task) is Status.BLOCKED


@pytest.mark.parametrize("patience", [60.0, 0.5], ids=["in its slot", "in todo"])
async def test_pause_between_attempts_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patience: float) -> None:
    monkeypatch.setattr("omni_tui.engine.delivery.PATIENCE_SECONDS", patience)
    monkeypatch.setattr("omni_tui.plugins.reaction.retry.AGAIN_SECONDS", 3.0)
    fleet = await make_fleet(tmp_path, settings=PATIENT)
    fleet.agent(AGENT + "exit 0\n")
    fleet.add("Never taken")
    async with dispatching(fleet) as (_, record):
        second = await record.wait(lambda event: event.event == "attempt.failed" and event.attempt == 2)
        third = await record.wait(lambda event: event.event == "attempt.started" and event.attempt == 3)
    assert third.time - second.time >= 3


@pytest.mark.parametrize("kind", ENDS)
async def test_order_that_comes_too_late_is_told_of_the_landing(tmp_path: Path, kind: RequestKind) -> None:
    fleet = await make_fleet(tmp_path, settings=PATIENT)
    task = fleet.add("Quick")
    directory = fleet.fleet.paths.control
    async with dispatching(fleet) as (_, record):

        def ask_late(event: Event) -> None:
            if in_phase("merge")(event):
                control.post(directory, Request(id="late", kind=kind, task=str(task.ref)))

        record.then = ask_late
        refused = await record.wait(lambda event: event.event.startswith("request."))
        assert refused.event == "request.refused"
        assert "landed" in refused.data["error"]
    assert status_of(fleet, task) is Status.DONE


async def test_stopped_agents_go_on_at_the_next_start(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=PATIENT)
    fleet.agent(WAITS)
    task = fleet.add("Interrupted")
    async with dispatching(fleet, stop_agents=True) as (_, record):
        await record.wait(in_phase("watch"))
    assert status_of(fleet, task) is Status.TODO
    fleet.agent(GOOD)
    record = await until_idle(fleet)
    assert [event.attempt for event in record.named("attempt.started")] == [2]
    assert fleet.landed() == ["Interrupted"]


async def test_kill_says_where_the_work_is_kept(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=PATIENT, workspace='check = "sleep 100"\n')
    task = fleet.add("Killed in its check")
    async with dispatching(fleet) as (_, record):
        await record.wait(in_phase("check"))
        await ask(fleet, record, RequestKind.KILL, str(task.ref))
    assert "git -C" in fleet.queue.note(task.id)
