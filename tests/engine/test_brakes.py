"""Freezes of running work: nothing is merged, a hard one suspends agents, and both outlive the orchestrator."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psutil

from omni_tui.model.brakes import FLEET, Brakes, Freeze, Scope
from omni_tui.model.request import Reply, Request, RequestKind
from omni_tui.model.task import Status, Task
from omni_tui.plugins.runtime.records import read_process
from omni_tui.store import control
from omni_tui.store.files import move
from omni_tui.store.state import read_state
from tests.support.fleets import AGENT, QUICK, TestFleet, make_fleet
from tests.support.running import PATIENCE, Record, ask, dispatching, reasons, until_idle

APP = Scope(workspace="app")
SLOW = """
[limits]
handover_seconds = 5
stall_minutes = 0.02
tool_minutes = 0.02
wall_minutes = 0.2
kill_grace_seconds = 0.2
"""


async def order(fleet: TestFleet, record: Record, kind: RequestKind, **given: object) -> Reply:
    """File a request with a scope, as the command line does."""
    name = f"r{len(record.events)}-{kind.value}"
    control.post(fleet.fleet.paths.control, Request(id=name, kind=kind, by="test", **given))  # type: ignore[arg-type]
    async with asyncio.timeout(PATIENCE):
        while (reply := control.read_reply(fleet.fleet.paths.control, name)) is None:
            await asyncio.sleep(0.01)
    return reply


async def until(condition: object, what: str = "") -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.02)


def waits_for_go(fleet: TestFleet) -> Path:
    """Have the agent work until a file is there; return it."""
    go = fleet.root / "go"
    fleet.agent(
        AGENT
        + f'say accepted\nwhile [ ! -e {go} ]; do sleep 0.05; done\necho x > "$OMNI_TASK.txt"\ncommit x\nsay finished\n'
    )
    return go


def tree(fleet: TestFleet, task: Task) -> list[psutil.Process]:
    record = read_process(fleet.paths.runs / task.id / "1")
    assert record is not None
    return psutil.Process(record.pid).children(recursive=True)


async def test_a_freeze_holds_the_merge_of_what_ends_meanwhile_and_says_so(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path)
    go, task = waits_for_go(fleet), fleet.add("Ends meanwhile")
    status = fleet.paths.runs / task.id / "1" / "status.json"
    async with dispatching(fleet) as (core, record):
        await record.wait(lambda event: event.data.get("phase") == "watch")
        assert (await order(fleet, record, RequestKind.FREEZE, scope=APP, reason="a demo")).ok
        go.touch()
        await record.wait(lambda event: event.event == "attempt.judged")
        await until(lambda: "the workspace app is frozen: a demo" in status.read_text())
        assert fleet.landed() == []
        async with asyncio.timeout(PATIENCE):
            await core.scheduler.idle.wait()
        assert "--workspace app" in core.scheduler.standstill
    async with dispatching(fleet) as (core, record):
        assert core.scheduler.state.brakes.freeze_of(APP) == Freeze(scope=APP, reason="a demo")
        await until(lambda: fleet.queue.find(task.id)[0] is Status.TODO or core.scheduler.running)  # type: ignore[index]
        assert (await order(fleet, record, RequestKind.THAW, scope=APP)).ok
        await record.wait(lambda event: event.event == "task.landed")
    assert len(fleet.landed()) == 1


async def test_a_freeze_that_comes_during_the_check_stops_the_merge(tmp_path: Path) -> None:
    checked = tmp_path / "checked"
    fleet = await make_fleet(
        tmp_path, workspace=f"check = 'echo . >> {checked}; while [ ! -e {tmp_path}/pass ]; do sleep 0.05; done'\n"
    )
    waits_for_go(fleet).touch()
    fleet.add("Is being checked")
    async with dispatching(fleet) as (core, record):
        await until(checked.exists)
        await order(fleet, record, RequestKind.FREEZE)
        (tmp_path / "pass").touch()
        await record.wait(lambda event: event.event == "check.finished")
        await until(lambda: any(running.box.held for running in core.scheduler.running.values()))
        assert fleet.landed() == []
        await order(fleet, record, RequestKind.THAW)
        await record.wait(lambda event: event.event == "task.landed")


async def test_a_merge_that_waits_hears_an_order(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path)
    go, task = waits_for_go(fleet), fleet.add("Never mind")
    async with dispatching(fleet) as (core, record):
        await record.wait(lambda event: event.data.get("phase") == "watch")
        await order(fleet, record, RequestKind.FREEZE)
        go.touch()
        await until(lambda: any(running.box.held for running in core.scheduler.running.values()))
        killed = await ask(fleet, record, RequestKind.KILL, f"app/{task.id}")
        assert killed.ok, killed.message
    assert fleet.queue.find(task.id)[0] is Status.BLOCKED  # type: ignore[index]
    assert fleet.landed() == []


async def test_a_file_freezes_as_long_as_it_is_there_also_when_put_there_before_the_start(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path)
    file = fleet.fleet.paths.control / "freeze"
    file.write_text("not before nine\n")
    task = fleet.add("Early")
    record = await until_idle(fleet)
    assert fleet.queue.find(task.id)[0] is Status.TODO  # type: ignore[index]
    assert record.named("fleet.frozen")[0].data["reason"] == "not before nine"
    async with dispatching(fleet) as (core, record):
        await until(lambda: "not before nine" in reasons(core.scheduler.state).get(f"app/{task.id}", ""))
        file.unlink()
        await record.wait(lambda event: event.event == "task.landed")


async def test_a_thaw_takes_the_file_away(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path)
    (fleet.fleet.paths.control / "freeze").touch()
    fleet.add("Early")
    async with dispatching(fleet) as (_, record):
        await order(fleet, record, RequestKind.THAW)
        await record.wait(lambda event: event.event == "task.landed")
    assert not (fleet.fleet.paths.control / "freeze").exists()
    assert read_state(fleet.root).in_force == Brakes()


async def test_a_hard_freeze_suspends_the_whole_tree_over_a_restart_and_no_clock_counts_it(tmp_path: Path) -> None:
    """Its patience and its whole time are shorter than it stands still."""
    fleet = await make_fleet(tmp_path, settings=SLOW)
    go, task = waits_for_go(fleet), fleet.add("Stands still")
    async with dispatching(fleet, stop_agents=False) as (_, record):
        await record.wait(lambda event: event.data.get("phase") == "watch")
        await order(fleet, record, RequestKind.FREEZE, hard=True, scope=FLEET)
        await record.wait(lambda event: event.event == "attempt.suspended")
        await until(lambda: all(each.status() == psutil.STATUS_STOPPED for each in tree(fleet, task)))
    stopped = tree(fleet, task)
    assert stopped
    async with dispatching(fleet, stop_agents=False) as (_, record):
        await asyncio.sleep(3)  # longer than it may be silent: what is proved is that nothing happens
        assert all(each.status() == psutil.STATUS_STOPPED for each in stopped)
        assert record.named("attempt.failed") == []
        await order(fleet, record, RequestKind.THAW)
        resumed = await record.wait(lambda event: event.event == "attempt.resumed")
        assert resumed.data["seconds"] > 3
        go.touch()
        await record.wait(lambda event: event.event == "task.landed")
    assert len(record.named("task.landed")) == 1


async def test_a_suspended_agent_can_be_killed(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path)
    waits_for_go(fleet)
    task = fleet.add("Stands still")
    async with dispatching(fleet) as (_, record):
        await record.wait(lambda event: event.data.get("phase") == "watch")
        await order(fleet, record, RequestKind.FREEZE, hard=True)
        await record.wait(lambda event: event.event == "attempt.suspended")
        pids = [each.pid for each in tree(fleet, task)]
        killed = await ask(fleet, record, RequestKind.KILL, f"app/{task.id}")
        assert killed.ok, killed.message
        assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


async def test_nothing_starts_while_frozen_by_whichever_way(tmp_path: Path) -> None:
    """A new task, one that lies in doing/ at the start, one queued again, one put into doing/ by hand, a check."""
    fleet = await make_fleet(tmp_path, settings=QUICK.replace("0.05", "1"))
    (fleet.fleet.paths.control / "freeze").touch()
    new, left, again, put = (fleet.add(title) for title in ("New", "Left", "Again", "Put"))

    def to_doing(task: Task) -> None:
        path = fleet.queue.find(task.id)[1]  # type: ignore[index]
        move(path, fleet.paths.queue(Status.DOING) / path.name)

    to_doing(left)
    async with dispatching(fleet) as (core, record):
        await record.wait(lambda event: event.event == "task.adopted" and event.task == left.id)
        to_doing(put)
        await record.wait(lambda event: event.event == "task.adopted" and event.task == put.id)
        for kind in (RequestKind.BLOCK, RequestKind.REDISPATCH):
            assert (await ask(fleet, record, kind, f"app/{again.id}")).ok
        checked = await order(fleet, record, RequestKind.CHECK, provider="scripted")
        assert (checked.ok, "nothing starts: the fleet is frozen" in checked.message) == (False, True)
        async with asyncio.timeout(PATIENCE):
            await core.scheduler.idle.wait()
        held = [reasons(core.scheduler.state)[f"app/{task.id}"] for task in (new, again)]
        assert all("the fleet is frozen" in words for words in held)
        assert not record.named("attempt.started")
        await order(fleet, record, RequestKind.THAW)
        for task in (new, left, again, put):
            await record.wait(lambda event, task=task: event.event == "task.landed" and event.task == task.id)  # type: ignore[misc]


async def test_a_thaw_says_what_is_still_frozen(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path)
    async with dispatching(fleet) as (_, record):
        for scope in (APP, FLEET):
            await order(fleet, record, RequestKind.FREEZE, scope=scope)
        said = (await order(fleet, record, RequestKind.THAW)).message
        assert said == "thawed, but the workspace app is frozen; `omni-tui thaw --workspace app` goes on"
        assert (await order(fleet, record, RequestKind.THAW, scope=APP)).message.endswith("is thawed: starts again")
