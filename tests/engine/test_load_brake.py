"""A loaded machine: nothing starts beside what runs, and where memory runs out the newest agent makes room."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from omni_tui.engine import loadkeeper
from omni_tui.model.load import Sample
from omni_tui.model.request import RequestKind
from omni_tui.model.task import Status
from omni_tui.store.state import read_state
from tests.support.fleets import AGENT, QUICK, TestFleet, make_fleet
from tests.support.running import PATIENCE, ask, dispatching, reasons

EASY = Sample(cpu_pressure=1.0, load_per_core=0.1, memory_mb=9000.0)


@pytest.fixture
async def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TestFleet:
    monkeypatch.setattr(loadkeeper, "SAMPLE_SECONDS", 0.05)
    monkeypatch.setattr("omni_tui.policy.room.LOAD_SECONDS", 0.1)
    monkeypatch.setattr("omni_tui.policy.load.SMOOTH_SECONDS", 0.01)
    quick = QUICK.replace("0.05", "1").replace("cpu_pressure = 0", "cpu_pressure = 90")
    made = await make_fleet(tmp_path, settings="[scheduler]\nslots = 2\n" + quick)
    made.agent(
        AGENT
        + f"say accepted\nwhile [ ! -e {made.root}/go ]; do sleep 0.05; done\n"
        + 'echo x > "$OMNI_TASK.txt"\ncommit x\nsay finished\n'
    )
    return made


async def test_a_second_agent_waits_for_the_machine_and_starts_by_itself(fleet: TestFleet) -> None:
    now = Sample(cpu_pressure=99.0, memory_mb=9000.0)
    fleet.fleet.load = lambda: now  # type: ignore[method-assign]
    fleet.add("First")
    second = fleet.add("Second")
    async with dispatching(fleet) as (core, record):
        high = await record.wait(lambda event: event.event == "load.high")
        assert high.data["reason"] == "CPU pressure is 99 % (limit 90 %)"
        async with asyncio.timeout(PATIENCE):
            while reasons(core.scheduler.state).get(str(second.ref)) != high.data["reason"]:
                await asyncio.sleep(0.01)
        assert read_state(fleet.root).load == high.data["reason"]
        assert len(record.named("task.claimed")) == 1
        now = EASY
        await record.wait(lambda event: event.event == "task.claimed" and event.task == second.id)
        assert len(record.named("load.eased")) == 1
        assert core.scheduler.state.load == ""


async def test_the_newest_agent_makes_room_and_loses_nothing_by_it(fleet: TestFleet) -> None:
    now = EASY
    fleet.fleet.load = lambda: now  # type: ignore[method-assign]
    first, second = fleet.add("First", priority=1), fleet.add("Second")
    async with dispatching(fleet) as (core, record):
        await record.wait(lambda event: event.data.get("phase") == "watch" and event.task == first.id)
        await record.wait(lambda event: event.data.get("phase") == "watch" and event.task == second.id)
        now = Sample(cpu_pressure=1.0, memory_mb=50.0)
        parked = await record.wait(lambda event: event.event == "task.parked")
        assert parked.task == second.id
        await record.wait(lambda event: event.event == "task.requeued" and event.task == second.id)
        assert fleet.queue.find(second.id)[0] is Status.TODO  # type: ignore[index]
        assert [event.data["kind"] for event in record.named("attempt.failed")] == ["lost"]
        assert first.ref in core.scheduler.running, "the last one stays, whatever the memory"
        now = EASY
        (fleet.root / "go").touch()
        await record.wait(lambda event: event.event == "task.landed" and event.task == second.id)
        assert len(record.named("task.parked")) == 1
        assert (await ask(fleet, record, RequestKind.THROTTLE)).ok
