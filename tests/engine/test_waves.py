"""Tasks side by side, with the real core: what shares a touch point waits, and the frozen plan is kept to."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from omni_tui.errors import ScmError
from omni_tui.model.task import Task
from omni_tui.plugins.scm.local import LocalScm
from omni_tui.store.layout import create_workspace
from omni_tui.store.state import read_state
from tests.support.fleets import AGENT, GOOD, QUICK, TestFleet, make_fleet
from tests.support.running import PATIENCE, Record, dispatching, until_idle

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
    omni(fleet, "plan", "--freeze")
    assert not fleet.paths.plan.exists(), "a plan of nothing holds nothing"
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


async def test_a_plan_edited_meanwhile_is_kept_to_and_a_bad_one_leaves_the_last_good_in_force(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=SLOTS)
    go = tmp_path / "go"
    fleet.agent(f"{AGENT}say accepted\nuntil [ -e {go} ]; do sleep 0.05; done\n{GOOD.removeprefix(AGENT)}")
    one, two, three = (fleet.add(f"Do {name}") for name in "abc")
    fleet.paths.plan.write_text(f'waves = [["{one.id}"], ["{two.id}"], ["{three.id}"]]\n')
    async with dispatching(fleet) as (_, record):
        await record.wait(lambda event: event.event == "task.claimed")
        fleet.paths.plan.write_text(f'waves = [\n  ["{one.id}"],\n  ["{three.id}"],\n  ["{two.id}"],\n]\n')
        taken = await record.wait(lambda event: event.event == "plan.taken" and event.data["waves"] == 3)
        await record.wait(lambda event: event.event == "plan.taken" and event is not taken)
        fleet.paths.plan.write_text('waves = [\n  ["a"],\n  "b\n]\n')
        refused = await record.wait(lambda event: event.event == "plan.refused")
        assert f"{fleet.paths.plan}:3: " in refused.data["error"]
        fleet.paths.plan.write_text('# mended\nwaves = [["a"], "b"]\n')
        refused = await record.wait(lambda event: event.event == "plan.refused" and event is not refused)
        assert f"{fleet.paths.plan}:2: " in refused.data["error"]
        assert "it must be a list of lists of ids" in refused.data["error"]
        async with asyncio.timeout(PATIENCE):
            while "stays as it was" not in read_state(fleet.root).message:
                await asyncio.sleep(0.01)
        go.touch()
        await record.wait(lambda event: event.event == "fleet.idle")
    expected = [f"task.{what}:{task.id}" for task in (one, three, two) for what in ("claimed", "landed")]
    assert order(record) == expected


async def test_where_the_repository_tells_nothing_what_tasks_say_keeps_them_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> tuple[frozenset[str], ...]:
        raise ScmError("the history cannot be read")

    monkeypatch.setattr(LocalScm, "changes", fail)
    fleet = await make_fleet(tmp_path, settings=SLOTS)
    fleet.agent(APPENDS)
    tasks = [fleet.add(f"Change {name}", touches=("src/app.py",)) for name in "ab"]
    record = await until_idle(fleet)
    assert "the history cannot be read" in record.named("survey.failed")[0].data["error"]
    assert order(record) == [f"task.{what}:{task.id}" for task in tasks for what in ("claimed", "landed")]


async def test_auto_runs_what_is_proven_independent_and_nothing_beside_the_unknown(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=SLOTS.replace("slots = 3", 'slots = "auto"'))
    meet = tmp_path / "meet"
    meet.mkdir()
    fleet.agent(
        f"""{AGENT}say accepted
touch {meet}/$OMNI_TASK
until [ $(ls {meet} | wc -l) -ge 2 ]; do sleep 0.05; done
case $OMNI_TASK in 0001|0002) file=src/app.py ;; 0003) file=README.md ;; *) file=new.txt ;; esac
echo "# $OMNI_TASK" >> $file
commit "do $OMNI_TASK"
say finished
"""
    )
    one = fleet.add("Change `run()`", body="Change `run()`.")
    same = fleet.add("Change the app", body="Change src/app.py.")
    apart = fleet.add("Write docs", body="Write README.md.")
    vague = fleet.add("Make it nicer")
    record = await until_idle(fleet)
    assert len(fleet.landed()) == 4
    began = order(record)
    claimed, landed = (
        {task.id: began.index(f"task.{what}:{task.id}") for task in (one, same, apart, vague)}
        for what in ("claimed", "landed")
    )
    assert claimed[apart.id] < landed[one.id], "the two that are independent meet, or neither would end"
    assert claimed[same.id] > landed[one.id], "it is tied to the first by what `run` is defined in"
    assert all(
        claimed[vague.id] > landed[other] or landed[vague.id] < claimed[other] for other in landed if other != vague.id
    )


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


async def test_plan_tells_what_nobody_will_take(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path)
    lost, fine = fleet.add("A", provider="nope"), fleet.add("B", harness="command")
    [[first, second]] = json.loads(omni(fleet, "plan", "--json"))["result"]["workspaces"][0]["waves"]
    assert (first["task"], second["task"]) == (str(lost.ref), str(fine.ref))
    assert "served by provider `nope`" in first["unserved"]
    assert second["unserved"] == ""
    assert "cannot start: no agent that could take it is served by provider `nope`" in omni(fleet, "plan")
    agents = fleet.paths.agents
    (agents / "wrong").mkdir()
    (agents / "wrong" / "agent.toml").write_text('harness = "command"\ncommand = ["true"]\nprovider = "typo"\n')
    assert "there is no provider `typo`" in omni(fleet, "plan", "--json")


async def test_plan_shows_a_frozen_plan_as_it_is(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path)
    one, two, three = (fleet.add(f"Change {name}", body="Change `run()`.") for name in "abc")
    fleet.paths.plan.write_text(f'waves = [["landed-long-ago"], ["{three.id}", "{one.id}"]]\n')
    shown = omni(fleet, "plan")
    assert "3 tasks in 2 waves, as the frozen plan says" in shown
    assert "wave 1" not in shown
    assert "wave 3" in shown, "what the plan does not name comes close after it"
    assert "named in the frozen plan, but no task here: landed-long-ago" in shown
    assert f"beside, although tied to {one.id}: symbol run" in shown
    assert f"not in the frozen plan, so they come after it: {two.id}" in shown
    edited = fleet.paths.plan.read_text()
    former = fleet.paths.plan.with_name("plan.toml.before")
    assert f"the plan before is kept as {former}" in " ".join(omni(fleet, "plan", "--freeze").split())
    assert former.read_text() == edited
    assert "kept" not in omni(fleet, "plan", "--freeze"), "nothing was edited meanwhile"
    assert former.read_text() == edited
    assert fleet.paths.plan.read_text().count('",  # Change') == 3
    fleet.paths.plan.write_text(f"waves = [{json.dumps([each.id for each in (one, two, three)])}]\n")
    assert "plan.toml.before.2" in omni(fleet, "plan", "--freeze").replace("\n", "")
    assert former.read_text() == edited, "what was kept stays"
    fleet.paths.plan.write_text(edited)
    omni(fleet, "plan", "--freeze")
    assert sorted(each.name for each in fleet.paths.root.glob("plan.toml.*")) == [former.name, f"{former.name}.2"]
    assert "3 tasks in 3 waves, as the frozen plan says" in omni(fleet, "plan")


async def test_plan_names_what_a_frozen_plan_says_twice_and_what_it_puts_beside_its_need(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path)
    one = fleet.add("Change a", body="Change `run()`.")
    two = fleet.add("Change b", depends_on=(one.id,))
    fleet.paths.plan.write_text(f'waves = [["{one.id}", "{two.id}"], ["{one.id}"]]\n')
    shown = " ".join(omni(fleet, "plan").split())
    assert f"wave 1: 2 tasks, {two.id} after others of them" in shown
    assert f"named in the frozen plan more than once, the first counts: {one.id}" in shown
    [told] = json.loads(omni(fleet, "plan", "--json"))["result"]["workspaces"]
    assert told["repeated_in_frozen"] == [one.id]
    fleet.paths.plan.write_text(f'waves = [["{one.id}"], ["{two.id}"]]\n')
    shown = omni(fleet, "plan")
    assert "more than once" not in shown
    assert "after others" not in shown


async def test_plan_prints_a_cycle(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path)
    fleet.queue.add(Task(workspace="app", id="a", title="A", depends_on=("b",)))
    fleet.queue.add(Task(workspace="app", id="b", title="B", depends_on=("a",)))
    command = [sys.executable, "-m", "omni_tui", "--fleet", str(fleet.root), "plan"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=dict(os.environ))
    assert done.returncode == 1
    assert "tasks depend on each other: app/a → app/b → app/a" in done.stderr


async def test_plan_sees_what_waits_in_another_workspace(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path)
    create_workspace(fleet.fleet.paths.workspace("lib"))
    fleet.fleet.queue("lib").add(Task(workspace="lib", id="x", title="X"))
    fleet.queue.add(Task(workspace="app", id="a", title="A", depends_on=("lib/x",)))
    shown = omni(fleet, "plan", "app")
    assert "after lib/x of another workspace: depends on it" in shown
    assert "cannot start" not in shown
    fleet.queue.add(Task(workspace="app", id="b", title="B", depends_on=("lib/y",)))
    fleet.fleet.queue("lib").add(Task(workspace="lib", id="y", title="Y", depends_on=("app/b",)))
    command = [sys.executable, "-m", "omni_tui", "--fleet", str(fleet.root), "plan", "lib"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=dict(os.environ))
    assert "tasks depend on each other: app/b → lib/y → app/b" in done.stderr
    assert "depends_on" in done.stderr
