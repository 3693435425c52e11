"""The scheduler under load and at rest: order, holds, slots that change, thousands of tasks, and an idle core."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from omni_tui.engine import deliveries
from omni_tui.engine.deliver import Ending
from omni_tui.engine.delivery import Delivery
from omni_tui.engine.scheduler import Scheduler
from omni_tui.model.failure import Move, MoveKind
from omni_tui.model.task import Status
from omni_tui.policy.scheduling import Plan
from omni_tui.store.files import Disk
from tests.support.fleets import AGENT, GOOD, QUICK, TestFleet, make_fleet
from tests.support.running import dispatching, reasons, until_idle
from tests.support.waiting import wait_for_async

PATIENT = QUICK.replace("0.05", "5")
MANY = 2000


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Count the rounds of the scheduler's loop."""
    rounds: list[float] = []
    plan = Scheduler._plan

    def counted(scheduler: Scheduler) -> Plan:
        rounds.append(time.monotonic())
        return plan(scheduler)

    monkeypatch.setattr(Scheduler, "_plan", counted)
    return rounds


async def fill(fleet: TestFleet, number: int) -> None:
    """Drop many files into todo/ at once, as a script does."""
    todo = fleet.paths.queue(Status.TODO)
    for each in range(number):
        (todo / f"t{each:05d}.md").write_text(f"# Task {each}\n")


async def test_thousands_of_tasks_and_then_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, looks: list[float]
) -> None:
    at_once = []

    async def instant(crew: Delivery) -> Ending:
        at_once.append(len(core.scheduler.running))
        await asyncio.sleep(0)
        return Ending(move=Move(kind=MoveKind.BLOCK, reason="instant"))

    monkeypatch.setattr(deliveries, "deliver", instant)
    settings = PATIENT + "[scheduler]\nslots = 4\nspares = false\n"
    fleet = await make_fleet(tmp_path, settings=settings)
    await fill(fleet, MANY)
    monkeypatch.setattr(Disk, "sync", lambda *_: None)  # how fast the disk is, is not what is measured
    async with dispatching(fleet) as (core, record):
        async with asyncio.timeout(100):
            await core.scheduler.idle.wait()
        assert len(fleet.queue.files(Status.BLOCKED)) == MANY
        assert max(at_once) == 4
        assert record.named("core.fault") == []
        await asyncio.sleep(0.5)  # what was still being told of
        rounds, cpu = len(looks), time.process_time()
        await asyncio.sleep(2)
        assert len(looks) == rounds, "an idle scheduler does not wake"
        assert time.process_time() - cpu < 0.02


async def test_order_is_priority_then_age_then_id(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path)
    fleet.add("Low", priority=-1)
    fleet.add("Old")
    fleet.add("New")
    fleet.add("High", priority=5)
    await until_idle(fleet)
    assert fleet.landed()[::-1] == ["High", "Old", "New", "Low"]


async def test_more_slots_while_it_runs_start_more(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=PATIENT)
    fleet.agent(AGENT + "say accepted\nsleep 100\n")
    for number in range(3):
        fleet.add(f"Task {number}")
    async with dispatching(fleet) as (core, record):
        await record.wait(lambda event: event.data.get("phase") == "watch")
        assert len(core.scheduler.running) == 1
        config = fleet.fleet.paths.config
        config.write_text(config.read_text() + "[scheduler]\nslots = 3\n")
        await wait_for_async(lambda: len(core.scheduler.running) == 3, "three at once")


async def test_dependencies_that_cannot_be_met_hold_and_are_told(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path)
    fleet.agent(AGENT + "say accepted\nexit 0\n")
    blocked = fleet.add("Never lands")
    after = fleet.add("After it", depends_on=[blocked.id])
    missing = fleet.add("After nothing", depends_on=["nope"])
    first = fleet.add("Circle", id="a", depends_on=["b"])
    fleet.add("Circle too", id="b", depends_on=["a"])
    async with dispatching(fleet) as (core, _):
        async with asyncio.timeout(30):
            await core.scheduler.idle.wait()
        holds = reasons(core.scheduler.state)
    assert "blocked" in holds[str(after.ref)]
    assert "not there" in holds[str(missing.ref)]
    assert "itself" in holds[str(first.ref)]


async def test_stagger_spreads_the_starts(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=PATIENT + "[scheduler]\nslots = 2\nstagger_seconds = 1.5\n")
    fleet.agent(AGENT + "say accepted\nsleep 100\n")
    fleet.add("One")
    fleet.add("Two")
    async with dispatching(fleet) as (_, record):
        await record.wait(lambda event: event.event == "task.claimed" and event.task == "0002")
    one, two = [event.time for event in record.named("task.claimed")]
    assert 1.4 < two - one < 2.9


async def test_limited_task_waits_for_its_time_and_then_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pause longer than a slot is kept for: the task goes back to todo/ and is held there, also over a restart."""
    monkeypatch.setattr("omni_tui.plugins.reaction.retry.LIMIT_SECONDS", 4.0)
    monkeypatch.setattr("omni_tui.policy.breaker.LIMIT_SECONDS", 4.0)
    monkeypatch.setattr("omni_tui.engine.delivery.PATIENCE_SECONDS", 1.0)
    fleet = await make_fleet(tmp_path, settings=PATIENT.replace("stall_minutes = 5", "stall_minutes = 0.02"))
    fleet.agent(AGENT + 'say accepted\nprintf \'{"event":"limited"}\\n\' >> "$OMNI_EVENTS"\nsleep 100\n')
    task = fleet.add("Limited")
    async with dispatching(fleet) as (_, record):
        first = await record.wait(lambda event: event.event == "task.requeued")
    fleet.agent(GOOD)
    async with dispatching(fleet) as (core, record):
        await wait_for_async(lambda: str(task.ref) in reasons(core.scheduler.state), "the hold")
        again = await record.wait(lambda event: event.event == "task.claimed")
        await record.wait(lambda event: event.event == "task.landed")
    assert again.time - first.time > 3
    assert [event.attempt for event in record.named("attempt.started")] == [2]
