"""The conflict radar with the real core: two agents that really change the same line, and what becomes of them."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from omni_tui.engine import supervisor
from omni_tui.engine.core import Core
from omni_tui.engine.flights import Flight
from omni_tui.errors import ScmError
from omni_tui.model.brakes import Scope
from omni_tui.model.request import Reply, Request, RequestKind
from omni_tui.model.task import Status, Task, TaskRef
from omni_tui.plugins.scm.local import LocalScm
from omni_tui.store import control
from omni_tui.store.runs import Runs
from tests.support.fleets import AGENT, QUICK, TestFleet, git, make_fleet
from tests.support.headless import headless, read_until
from tests.support.running import PATIENCE, Record, ask, dispatching, reasons, until_idle
from tests.support.waiting import wait_for_async

SETTINGS = QUICK.replace("0.05", "5").replace("[limits]", "[limits]\nattempts = 1\nrepairs = 0") + (
    "[scheduler]\nslots = 3\n"
)
"""One attempt a task: what is brought onto another's landing must not use it up."""
SAME_LINE = (
    AGENT
    + """
say accepted
if [ "$OMNI_ATTEMPT" = 1 ]; then
    sed -i "2s/.*/    return '$OMNI_TASK'/" src/app.py
    commit "do $OMNI_TASK"
    : > {root}/committed-$OMNI_TASK
    while [ ! -e {root}/go-$OMNI_TASK ]; do say activity; sleep 0.1; done
else
    work=$(sed -n 's/.*git merge --squash \\([0-9a-f]*\\).*/\\1/p' "$OMNI_PROMPT")
    git merge --squash -q "$work" && exit 1
    sed -i '/^<<<<<<<\\|^=======\\|^>>>>>>>/d' src/app.py
    commit "bring $OMNI_TASK over"
fi
say finished
"""
)


async def fleet_of(directory: Path, settings: str = SETTINGS) -> TestFleet:
    fleet = await make_fleet(directory, settings=settings)
    fleet.agent(SAME_LINE.replace("{root}", str(fleet.root)))
    return fleet


def flights(core: Core) -> Mapping[TaskRef, Flight]:
    place = core.scheduler.place("app")
    return place.flights.there if place is not None else {}


async def brake(fleet: TestFleet, record: Record, kind: RequestKind) -> Reply:
    """File a request for the workspace, as the command line does."""
    name = f"r{len(record.events)}-{kind.value}"
    control.post(fleet.fleet.paths.control, Request(id=name, kind=kind, by="test", scope=Scope(workspace="app")))
    async with asyncio.timeout(PATIENCE):
        while (reply := control.read_reply(fleet.fleet.paths.control, name)) is None:
            await asyncio.sleep(0.01)
    return reply


def go(fleet: TestFleet, task: Task) -> None:
    (fleet.root / f"go-{task.id}").touch()


async def committed(fleet: TestFleet, title: str) -> Task:
    """Add a task and wait until its agent has committed."""
    task = fleet.add(title)
    await wait_for_async((fleet.root / f"committed-{task.id}").exists, f"{title} is committed", 20)
    return task


def reason_of(fleet: TestFleet, task: Task, attempt: int = 1) -> str:
    status = Runs(fleet.paths).latest(task.id).read_status()  # type: ignore[union-attr]
    return status.reason if status is not None and status.attempt == attempt else ""


async def happened(record: Record, event: str, task: Task) -> None:
    await record.wait(lambda each: (each.event, each.task) == (event, task.id))


def story(record: Record, *names: str) -> list[str]:
    return [f"{event.event} {event.task}" for event in record.events if event.event in names]


def omni(fleet: TestFleet, *words: str) -> str:
    command = [sys.executable, "-m", "omni_tui", "--fleet", str(fleet.root), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=dict(os.environ)).stdout


async def younger_waits(fleet: TestFleet, record: Record) -> tuple[Task, Task]:
    """Have two tasks under way that conflict; the younger has finished and waits."""
    older, younger = await committed(fleet, "First"), await committed(fleet, "Second")
    go(fleet, younger)
    delayed = await record.wait(lambda event: event.event == "landing.delayed")
    assert (delayed.task, delayed.data["other"], delayed.data["files"]) == (
        younger.id,
        f"app/{older.id}",
        ("src/app.py",),
    )
    return older, younger


def failures(record: Record) -> list[tuple[str, str]]:
    return [(event.task, event.data["kind"]) for event in record.named("attempt.failed")]


async def test_the_younger_waits_and_its_agent_brings_it_onto_the_older(tmp_path: Path) -> None:
    fleet = await fleet_of(tmp_path)
    async with dispatching(fleet) as (_, record):
        older, younger = await younger_waits(fleet, record)
        words = f"waits for app/{older.id} to land: both change src/app.py"
        await wait_for_async(lambda: reason_of(fleet, younger) == words, "it says so")
        assert omni(fleet, "why", younger.id).strip().endswith(f"is in inspect, served by scripted; {words}")
        rows = {row["id"]: row["reason"] for row in json.loads(omni(fleet, "list", "--json"))["result"]}
        assert rows == {older.id: "", younger.id: words}
        assert not fleet.landed()
        go(fleet, older)
        await happened(record, "task.landed", younger)
    assert fleet.landed() == ["Second", "First"]
    assert failures(record) == [(younger.id, "overtaken")], "and with one attempt it may go on"
    assert story(record, "landing.cleared", "task.landed") == [
        f"landing.cleared {younger.id}",
        f"task.landed {older.id}",
        f"task.landed {younger.id}",
    ]
    assert record.named("landing.cleared")[0].data == {"other": f"app/{older.id}", "reason": "has landed"}
    text = git(fleet.paths.repo, "show", "release/omni:src/app.py")
    assert f"'{older.id}'" in text
    assert f"'{younger.id}'" in text
    prompt = (fleet.paths.runs / younger.id / "2" / "prompt.md").read_text()
    assert f"`app/{older.id}` landed meanwhile, and both change `src/app.py`" in prompt
    assert not record.named("task.blocked")


async def test_it_lands_at_once_when_the_older_is_killed(tmp_path: Path) -> None:
    fleet = await fleet_of(tmp_path)
    async with dispatching(fleet) as (_, record):
        older, younger = await younger_waits(fleet, record)
        assert (await ask(fleet, record, RequestKind.KILL, f"app/{older.id}")).ok
        await record.wait(lambda event: event.event == "task.landed")
    assert fleet.landed() == ["Second"]
    assert failures(record) == [(older.id, "killed")]
    assert record.named("landing.cleared")[0].data["reason"] == "did not land"
    assert fleet.queue.find(younger.id)[0] is Status.DONE  # type: ignore[index]


async def test_a_freeze_while_it_waits_holds_both_and_changes_nothing(tmp_path: Path) -> None:
    fleet = await fleet_of(tmp_path)
    async with dispatching(fleet) as (core, record):
        older, younger = await younger_waits(fleet, record)
        assert (await brake(fleet, record, RequestKind.FREEZE)).ok
        go(fleet, older)
        await wait_for_async(lambda: "is frozen" in reason_of(fleet, older), "the older is held")
        await wait_for_async(lambda: "is frozen" in reason_of(fleet, younger), "the younger too")
        async with asyncio.timeout(10):
            await core.scheduler.idle.wait()
        assert not fleet.landed()
        assert (await brake(fleet, record, RequestKind.THAW)).ok
        await happened(record, "task.landed", younger)
    assert fleet.landed() == ["Second", "First"]
    assert failures(record) == [(younger.id, "overtaken")]


async def test_it_goes_on_waiting_after_the_orchestrator_was_killed(tmp_path: Path) -> None:
    fleet = await fleet_of(tmp_path)
    process = headless(fleet, "--json")
    try:
        older, younger = await committed(fleet, "First"), await committed(fleet, "Second")
        go(fleet, younger)
        await asyncio.to_thread(read_until, process, '"landing.delayed"')
        await wait_for_async(lambda: "waits for" in reason_of(fleet, younger), "its row says so")
    finally:
        process.kill()
        process.wait()
    async with dispatching(fleet) as (core, record):
        await wait_for_async(lambda: len(flights(core)) == 2, "both are in flight again")
        await wait_for_async(lambda: flights(core)[younger.ref].ready, "the younger is ready again")
        await wait_for_async(lambda: "waits for" in reason_of(fleet, younger), "it waits")
        assert not fleet.landed()
        go(fleet, older)
        await happened(record, "task.landed", younger)
    assert fleet.landed() == ["Second", "First"]
    assert failures(record) == [(younger.id, "overtaken")]
    assert not record.named("landing.delayed"), "it had been told"


async def test_three_on_one_line_land_in_their_order_and_each_is_overtaken_once(tmp_path: Path) -> None:
    fleet = await fleet_of(tmp_path)
    async with dispatching(fleet) as (_, record):
        tasks = [await committed(fleet, name) for name in ("First", "Second", "Third")]
        for task in reversed(tasks[1:]):
            go(fleet, task)
            await happened(record, "landing.delayed", task)
        go(fleet, tasks[0])
        await happened(record, "task.landed", tasks[2])
    assert fleet.landed() == ["Third", "Second", "First"]
    assert failures(record) == [(tasks[1].id, "overtaken"), (tasks[2].id, "overtaken")]


async def test_what_a_running_task_has_changed_keeps_a_waiting_one_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "COMMIT_LOOK_SECONDS", 0.1)
    fleet = await fleet_of(tmp_path)
    async with dispatching(fleet) as (core, record):
        first = await committed(fleet, "First")
        await wait_for_async(lambda: flights(core)[first.ref].files, "it is seen")
        second = fleet.add("Second", touches=["src/app.py"])
        words = f"as does app/{first.id}, which runs (it has changed it already)"
        await wait_for_async(lambda: words in reasons(core.scheduler.state).get(str(second.ref), ""), "it is held")
        go(fleet, first)
        go(fleet, second)
        await happened(record, "task.landed", second)
    assert failures(record) == []


async def test_one_after_another_nothing_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "COMMIT_LOOK_SECONDS", 0.0)
    looks: list[str] = []
    for name in ("head", "touched", "conflicts"):
        monkeypatch.setattr(LocalScm, name, lambda *_, name=name: looks.append(name))
    fleet = await make_fleet(tmp_path, settings=QUICK)
    fleet.add("First")
    fleet.add("Second")
    await until_idle(fleet)
    assert len(fleet.landed()) == 2
    assert looks == []


async def test_a_persons_commit_on_the_release_branch_is_told_while_the_agent_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "COMMIT_LOOK_SECONDS", 0.1)
    fleet = await fleet_of(tmp_path, SETTINGS.replace("slots = 3", "slots = 1"))
    async with dispatching(fleet) as (_, record):
        task = await committed(fleet, "First")
        clone = tmp_path / "clone"
        git(tmp_path, "clone", "-q", "--no-tags", "-b", "release/omni", str(fleet.paths.repo), str(clone))
        (clone / "src/app.py").write_text("def run():\n    return 'by hand'\n")
        git(clone, "commit", "-q", "-a", "-m", "by hand")
        git(clone, "push", "-q", "origin", "HEAD:refs/heads/release/omni")
        seen = await record.wait(lambda event: event.event == "conflict.seen")
        assert seen.data == {"other": "release/omni", "files": ("src/app.py",)}
        go(fleet, task)
        await record.wait(lambda event: event.event == "task.landed")
    assert failures(record) == [(task.id, "overtaken")]
    assert "others' commits came onto it meanwhile" in record.named("attempt.failed")[0].data["message"]


async def test_who_meets_nobody_waits_for_nobody(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=SETTINGS)
    for name in "abc":
        fleet.add(f"Task {name}")
    record = await until_idle(fleet)
    assert len(fleet.landed()) == 3
    assert story(record, "landing.delayed", "conflict.seen", "attempt.failed") == []


async def test_where_git_cannot_tell_nobody_waits_and_all_land(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: object) -> tuple[str, ...]:
        raise ScmError("git merge-tree was ended after 60 s")

    monkeypatch.setattr(LocalScm, "conflicts", fails)
    fleet = await fleet_of(tmp_path)
    async with dispatching(fleet) as (_, record):
        older, younger = await committed(fleet, "First"), await committed(fleet, "Second")
        go(fleet, younger)
        await happened(record, "task.landed", younger)
        assert "git merge-tree was ended" in record.named("core.fault")[0].data["error"]
        assert record.named("landing.delayed") == []
        assert (await ask(fleet, record, RequestKind.KILL, f"app/{older.id}")).ok
