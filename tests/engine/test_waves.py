"""Tasks side by side, with the real core: what shares a touch point waits, and the frozen plan is kept to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from omni_tui.model.task import Task
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
    assert f"after {one.id}: symbol run (its text names it, which src/app.py defines)" in shown
    assert f'"{one.ref}" -> "{two.ref}" [style=dashed' in omni(fleet, "plan", "--dot")


async def test_plan_needs_the_fleets_own_repository_alone(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path)
    one, two = (fleet.add(f"Change {name}", body="Change `run()`.") for name in "ab")
    fleet.origin.rename(tmp_path / "gone")
    assert f"after {one.id}: symbol run" in omni(fleet, "plan")
    assert f"{two.ref}" in omni(fleet, "why", str(two.ref))


async def test_plan_tells_what_flags_and_lint_will_hold(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=f'{QUICK}[lint]\nno_acceptance = "refuse"\n')
    done = "Change `run()`. Done when tests/test_app.py passes."
    flagged = fleet.add("Flagged", body=done, requires_flags=("fast=on",))
    behind = fleet.add("Behind", body=done, depends_on=(flagged.id,))
    vague = fleet.add("Vague", body="Do something with src/app.py.")
    shown = " ".join(omni(fleet, "plan").split())
    assert "flag: requires the flag `fast`, which neither flags.toml nor another task names; set it" in shown
    assert f"flag: waits behind {flagged.id} for fast" in shown
    assert shown.count("refused as it is written") == 1
    told: dict[str, Any] = json.loads(omni(fleet, "plan", "--json"))["result"]["workspaces"][0]
    tasks = {task["task"]: task for wave in told["waves"] for task in wave}
    assert [(each["flag"], each["behind"]) for each in tasks[str(flagged.ref)]["flags"]] == [
        ("fast", [str(behind.ref)])
    ]
    assert {ref for ref, task in tasks.items() if task["refused"]} == {str(vague.ref)}


async def test_plan_shows_a_frozen_plan_as_it_is(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path)
    one, two, three = (fleet.add(f"Change {name}", body="Change `run()`.") for name in "abc")
    fleet.paths.plan.write_text(f'waves = [["landed-long-ago"], ["{three.id}", "{one.id}"]]\n')
    shown = omni(fleet, "plan")
    assert "3 tasks in 2 waves, as the frozen plan says" in shown
    assert "wave 1" not in shown
    assert f"beside, although tied to {one.id}: symbol run" in shown
    assert f"not in the frozen plan, so they come after it: {two.id}" in shown
    omni(fleet, "plan", "--freeze")
    assert fleet.paths.plan.read_text().count('",  # Change') == 3
    assert "3 tasks in 3 waves, as the frozen plan says" in omni(fleet, "plan")


async def test_plan_prints_a_cycle(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path)
    fleet.queue.add(Task(workspace="app", id="a", title="A", depends_on=("b",)))
    fleet.queue.add(Task(workspace="app", id="b", title="B", depends_on=("a",)))
    command = [sys.executable, "-m", "omni_tui", "--fleet", str(fleet.root), "plan"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=dict(os.environ))
    assert done.returncode == 1
    assert "tasks depend on each other: app/a → app/b → app/a" in done.stderr
    assert "depends_on" in done.stderr
