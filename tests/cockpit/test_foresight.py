"""What the cockpit sees ahead on a real fleet, by its files alone and while somebody dispatches it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from omni_tui.cockpit.foresight import FleetForesight
from omni_tui.model.request import RequestKind
from omni_tui.model.task import Task
from omni_tui.model.view import FleetView, TaskRow
from omni_tui.store.reader import FleetReader
from tests.support.fleets import AGENT, QUICK, TestFleet, make_fleet
from tests.support.running import PATIENCE, ask, dispatching


@pytest.fixture
async def fleet(tmp_path: Path) -> TestFleet:
    return await make_fleet(tmp_path, settings=QUICK)


def look(fleet: TestFleet, task: Task) -> tuple[TaskRow, FleetView]:
    view = FleetReader(fleet.fleet.paths, fleet.fleet.clock.now).read()
    return next(row for row in view.rows if row.ref == task.ref), view


async def test_the_plan_the_flags_and_the_providers_are_read_from_the_files(fleet: TestFleet) -> None:
    first = fleet.add("One", touches=("src/app.py",), provides_flags=("search",))
    second = fleet.add("Two", touches=("src/app.py",), requires_flags=("search",))
    fleet.paths.flags.write_text('[search]\nstate = "off"\nby = "kari"\n')
    (fleet.root / "providers" / "claude.toml").write_text("slots = 3\n")
    foresight = FleetForesight(fleet.fleet)
    row, view = look(fleet, first)

    [ahead] = await asyncio.to_thread(foresight.plan)

    assert ahead.outlook is not None
    assert [[each.task.id for each in wave] for wave in ahead.outlook.waves] == [[first.id], [second.id]]
    [flag] = ahead.flags
    assert (flag.name, flag.state, flag.by, flag.holds, flag.ships) == (
        "search", "off", "kari", (second.ref,), (first.ref,)
    )  # fmt: skip
    assert (await asyncio.to_thread(foresight.standings, view))["claude"].of == 3
    why = await asyncio.to_thread(foresight.why, row, view)
    assert (why.hold.kind, why.line) == ("lease", (str(first.ref),))


async def test_what_keeps_one_workspace_from_being_planned_is_told(fleet: TestFleet) -> None:
    fleet.add("One", depends_on=("0001",))
    fleet.paths.flags.write_text("nonsense")
    fleet.add("Two")

    [ahead] = await asyncio.to_thread(FleetForesight(fleet.fleet).plan)

    assert ahead.outlook is None
    assert "depend" in ahead.trouble


async def test_who_dispatches_says_what_holds_what_lifts_it_and_who_is_next(fleet: TestFleet, tmp_path: Path) -> None:
    fleet.agent(f"{AGENT}say accepted\nuntil [ -e {tmp_path / 'go'} ]; do sleep 0.05; done\n")
    tasks = [fleet.add(title) for title in ("One", "Two", "Three")]
    after = fleet.add("After", depends_on=(tasks[0].id,))
    async with dispatching(fleet) as (core, record):
        await record.wait(lambda event: event.event == "attempt.started")
        async with asyncio.timeout(PATIENCE):
            while len(core.scheduler.state.holds) < 3:
                await asyncio.sleep(0.01)
        row, view = look(fleet, tasks[1])
        why = await asyncio.to_thread(FleetForesight(fleet.fleet).why, row, view)
        assert (why.hold.kind, why.hold.message) == ("slots", "the only slot is taken")
        assert "once a task ends" in why.hold.remedy
        assert why.line == (str(tasks[1].ref), str(tasks[2].ref)), "who waits for another task is not in line"
        row, view = look(fleet, after)
        assert row.hold is not None
        assert row.hold.remedy == f"once {tasks[0].ref} lands"
        await ask(fleet, record, RequestKind.FREEZE)
        async with asyncio.timeout(PATIENCE):
            while {hold.kind for hold in core.scheduler.state.holds.values()} != {"frozen", "dependency"}:
                await asyncio.sleep(0.01)
