"""What an agent's tree takes: measured and kept, and ended at its cap; with real agents and the real core."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from omni_tui.engine import loadkeeper
from omni_tui.model.footprint import Footprint
from omni_tui.model.task import Status
from omni_tui.plugins.cgroups import homes
from omni_tui.store.reader import FleetReader
from tests.support.fleets import AGENT, QUICK, TestFleet, make_fleet
from tests.support.running import PATIENCE, dispatching, until_idle

DIVIDED = not isinstance(homes(), str)
PATIENT = QUICK.replace("0.05", "1")
EAT = "python3 -c 'import time; held = bytes([1]) * ({} << 20); time.sleep(1000)'"


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loadkeeper, "SAMPLE_SECONDS", 0.05)


async def measured(fleet: TestFleet, wanted: Callable[[Footprint], bool]) -> Footprint:
    """Return the footprint of the only task's attempt once it is as wanted, as a watcher reads it."""
    async with asyncio.timeout(PATIENCE):
        while True:
            [row] = FleetReader(fleet.fleet.paths, time.time).read().rows
            if row.run is not None and wanted(row.run.footprint):
                return row.run.footprint
            await asyncio.sleep(0.02)


async def test_what_an_agent_takes_is_measured_and_its_most_is_kept(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=PATIENT)
    fleet.agent(
        AGENT
        + f"say accepted\nsleep 1000 & sleep 1000 & {EAT.format(70)} & eater=$!\n"
        + f"while [ ! -e {fleet.root}/go ]; do sleep 0.05; done\nkill $eater\n"
        + 'echo x > "$OMNI_TASK.txt"\ncommit x\nsay finished\n'
    )
    task = fleet.add("Eats some")
    async with dispatching(fleet) as (_, record):
        assert (await measured(fleet, lambda footprint: footprint.memory_mb > 65)).processes >= 5
        (fleet.root / "go").touch()
        await record.wait(lambda event: event.event == "task.landed" and event.task == task.id)
        assert record.named("attempt.uncapped") == []
    ended = await measured(fleet, lambda footprint: footprint.processes == 0)
    assert ended.peak_mb > 65
    assert ended.cpu_seconds > 0


@pytest.mark.parametrize("eaten", [300] if DIVIDED else [])
async def test_who_passes_its_cap_is_told_so_and_does_better_the_next_time(tmp_path: Path, eaten: int) -> None:
    fleet = await make_fleet(tmp_path, settings=PATIENT.replace("[load]", "[load]\nagent_memory_mb = 100"))
    fleet.agent(
        AGENT
        + f"say accepted\n[ $OMNI_ATTEMPT -gt 1 ] || exec {EAT.format(eaten)}\n"
        + 'grep -o "more than 100 MB of memory, its cap" "$OMNI_PROMPT" > "$OMNI_TASK.txt"\ncommit x\nsay finished\n'
    )
    fleet.add("Learns moderation")
    record = await until_idle(fleet)
    [failed] = record.named("attempt.failed")
    assert failed.data["kind"] == "memory"
    assert failed.data["message"] == "its tree of processes used more than 100 MB of memory, its cap"
    assert len(record.named("task.landed")) == 1, "the prompt of the second said why the first had failed"
    assert not (fleet.paths.root / "runs" / "0001" / "1" / "groups").exists()


async def test_where_nothing_can_be_capped_that_is_told_and_work_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omni_tui.plugins.runtime.capping.homes", lambda: "none are ours")
    fleet = await make_fleet(tmp_path, settings=PATIENT.replace("[load]", "[load]\nagent_processes = 50"))
    fleet.agent(
        AGENT
        + f"say accepted\nwhile [ ! -e {fleet.root}/go ]; do sleep 0.05; done\n"
        + 'echo x > "$OMNI_TASK.txt"\ncommit x\nsay finished\n'
    )
    task = fleet.add("Works without bounds")
    async with dispatching(fleet) as (_, record):
        told = await record.wait(lambda event: event.event == "attempt.uncapped")
        assert (told.task, told.attempt) == (task.id, 1)
        (fleet.root / "go").touch()
        await record.wait(lambda event: event.event == "task.landed")
    assert fleet.queue.find(task.id)[0] is Status.DONE  # type: ignore[index]


async def test_a_machine_that_does_not_answer_holds_up_no_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = asyncio.Event()
    samples = []

    async def never() -> None:
        samples.append(1)
        await silent.wait()

    fleet = await make_fleet(tmp_path, settings=PATIENT)
    monkeypatch.setattr(fleet.fleet, "sample", never)
    fleet.add("Starts all the same")
    record = await until_idle(fleet)
    assert len(record.named("task.landed")) == 1
    assert len(samples) == 1, "one sample at a time"
