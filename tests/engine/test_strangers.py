"""A start finds what it did not make, or what means another thing than it did: it ends and removes nothing of that."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import psutil
import pytest

from omni_tui.latest import find_handle
from omni_tui.model.task import Status, Task
from omni_tui.model.taskfile import note_name
from omni_tui.plugins.runtime import liveness
from omni_tui.store.runs import Runs
from tests.support.fleets import AGENT, GOOD, QUICK, TestFleet, git, make_fleet
from tests.support.headless import headless, read_until
from tests.support.leftovers import no_server_left, nothing_left
from tests.support.running import PATIENCE, until_idle
from tests.support.waiting import wait_for

ONE_ATTEMPT = QUICK.replace("0.05", "5") + "attempts = 1\n"
"""What is ended from outside must not cost it."""
LEAVES_WORK = (
    AGENT + 'say accepted\n[ "$OMNI_ATTEMPT" = 1 ] || exit 1\necho begun > begun.txt\nsay begun\nexec sleep 100\n'
)


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """Start a process that has nothing to do with us."""
    with subprocess.Popen(["sleep", "1000"]) as process:
        yield process
        process.kill()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """Give a directory for a fleet whose tmux server a test may leave: it holds a pane that is a stranger's now."""
    yield tmp_path
    subprocess.run(["tmux", "-S", str(tmp_path / "fleet" / "tmux.sock"), "kill-server"], check=True)


def lives(process: subprocess.Popen[bytes]) -> bool:
    return process.poll() is None


async def orphan(directory: Path, runtime: str = "tmux") -> tuple[TestFleet, Task]:
    """Return a fleet whose dispatcher was killed while an agent had uncommitted work, and its task."""
    fleet = await make_fleet(directory, settings=ONE_ATTEMPT, runtime=runtime)
    fleet.agent(LEAVES_WORK)
    task = fleet.add("Orphan")
    process = headless(fleet, "--json")
    read_until(process, '"phase":"watch"')
    events = fleet.paths.runs / task.id / "1" / "events.jsonl"
    wait_for(lambda: b"begun" in events.read_bytes(), "the agent's work")
    process.kill()
    process.communicate()
    fleet.agent(GOOD)
    return fleet, task


def end_agent(fleet: TestFleet, task: Task) -> None:
    """End the agent with its witness, as a reboot does: nobody tells how."""
    handle = find_handle(fleet.fleet, task.ref)
    assert handle is not None
    os.kill(handle.pid, signal.SIGKILL)
    wait_for(lambda: not fleet.fleet.runtime.alive(handle), "the agent's end")


def rewrite(fleet: TestFleet, task: Task, *, pid: int, started: float, boot_id: str) -> None:
    """Have the records of the first attempt name another process."""
    run = fleet.paths.runs / task.id / "1"
    handle = find_handle(fleet.fleet, task.ref)
    assert handle is not None
    steps = run / "steps.jsonl"
    lines = [msgspec.json.decode(line) for line in steps.read_bytes().splitlines()]
    for line in lines:
        if line["key"] == "launch":
            line["result"]["handle"] |= {"pid": pid, "process_started": started, "boot_id": boot_id}
    steps.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    words = (run / "process").read_text().split()
    ticks = round(started * liveness.ticks_per_second())
    (run / "process").write_text(f"{pid} {ticks} {boot_id} {' '.join(words[3:])}\n")


async def landed_though_lost(fleet: TestFleet, task: Task) -> None:
    """Assert that the task lands in its second attempt, the first having cost nothing, and its work being kept."""
    record = await until_idle(fleet)
    assert [event.data["kind"] for event in record.named("attempt.failed")] == ["lost"]
    assert fleet.queue.find(task.id)[0] is Status.DONE  # type: ignore[index]
    assert Runs(fleet.paths).attempts(task.id) == [1, 2]
    kept = git(fleet.paths.repo, "show", f"refs/omni/rescue/{task.id}/1:begun.txt")
    assert kept == "begun"
    await nothing_left(fleet)


async def test_pid_that_means_another_process_now_is_left_alone(place: Path, stranger: subprocess.Popen[bytes]) -> None:
    fleet, task = await orphan(place)
    end_agent(fleet, task)
    rewrite(fleet, task, pid=stranger.pid, started=1.0, boot_id=liveness.boot_id())
    await landed_though_lost(fleet, task)
    assert lives(stranger)


async def test_after_a_reboot_the_same_pid_and_time_are_another_process(
    place: Path, stranger: subprocess.Popen[bytes]
) -> None:
    fleet, task = await orphan(place)
    end_agent(fleet, task)
    started = liveness.start_time(stranger.pid)
    assert started is not None
    rewrite(fleet, task, pid=stranger.pid, started=started, boot_id="00000000-0000-0000-0000-000000000000")
    await landed_though_lost(fleet, task)
    assert lives(stranger)


async def test_death_of_the_server_while_nobody_watched_costs_nothing(tmp_path: Path) -> None:
    fleet, task = await orphan(tmp_path)
    handle = find_handle(fleet.fleet, task.ref)
    assert handle is not None
    psutil.Process(handle.pid).parent().kill()  # type: ignore[union-attr]
    wait_for(lambda: not fleet.fleet.runtime.alive(handle), "the agent's end")
    await landed_though_lost(fleet, task)


async def test_child_of_the_process_runtime_is_rescued_and_queued_again(tmp_path: Path) -> None:
    fleet, task = await orphan(tmp_path, "process")
    handle = find_handle(fleet.fleet, task.ref)
    assert handle is not None
    wait_for(lambda: not fleet.fleet.runtime.alive(handle), "the agent's end: its terminal has gone")
    await landed_though_lost(fleet, task)


@pytest.fixture
async def visited(tmp_path: Path) -> AsyncIterator[tuple[TestFleet, int]]:
    """Make a fleet on whose private tmux server a person has a session; give the session's process as well."""
    fleet = await make_fleet(tmp_path, settings=ONE_ATTEMPT)
    command = ["tmux", "-S", str(fleet.root / "tmux.sock"), "-f", "/dev/null"]
    mine = [*command, "new-session", "-d", "-P", "-F", "#{pane_pid} #{pid}", "-s", "mine", "sleep", "1000"]
    pane, server = map(int, subprocess.run(mine, check=True, capture_output=True, text=True).stdout.split())
    yield fleet, pane
    os.kill(server, signal.SIGKILL)
    wait_for(lambda: not psutil.pid_exists(pane), "the end of the session")


async def test_persons_own_session_on_the_private_server_stays(visited: tuple[TestFleet, int]) -> None:
    fleet, pane = visited
    fleet.add("Beside it")
    await until_idle(fleet)
    assert fleet.landed() == ["Beside it"]
    assert psutil.Process(pane).cmdline() == ["sleep", "1000"]


async def test_directory_among_the_checkouts_that_is_nobodys_stays(tmp_path: Path) -> None:
    fleet, task = await orphan(tmp_path)
    end_agent(fleet, task)
    mine = fleet.paths.worktrees / "my-notes"
    mine.mkdir()
    (mine / "note.txt").write_text("mine")
    await until_idle(fleet)
    assert fleet.queue.find(task.id)[0] is Status.DONE  # type: ignore[index]
    assert (mine / "note.txt").read_text() == "mine"
    await no_server_left(fleet)


async def test_lost_terminal_does_not_stop_the_headless_core(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=ONE_ATTEMPT)
    fleet.agent(AGENT + 'say accepted\nwhile [ ! -e "$OMNI_WORKTREE/../../../../go" ]; do sleep 0.05; done\n' + GOOD)
    fleet.add("Go on")
    process = headless(fleet, "--json", "--until-idle")
    read_until(process, '"phase":"watch"')
    process.send_signal(signal.SIGHUP)
    (fleet.root / "go").touch()
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert fleet.landed() == ["Go on"]


async def test_an_agent_whose_steps_are_spoilt_is_ended_with_its_task(tmp_path: Path) -> None:
    fleet, task = await orphan(tmp_path)
    handle = find_handle(fleet.fleet, task.ref)
    assert handle is not None
    assert fleet.fleet.runtime.alive(handle)
    (fleet.paths.runs / task.id / "1" / "steps.jsonl").write_text("nonsense\n")
    record = await until_idle(fleet)
    assert "not a step record" in record.named("task.blocked")[0].data["reason"]
    assert not fleet.fleet.runtime.alive(handle), "no agent for a task that is not in doing/"
    found = fleet.queue.find(task.id)
    assert found is not None
    assert found[0] is Status.BLOCKED
    checkout = fleet.paths.worktrees / f"{task.id}-1"
    assert (checkout / "begun.txt").is_file()
    assert str(checkout) in found[1].with_name(note_name(found[1].name)).read_text()
