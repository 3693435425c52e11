"""Tasks side by side, with the real core: what shares a touch point waits, and the frozen plan is kept to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.fleets import AGENT, QUICK, TestFleet, make_fleet
from tests.support.running import Record, until_idle

SLOTS = QUICK.replace("0.05", "5") + "[scheduler]\nslots = 3\n"
APPENDS = (
    AGENT
    + """
say accepted
sleep 0.5
echo "$OMNI_TASK" >> src/app.py
commit "do $OMNI_TASK"
say finished
"""
)


def omni(fleet: TestFleet, *words: str) -> str:
    command = [sys.executable, "-m", "omni_tui", "--fleet", str(fleet.root), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=dict(os.environ)).stdout


def order(record: Record) -> list[str]:
    """Return claims and landings in the order in which they came."""
    return [f"{event.event}:{event.task}" for event in record.events if event.event in {"task.claimed", "task.landed"}]


async def test_tasks_on_one_file_land_without_a_conflict(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=SLOTS)
    fleet.agent(APPENDS)
    tasks = [fleet.add(f"Change {name}", body="Change `run()` in src/app.py.") for name in "abc"]
    record = await until_idle(fleet)
    assert not record.named("attempt.failed")
    assert len(fleet.landed()) == 3
    one, two, three = (task.id for task in tasks)
    assert order(record) == [f"task.{what}:{name}" for name in (one, two, three) for what in ("claimed", "landed")]


async def test_a_frozen_plan_is_written_edited_and_kept_to(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=SLOTS)
    first, second = fleet.add("First"), fleet.add("Second")
    planned: dict[str, Any] = json.loads(omni(fleet, "plan", "--json", "--freeze"))["result"]
    assert [[task["task"] for task in wave] for wave in planned["workspaces"][0]["waves"]] == [
        [str(first.ref), str(second.ref)]
    ]
    text = fleet.paths.plan.read_text()
    assert f'"{first.id}",  # First' in text
    fleet.paths.plan.write_text(f'waves = [["{second.id}"], ["{first.id}"]]\n')
    record = await until_idle(fleet)
    assert order(record) == [f"task.{what}:{task.id}" for task in (second, first) for what in ("claimed", "landed")]


async def test_plan_tells_what_ties_tasks(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path)
    one, two = (fleet.add(f"Change {name}", body="Change `run()`.") for name in "ab")
    shown = omni(fleet, "plan")
    assert "wave 2: 1 task" in shown
    assert f"tied to {one.id} by symbol run" in shown
    assert f'"{one.ref}" -> "{two.ref}" [style=dashed' in omni(fleet, "plan", "--dot")
