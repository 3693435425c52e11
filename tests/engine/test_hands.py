"""What people do to a fleet by hand while it runs: files moved, edited, removed; workspaces and repositories gone."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from omni_tui.engine.order import Order, OrderKind
from omni_tui.model.brakes import Brakes, Freeze
from omni_tui.model.event import Event
from omni_tui.model.task import Status
from omni_tui.plugins.scm.imports import import_repository
from omni_tui.store.runs import Runs
from tests.support.fleets import AGENT, GOOD, QUICK, TestFleet, git, make_fleet
from tests.support.leftovers import no_server_left, nothing_left, processes
from tests.support.running import dispatching, until_idle
from tests.support.waiting import wait_for_async

PATIENT = QUICK.replace("0.05", "5")
WAITS = AGENT + "say accepted\nsleep 100\n"
IDLES = AGENT + "say accepted\nexit 0\n"


@pytest.fixture
async def fleet(tmp_path: Path) -> TestFleet:
    return await make_fleet(tmp_path, settings=PATIENT)


def named(name: str) -> Callable[[Event], bool]:
    return lambda event: event.event == name


def watching(event: Event) -> bool:
    return event.data.get("phase") == "watch"


def file_in(fleet: TestFleet, status: Status) -> Path:
    [file] = fleet.queue.files(status)
    return file


@pytest.mark.parametrize("running", [False, True], ids=["at rest", "while running"])
async def test_moved_back_by_hand_means_redispatch(fleet: TestFleet, running: bool) -> None:
    fleet.agent(IDLES)
    task = fleet.add("Again")
    await until_idle(fleet)
    blocked = file_in(fleet, Status.BLOCKED)
    fleet.agent(GOOD)
    todo = fleet.paths.queue(Status.TODO) / blocked.name
    if running:
        async with dispatching(fleet) as (_, record):
            await record.wait(named("fleet.idle"))
            blocked.rename(todo)
            await record.wait(named("task.landed"))
    else:
        blocked.rename(todo)
        await until_idle(fleet)
    assert fleet.landed() == ["Again"]
    assert Runs(fleet.paths).attempts(task.id) == [3]


async def test_done_task_moved_back_by_hand_runs_again(fleet: TestFleet) -> None:
    fleet.add("Twice")
    await until_idle(fleet)
    done = file_in(fleet, Status.DONE)
    fleet.agent(GOOD.replace("done by", "done again by"))
    done.rename(fleet.paths.queue(Status.TODO) / done.name)
    await until_idle(fleet)
    assert fleet.landed() == ["Twice", "Twice"]


@pytest.mark.parametrize("to", [Status.BLOCKED, Status.TODO, None], ids=["blocked", "todo", "removed"])
async def test_taken_out_of_doing_ends_the_agent(fleet: TestFleet, to: Status | None) -> None:
    fleet.agent(WAITS)
    fleet.add("Taken away")
    async with dispatching(fleet) as (core, record):
        await record.wait(watching)
        core.scheduler.change_state(brakes=Brakes(freezes=(Freeze(),)))
        file = file_in(fleet, Status.DOING)
        if to is None:
            file.unlink()
        else:
            file.rename(fleet.paths.queue(to) / file.name)
        await record.wait(named("task.withdrawn"))
        await wait_for_async(lambda: not core.scheduler.running, "the end of the delivery")
        await nothing_left(fleet)
        assert record.named("core.fault") == []
    assert [status for status in Status if fleet.queue.files(status)] == ([to] if to else [])


@pytest.mark.parametrize("how", ["replaced", "in place", "away for a moment"])
async def test_saved_by_an_editor_while_it_runs_it_goes_on(fleet: TestFleet, how: str) -> None:
    fleet.agent(
        AGENT
        + 'say accepted\nuntil [ -e "$OMNI_WORKTREE/../../../../go" ]; do sleep 0.05; done\necho x > x; commit x\n'
    )
    fleet.add("Edited")
    async with dispatching(fleet) as (_, record):
        await record.wait(watching)
        file = file_in(fleet, Status.DOING)
        text = file.read_text() + "\nMore words.\n"
        if how == "in place":
            file.write_text(text)
        elif how == "replaced":
            new = file.with_name(".new")
            new.write_text(text)
            new.rename(file)
        else:
            kept = file.rename(file.with_name(f"{file.name}~"))
            await wait_for_async(lambda: True, "nothing: the loop sees the file gone")
            file.write_text(text)
            kept.unlink()
        (fleet.root / "go").touch()
        await record.wait(named("task.landed"))
        assert record.named("task.withdrawn") == []
    assert "More words." in file_in(fleet, Status.DONE).read_text()


@pytest.mark.parametrize("landing", [True, False], ids=["landed", "blocked"])
async def test_spoilt_while_it_runs_it_is_put_before_a_person(fleet: TestFleet, landing: bool) -> None:
    fleet.agent((GOOD if landing else IDLES).replace("say accepted", "say accepted; sleep 0.5"))
    fleet.add("Spoilt")
    async with dispatching(fleet) as (core, record):
        await record.wait(watching)
        new = fleet.root / "new"
        new.write_text("+++\ntitle = \n+++\n")
        new.rename(file_in(fleet, Status.DOING))
        await wait_for_async(lambda: not core.scheduler.running, "the end of the delivery")
        assert record.named("core.fault") == []
    assert fleet.queue.files(Status.DOING) == []
    note = file_in(fleet, Status.BLOCKED).with_suffix(".note.md").read_text()
    assert ("landed" in note) is landing


async def test_names_that_are_taken_stop_nobody(fleet: TestFleet) -> None:
    task = fleet.add("Same name")
    name = file_in(fleet, Status.TODO).name
    for status in (Status.DOING, Status.BLOCKED):
        (fleet.paths.queue(status) / name).write_text(f'+++\nid = "other-{status}"\ntitle = "Other"\n+++\n')
    fleet.add("Fine")
    async with dispatching(fleet) as (_, record):
        await record.wait(lambda event: event.event == "task.landed" and event.task == "0002")
        await record.wait(lambda event: event.event == "task.blocked" and event.task == task.id)
        assert record.named("core.fault") == []


async def test_landed_task_whose_name_is_taken_in_done_is_not_run_again(fleet: TestFleet) -> None:
    fleet.add("Landed")
    name = file_in(fleet, Status.TODO).name
    (fleet.paths.queue(Status.DONE) / name).write_text('+++\nid = "other"\ntitle = "Other"\n+++\n')
    await until_idle(fleet)
    assert fleet.landed() == ["Landed"]
    assert "it has landed" in file_in(fleet, Status.BLOCKED).with_suffix(".note.md").read_text()


async def test_put_into_doing_while_it_runs_is_taken_up_at_once(fleet: TestFleet) -> None:
    async with dispatching(fleet) as (_, record):
        await record.wait(named("fleet.idle"))
        (fleet.paths.queue(Status.DOING) / "by-hand.md").write_text("# By hand\n")
        adopted = await record.wait(named("task.adopted"))
        await record.wait(named("task.landed"))
        assert adopted.data["reason"] == "its file was put into doing/"
    assert fleet.landed() == ["By hand"]


async def test_blocked_task_put_into_doing_begins_afresh(fleet: TestFleet) -> None:
    fleet.agent(IDLES)
    task = fleet.add("Again")
    async with dispatching(fleet) as (_, record):
        await record.wait(named("task.blocked"))
        fleet.agent(GOOD)
        blocked = file_in(fleet, Status.BLOCKED)
        blocked.rename(fleet.paths.queue(Status.DOING) / blocked.name)
        await record.wait(named("task.landed"))
    assert Runs(fleet.paths).attempts(task.id) == [3]


async def test_no_task_put_into_doing_is_told_once_and_taken_up_when_mended(fleet: TestFleet) -> None:
    async with dispatching(fleet) as (core, record):
        await record.wait(named("fleet.idle"))
        file = fleet.paths.queue(Status.DOING) / "spoilt.md"
        file.write_bytes(b"+++\nno toml\n")
        await record.wait(named("task.unreadable"))
        assert "doing/spoilt.md cannot be read" in core.scheduler.state.message
        fleet.add("Another")
        await record.wait(named("task.landed"))
        assert len(record.named("task.unreadable")) == 1
        file.write_text("# Mended\n")
        await record.wait(lambda event: event.event == "task.landed" and event.task == "spoilt")


async def test_another_name_in_doing_is_no_withdrawal(fleet: TestFleet) -> None:
    fleet.agent(
        AGENT
        + 'say accepted\nuntil [ -e "$OMNI_WORKTREE/../../../../go" ]; do sleep 0.05; done\necho x > x; commit x\n'
    )
    fleet.add("Renamed")
    async with dispatching(fleet) as (core, record):
        await record.wait(watching)
        file = file_in(fleet, Status.DOING)
        text = file.read_text()
        file.write_text(text if 'id = "' in text else f'+++\nid = "0001"\n+++\n{text}')
        file.rename(file.with_name("other-name.md"))
        [running] = core.scheduler.running.values()
        await wait_for_async(lambda: running.file == "other-name.md", "the new name")
        (fleet.root / "go").touch()
        await record.wait(named("task.landed"))
    assert file_in(fleet, Status.DONE).name == "other-name.md"


async def test_copy_of_a_running_task_in_doing_is_refused(fleet: TestFleet) -> None:
    fleet.agent(AGENT + "say accepted\nsleep 0.5\necho x > x; commit x\n")
    fleet.add("One")
    file = file_in(fleet, Status.TODO)
    text = file.read_text()
    for name in ("0001-one.md", "copy.md"):
        (fleet.paths.queue(Status.DOING) / name).write_text(
            text if 'id = "' in text else '+++\nid = "0001"\ntitle = "One"\n+++\n'
        )
    file.unlink()
    record = await until_idle(fleet)
    assert len(record.named("attempt.started")) == 1
    assert fleet.landed() == ["One"]
    assert len(fleet.queue.files(Status.BLOCKED)) == 1


async def test_file_name_that_is_no_text_stops_nobody(fleet: TestFleet) -> None:
    odd = bytes(fleet.paths.queue(Status.TODO)) + b"/odd-\xff\xfe.md"
    Path(os.fsdecode(odd)).write_bytes(b"# Odd name\n")
    fleet.add("Fine")
    record = await until_idle(fleet)
    assert "Fine" in fleet.landed()
    assert record.named("core.fault") == []


async def test_workspace_removed_while_it_runs_and_made_again(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=PATIENT)
    good = tmp_path / "good"
    shutil.copytree(fleet.paths.agents, good)
    toml = good / "scripted" / "agent.toml"
    toml.write_text(toml.read_text().replace(str(fleet.paths.agents), str(good)))
    other = fleet.fleet.paths.workspace("other")
    shutil.copytree(good, other.agents)
    await import_repository(str(fleet.origin), other.repo)
    fleet.agent(WAITS)
    fleet.add("Cut off")
    async with dispatching(fleet) as (core, record):
        await record.wait(watching)
        assert processes(fleet)
        fleet.paths.root.rename(tmp_path / "away")
        await record.wait(named("workspace.closed"))
        await wait_for_async(lambda: not processes(fleet), "the end of the agent")
        assert not [event for event in record.named("core.fault") if event.data["where"] == "scheduler"]
        (other.queue(Status.TODO) / "fine.md").write_text("# Fine\n")
        await record.wait(lambda event: event.event == "task.landed" and event.workspace == "other")
        shutil.copytree(good, fleet.paths.agents)
        await import_repository(str(fleet.origin), fleet.paths.repo)
        opened = record.named("workspace.opened")
        await record.wait(lambda event: event not in opened and event.event == "workspace.opened")
        (fleet.paths.queue(Status.TODO) / "back.md").write_text("# Back\n")
        await record.wait(lambda event: event.event == "task.landed" and event.workspace == "app")
        assert core.scheduler.place("app") is not None
    await no_server_left(fleet)


async def test_repository_taken_away_blocks_the_task_and_says_so(fleet: TestFleet) -> None:
    fleet.agent(AGENT + 'say accepted\nuntil [ -e "$OMNI_WORKTREE/../../../../go" ]; do sleep 0.05; done\necho x > x\n')
    task = fleet.add("Orphaned")
    async with dispatching(fleet) as (core, record):
        await record.wait(watching)
        fleet.paths.repo.rename(fleet.root / "away.git")
        (fleet.root / "go").touch()
        await record.wait(named("task.blocked"))
        await wait_for_async(lambda: not core.scheduler.running, "the end of the delivery")
        assert processes(fleet) == []
    assert fleet.queue.find(task.id)[0] is Status.BLOCKED  # type: ignore[index]
    assert "repo.git" in fleet.queue.note(task.id)


async def test_runs_taken_away_blocks_the_task_and_ends_its_agent(fleet: TestFleet) -> None:
    fleet.agent(WAITS)
    task = fleet.add("Without a record")
    async with dispatching(fleet) as (core, record):
        await record.wait(watching)
        running = core.scheduler.running[task.ref]
        shutil.rmtree(fleet.paths.runs)
        running.box.give(Order(OrderKind.KILL, "killed"))
        await record.wait(named("task.blocked"))
        await wait_for_async(lambda: not processes(fleet), "the end of the agent")
    await no_server_left(fleet)
    assert fleet.queue.find(task.id)[0] is Status.BLOCKED  # type: ignore[index]


async def test_agent_changed_between_attempts_counts(fleet: TestFleet) -> None:
    fleet.agent(IDLES)
    fleet.add("Two agents")
    async with dispatching(fleet) as (_, record):
        await record.wait(named("attempt.started"))
        fleet.agent(GOOD, name="better")
        shutil.rmtree(fleet.paths.agents / "scripted")
        await record.wait(named("task.landed"))
    assert [event.data["agent"] for event in record.named("attempt.started")] == ["scripted", "better"]


async def test_same_ids_in_two_workspaces_do_not_meet(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=PATIENT + "[scheduler]\nslots = 2\n")
    other = fleet.fleet.paths.workspace("other")
    shutil.copytree(fleet.paths.agents, other.agents)
    await import_repository(str(fleet.origin), other.repo)
    for folder in (fleet.paths.queue(Status.TODO), other.queue(Status.TODO)):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "0001-same.md").write_text(f"# Same {folder.parts[-3]}\n")
    record = await until_idle(fleet)
    assert sorted(str(event.workspace) for event in record.named("task.landed")) == ["app", "other"]
    for repo in (fleet.paths.repo, other.repo):
        assert len(git(repo, "log", "--format=%s", "main..release/omni").splitlines()) == 1
