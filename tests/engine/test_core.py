"""The core while it runs: what changes under it, what is asked of it, and who else wants its fleet."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path

import pytest

from omni_tui.errors import LeaseHeldError
from omni_tui.latest import find_handle
from omni_tui.model.request import RequestKind
from omni_tui.model.task import Status, TaskRef
from omni_tui.narration import narrate
from omni_tui.plugins.scm.imports import import_repository
from omni_tui.store.state import read_state
from tests.support.fleets import AGENT, GOOD, QUICK, TestFleet, make_fleet
from tests.support.running import PATIENCE, Record, ask, dispatching, reasons, until_idle

WAITS = AGENT + "say accepted\nexec sleep 100\n"


@pytest.fixture
async def fleet(tmp_path: Path) -> TestFleet:
    return await make_fleet(tmp_path, settings=QUICK.replace("0.05", "5"))


async def test_file_dropped_by_hand_is_seen_at_once(fleet: TestFleet) -> None:
    async with dispatching(fleet) as (_, record):
        await record.wait(lambda event: event.event == "fleet.idle")
        dropped = time.time()
        (fleet.paths.queue(Status.TODO) / "by-hand.md").write_text("# Do it\n")
        claimed = await record.wait(lambda event: event.event == "task.claimed")
        assert claimed.task == "by-hand"
        assert claimed.time - dropped < 0.1


async def test_what_is_no_task_is_put_aside_and_stops_nobody(fleet: TestFleet) -> None:
    todo = fleet.paths.queue(Status.TODO)
    (todo / "broken.md").write_text("+++\ntitle = \n+++\n")
    (todo / "binary.md").write_bytes(b"\xff\xfe\x00")
    (todo / "away.md").symlink_to("/etc/passwd")
    fleet.add("Fine")
    record = await until_idle(fleet)
    assert sorted(event.data["file"] for event in record.named("task.refused")) == ["away.md", "binary.md", "broken.md"]
    blocked = fleet.paths.queue(Status.BLOCKED)
    assert "TOML" in (blocked / "broken.note.md").read_text() or "title" in (blocked / "broken.note.md").read_text()
    assert fleet.landed() == ["Fine"]


async def test_kill_ends_the_tree_and_blocks_the_task(fleet: TestFleet) -> None:
    fleet.agent(WAITS)
    task = fleet.add("To be killed")
    async with dispatching(fleet) as (_, record):
        await record.wait(lambda event: event.data.get("phase") == "watch")
        handle = find_handle(fleet.fleet, task.ref)
        reply = await ask(fleet, record, RequestKind.KILL, str(task.ref))
        assert reply.ok
        assert handle is not None
        assert not fleet.fleet.runtime.alive(handle)
    assert fleet.queue.find(task.id)[0] is Status.BLOCKED  # type: ignore[index]
    assert record.named("attempt.killed")[0].data["receipt"]["survivors"] == ()


async def test_redispatch_gives_fresh_attempts(fleet: TestFleet) -> None:
    fleet.agent(AGENT + "say accepted\n")
    task = fleet.add("Again")
    await until_idle(fleet)
    fleet.agent(GOOD)
    async with dispatching(fleet) as (_, record):
        reply = await ask(fleet, record, RequestKind.REDISPATCH, str(task.ref))
        assert reply.ok
        landed = await record.wait(lambda event: event.event == "task.landed")
        assert landed.task == task.id


@pytest.mark.parametrize("name", ["0001", "0001-spoilt"], ids=["by its id", "as it is shown"])
async def test_redispatch_of_a_file_that_cannot_be_read_says_what_is_wrong_with_it(fleet: TestFleet, name: str) -> None:
    fleet.agent(AGENT + "say accepted\n")
    fleet.add("Spoilt")
    await until_idle(fleet)
    [file] = fleet.queue.files(Status.BLOCKED)
    whole = file.read_bytes()
    async with dispatching(fleet) as (_, record):
        await record.wait(lambda event: event.event == "fleet.idle")
        file.write_text("+++\ntitle = \n+++\n")
        refused = await ask(fleet, record, RequestKind.REDISPATCH, f"app/{name}")
        assert not refused.ok
        assert "app/queue/blocked/0001-spoilt.md, line 2: it cannot be read as a task: bad TOML" in refused.message
        assert "mend the head between the `+++`, then try again" in refused.message
        assert fleet.queue.files(Status.BLOCKED) == [file]
        file.write_bytes(whole)
        assert (await ask(fleet, record, RequestKind.REDISPATCH, "app/0001")).ok


async def test_an_agent_whose_file_has_become_unreadable_can_be_killed_but_not_redispatched(fleet: TestFleet) -> None:
    fleet.agent(WAITS)
    fleet.add("Spoilt")
    async with dispatching(fleet) as (_, record):
        await record.wait(lambda event: event.data.get("phase") == "watch")
        [file] = fleet.queue.files(Status.DOING)
        file.write_text("+++\ntitle = \n+++\n")
        refused = await ask(fleet, record, RequestKind.REDISPATCH, "app/0001-spoilt")
        assert not refused.ok
        assert "0001-spoilt.md, line 2: it cannot be read as a task" in refused.message
        assert record.named("attempt.killed") == []
        killed = await ask(fleet, record, RequestKind.KILL, "app/0001-spoilt")
        assert killed.ok, killed.message
        assert len(record.named("attempt.killed")) == 1
        assert [path.name for path in fleet.queue.files(Status.BLOCKED)] == ["0001-spoilt.md"]


async def test_that_there_is_no_sandbox_is_told_and_stays_told(fleet: TestFleet) -> None:
    async with dispatching(fleet) as (_, record):
        await record.wait(lambda event: event.event == "fleet.unguarded")
        assert [event.event for event in record.events][:2] == ["core.started", "fleet.unguarded"]
        assert read_state(fleet.root).unguarded
    config = fleet.root / "config.toml"
    config.write_text(config.read_text().replace('kind = "off"', 'kind = "auto"'))
    fleet.fleet.reload()
    async with dispatching(fleet) as (_, record):
        await record.wait(lambda event: event.event == "workspace.opened")
        assert record.named("fleet.unguarded") == []
        assert not read_state(fleet.root).unguarded


async def test_freeze_starts_nothing_and_lasts(fleet: TestFleet) -> None:
    async with dispatching(fleet) as (core, record):
        assert (await ask(fleet, record, RequestKind.FREEZE)).ok
        task = fleet.add("Not now")
        async with asyncio.timeout(PATIENCE):
            while "frozen" not in reasons(core.scheduler.state).get(str(task.ref), ""):
                await asyncio.sleep(0)
    async with dispatching(fleet) as (core, record):
        assert core.scheduler.state.frozen
        assert (await ask(fleet, record, RequestKind.THAW)).ok
        await record.wait(lambda event: event.event == "task.landed")


async def test_a_frozen_fleet_is_idle_once_nothing_runs_and_says_what_ends_that(fleet: TestFleet) -> None:
    async with dispatching(fleet) as (_, record):
        await ask(fleet, record, RequestKind.FREEZE)
    task = fleet.add("Not now")
    record = await until_idle(fleet)
    [started], [idle], [stopped] = map(record.named, ("core.started", "fleet.idle", "core.stopped"))
    assert narrate(started).endswith("but frozen: nothing starts before omni-tui thaw")
    assert narrate(idle).endswith("nothing can start: the fleet is frozen, and tasks wait: `omni-tui thaw` goes on")
    assert stopped.data["reason"] == idle.data["reason"]
    assert fleet.queue.find(task.id)[0] is Status.TODO  # type: ignore[index]


async def test_a_freeze_waits_for_what_runs_but_not_for_what_would_be_tried_again(
    fleet: TestFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omni_tui.plugins.reaction.retry.AGAIN_SECONDS", 1000.0)
    fleet.agent(AGENT + 'until [ -e "$OMNI_WORKTREE/../../../../go" ]; do sleep 0.05; done\nexit 0\n')
    task = fleet.add("Again, in a while")
    async with dispatching(fleet) as (core, record):
        await record.wait(lambda event: event.event == "attempt.started")
        await ask(fleet, record, RequestKind.FREEZE)
        assert not core.scheduler.idle.is_set()
        (fleet.fleet.paths.root / "go").touch()
        idle = await record.wait(lambda event: event.event == "fleet.idle")
        assert "omni-tui thaw" in idle.data["reason"]
        assert record.named("attempt.failed")
    assert fleet.queue.find(task.id)[0] is Status.TODO  # type: ignore[index]


async def test_a_frozen_fleet_without_tasks_is_just_idle(fleet: TestFleet) -> None:
    async with dispatching(fleet) as (_, record):
        await ask(fleet, record, RequestKind.FREEZE)
    record = await until_idle(fleet)
    assert record.named("core.stopped")[0].data["reason"].startswith("idle")


async def test_request_for_a_task_that_is_not_there_is_refused(fleet: TestFleet) -> None:
    async with dispatching(fleet) as (_, record):
        reply = await ask(fleet, record, RequestKind.KILL, "app/nope")
        assert not reply.ok
        assert "no such task" in reply.message


async def test_changed_configuration_is_in_force_and_a_bad_one_is_not(fleet: TestFleet) -> None:
    config = fleet.fleet.paths.config
    good = config.read_text()
    async with dispatching(fleet) as (core, record):
        config.write_text(good + "\n[scheduler]\nslots = 3\n")
        await record.wait(lambda event: event.event == "config.taken")
        assert fleet.fleet.settings.scheduler.slots == 3
        config.write_text(good + "\n[scheduler]\nslotz = 4\n")
        refused = await record.wait(lambda event: event.event == "config.refused")
        assert "slots" in refused.data["error"]
        assert fleet.fleet.settings.scheduler.slots == 3
        assert "slotz" in core.scheduler.state.message


async def test_second_dispatcher_is_told_who_holds_the_lease(fleet: TestFleet) -> None:
    async with dispatching(fleet):
        with pytest.raises(LeaseHeldError, match="process"):
            fleet.fleet.lead("headless", Record())


async def test_workspace_made_while_running_is_opened(fleet: TestFleet) -> None:
    async with dispatching(fleet) as (_, record):
        await record.wait(lambda event: event.event == "workspace.opened")
        paths = fleet.fleet.paths.workspace("other")
        shutil.copytree(fleet.paths.agents, paths.agents)
        await import_repository(str(fleet.origin), paths.repo)
        await record.wait(lambda event: event.event == "workspace.opened" and event.workspace == "other")


async def test_stop_agents_puts_the_task_back(fleet: TestFleet) -> None:
    fleet.agent(WAITS)
    task = fleet.add("Interrupted")
    async with dispatching(fleet, stop_agents=True) as (_, record):
        await record.wait(lambda event: event.data.get("phase") == "watch")
    assert fleet.queue.find(task.id)[0] is Status.TODO  # type: ignore[index]


async def test_dependency_is_waited_for(fleet: TestFleet) -> None:
    first = fleet.add("First")
    fleet.add("Second", depends_on=[first.id], priority=9)
    await until_idle(fleet)
    assert fleet.landed() == ["Second", "First"]


async def test_tasks_go_to_agents_in_turn(fleet: TestFleet) -> None:
    fleet.agent(GOOD, name="another")
    for title in ("One", "Two"):
        fleet.add(title)
    record = await until_idle(fleet)
    assert [event.data["agent"] for event in record.named("attempt.started")] == ["another", "scripted"]


def test_place_of_an_unknown_workspace(fleet: TestFleet) -> None:
    assert find_handle(fleet.fleet, TaskRef("app", "none")) is None
