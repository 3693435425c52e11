"""The conflict radar with the real core: agents that really change the same line, and what becomes of them."""

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
else
    work=$(sed -n 's/.*git merge --squash \\([0-9a-f]*\\).*/\\1/p' "$OMNI_PROMPT")
    git merge --squash -q "$work" && exit 1
    sed -i '/^<<<<<<<\\|^=======\\|^>>>>>>>/d' src/app.py
    commit "bring $OMNI_TASK over"
fi
: > {root}/committed-$OMNI_TASK-$OMNI_ATTEMPT
while [ ! -e {root}/go-$OMNI_TASK-$OMNI_ATTEMPT ] && [ "$OMNI_ATTEMPT" -lt {free} ]; do say activity; sleep 0.1; done
say finished
"""
)
"""Each attempt before the `free` one goes on once it is told to `go`."""


async def fleet_of(directory: Path, settings: str = SETTINGS, free: int = 2) -> TestFleet:
    fleet = await make_fleet(directory, settings=settings)
    fleet.agent(SAME_LINE.replace("{root}", str(fleet.root)).replace("{free}", f"{free}"))
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


def go(fleet: TestFleet, task: Task, attempt: int = 1) -> None:
    (fleet.root / f"go-{task.id}-{attempt}").touch()


async def has_committed(fleet: TestFleet, task: Task, attempt: int = 1) -> None:
    mark = fleet.root / f"committed-{task.id}-{attempt}"
    await wait_for_async(mark.exists, f"{task.title} is committed", 20)


async def committed(fleet: TestFleet, title: str) -> Task:
    """Add a task and wait until its agent has committed."""
    task = fleet.add(title)
    await has_committed(fleet, task)
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


async def overtaken_and_waiting(fleet: TestFleet) -> tuple[Task, Task]:
    """Have two tasks under way that conflict: one was overtaken and is brought over, the other is to wait for it."""
    overtaken, quick, waiting = [await committed(fleet, title) for title in ("First", "Second", "Third")]
    go(fleet, quick)
    await wait_for_async(lambda: fleet.landed() == ["Second"], "the quick one lands before the older", PATIENCE)
    go(fleet, overtaken)
    await has_committed(fleet, overtaken, 2)
    go(fleet, waiting)
    return overtaken, waiting


async def one_waits(fleet: TestFleet, record: Record) -> tuple[Task, Task]:
    """Have one finished that waits for another's agent."""
    overtaken, waiting = await overtaken_and_waiting(fleet)
    delayed = await record.wait(lambda event: event.event == "landing.delayed")
    assert (delayed.task, delayed.data["other"], delayed.data["files"]) == (
        waiting.id,
        f"app/{overtaken.id}",
        ("src/app.py",),
    )
    return overtaken, waiting


async def finished_together(fleet: TestFleet, record: Record, *titles: str) -> list[Task]:
    """Have tasks finished that conflict, none of which has landed: a freeze came."""
    tasks = [await committed(fleet, title) for title in titles]
    assert (await brake(fleet, record, RequestKind.FREEZE)).ok
    for task in reversed(tasks):
        go(fleet, task)
        await wait_for_async(lambda task=task: "is frozen" in reason_of(fleet, task), f"{task.title} is held")  # type: ignore[misc]
    assert not fleet.landed()
    return tasks


def failures(record: Record) -> list[tuple[str, str]]:
    return [(event.task, event.data["kind"]) for event in record.named("attempt.failed")]


async def test_who_has_finished_does_not_wait_for_an_older_one_at_work(tmp_path: Path) -> None:
    fleet = await fleet_of(tmp_path)
    async with dispatching(fleet) as (_, record):
        older, younger = await committed(fleet, "First"), await committed(fleet, "Second")
        go(fleet, younger)
        await happened(record, "task.landed", younger)
        go(fleet, older)
        await happened(record, "task.landed", older)
    assert fleet.landed() == ["First", "Second"]
    assert failures(record) == [(older.id, "overtaken")], "and with one attempt it may go on"
    assert record.named("conflict.seen"), "though they were seen to conflict"
    assert record.named("landing.delayed") == []
    text = git(fleet.paths.repo, "show", "release/omni:src/app.py")
    assert f"'{older.id}'" in text
    assert f"'{younger.id}'" in text
    prompt = (fleet.paths.runs / older.id / "2" / "prompt.md").read_text()
    assert f"`app/{younger.id}` landed meanwhile, and both change `src/app.py`" in prompt


async def test_who_was_overtaken_is_waited_for_while_its_agent_works(tmp_path: Path) -> None:
    fleet = await fleet_of(tmp_path, free=3)
    async with dispatching(fleet) as (_, record):
        overtaken, waiting = await one_waits(fleet, record)
        words = f"waits for app/{overtaken.id} to land: both change src/app.py"
        await wait_for_async(lambda: reason_of(fleet, waiting) == words, "it says so")
        assert omni(fleet, "why", waiting.id).strip().endswith(f"is in inspect, served by scripted; {words}")
        rows = {row["id"]: row["reason"] for row in json.loads(omni(fleet, "list", "--json"))["result"]}
        assert (rows[overtaken.id], rows[waiting.id]) == ("", words)
        go(fleet, overtaken, 2)
        await happened(record, "task.landed", overtaken)
        go(fleet, waiting, 2)
        await happened(record, "task.landed", waiting)
    assert fleet.landed() == ["Third", "First", "Second"]
    assert failures(record) == [(overtaken.id, "overtaken"), (waiting.id, "overtaken")]
    assert story(record, "landing.cleared", "task.landed")[1:] == [
        f"landing.cleared {waiting.id}",
        f"task.landed {overtaken.id}",
        f"task.landed {waiting.id}",
    ]
    assert record.named("landing.cleared")[0].data == {"other": f"app/{overtaken.id}", "reason": "has landed"}
    assert not record.named("task.blocked")


async def test_it_goes_on_when_the_one_it_waits_for_is_killed(tmp_path: Path) -> None:
    fleet = await fleet_of(tmp_path, free=3)
    async with dispatching(fleet) as (_, record):
        overtaken, waiting = await one_waits(fleet, record)
        assert (await ask(fleet, record, RequestKind.KILL, f"app/{overtaken.id}")).ok
        go(fleet, waiting, 2)
        await happened(record, "task.landed", waiting)
    assert fleet.landed() == ["Third", "Second"]
    assert (overtaken.id, "killed") in failures(record)
    assert record.named("landing.cleared")[0].data["reason"] == "did not land"
    assert fleet.queue.find(waiting.id)[0] is Status.DONE  # type: ignore[index]


async def test_of_two_that_have_finished_the_younger_waits(tmp_path: Path) -> None:
    fleet = await fleet_of(tmp_path)
    async with dispatching(fleet) as (_, record):
        older, younger = await finished_together(fleet, record, "First", "Second")
        assert (await brake(fleet, record, RequestKind.THAW)).ok
        await happened(record, "task.landed", younger)
    assert fleet.landed() == ["Second", "First"]
    assert failures(record) == [(younger.id, "overtaken")]
    assert [(event.task, event.data["other"]) for event in record.named("landing.delayed")] == [
        (younger.id, f"app/{older.id}")
    ]


async def test_a_freeze_while_it_waits_holds_both_and_changes_nothing(tmp_path: Path) -> None:
    fleet = await fleet_of(tmp_path, free=3)
    async with dispatching(fleet) as (core, record):
        overtaken, waiting = await one_waits(fleet, record)
        assert (await brake(fleet, record, RequestKind.FREEZE)).ok
        go(fleet, overtaken, 2)
        await wait_for_async(lambda: "is frozen" in reason_of(fleet, overtaken, 2), "the one is held")
        await wait_for_async(lambda: "is frozen" in reason_of(fleet, waiting), "the other too")
        async with asyncio.timeout(10):
            await core.scheduler.idle.wait()
        assert fleet.landed() == ["Second"]
        assert (await brake(fleet, record, RequestKind.THAW)).ok
        go(fleet, waiting, 2)
        await happened(record, "task.landed", waiting)
    assert fleet.landed() == ["Third", "First", "Second"]
    assert failures(record) == [(overtaken.id, "overtaken"), (waiting.id, "overtaken")]


async def test_it_goes_on_waiting_after_the_orchestrator_was_killed(tmp_path: Path) -> None:
    fleet = await fleet_of(tmp_path, free=3)
    process = headless(fleet, "--json")
    try:
        overtaken, waiting = await overtaken_and_waiting(fleet)
        await asyncio.to_thread(read_until, process, '"landing.delayed"')
        await wait_for_async(lambda: "waits for" in reason_of(fleet, waiting), "its row says so")
    finally:
        process.kill()
        process.wait()
    async with dispatching(fleet) as (core, record):
        await wait_for_async(lambda: len(flights(core)) == 2, "both are in flight again")
        await wait_for_async(lambda: flights(core)[waiting.ref].ready, "the one is ready again")
        await wait_for_async(lambda: "waits for" in reason_of(fleet, waiting), "it waits")
        assert fleet.landed() == ["Second"]
        go(fleet, overtaken, 2)
        go(fleet, waiting, 2)
        await happened(record, "task.landed", waiting)
    assert fleet.landed() == ["Third", "First", "Second"]
    assert failures(record) == [(waiting.id, "overtaken")]
    assert not record.named("landing.delayed"), "it had been told"


async def test_a_freeze_over_a_restart_leaves_no_agent_unwatched(tmp_path: Path) -> None:
    fleet = await fleet_of(tmp_path, free=3)
    process = headless(fleet)
    try:
        older, younger = await committed(fleet, "First"), await committed(fleet, "Second")
        go(fleet, younger)
        await wait_for_async(lambda: fleet.landed() == ["Second"], "the younger lands", PATIENCE)
        go(fleet, older)
        await has_committed(fleet, older, 2)
        assert (await brake(fleet, Record(), RequestKind.FREEZE)).ok
    finally:
        process.kill()
        process.wait()
    async with dispatching(fleet) as (core, record):
        await wait_for_async(lambda: older.ref in flights(core), "the attempt that is over waits for no thaw")
        assert flights(core)[older.ref].attempt.number == 2
        assert flights(core)[older.ref].overtaken
        go(fleet, older, 2)
        await wait_for_async(lambda: "is frozen" in reason_of(fleet, older, 2), "it has finished, and is held")
        assert (await brake(fleet, record, RequestKind.THAW)).ok
        await happened(record, "task.landed", older)


async def test_three_on_one_line_land_in_their_order_and_each_is_overtaken_once(tmp_path: Path) -> None:
    fleet = await fleet_of(tmp_path)
    async with dispatching(fleet) as (_, record):
        tasks = await finished_together(fleet, record, "First", "Second", "Third")
        assert (await brake(fleet, record, RequestKind.THAW)).ok
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
    fleet = await fleet_of(tmp_path)
    base, knows = git(fleet.paths.repo, "rev-parse", "main").strip(), LocalScm.conflicts

    async def fails(scm: LocalScm, one: str, other: str) -> tuple[str, ...]:
        if one != base:  # which asks for the landing, not for the radar
            raise ScmError("git merge-tree was ended after 60 s")
        return await knows(scm, one, other)

    monkeypatch.setattr(LocalScm, "conflicts", fails)
    async with dispatching(fleet) as (_, record):
        older, younger = await finished_together(fleet, record, "First", "Second")
        assert (await brake(fleet, record, RequestKind.THAW)).ok
        await happened(record, "task.landed", older)
        await happened(record, "task.landed", younger)
    assert "git merge-tree was ended" in record.named("core.fault")[0].data["error"]
    assert record.named("landing.delayed") == []
