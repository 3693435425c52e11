"""Restarts: the core goes, agents stay, and the next start goes on where the last one was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from omni_tui.engine.clock import SystemClock
from omni_tui.fleet import Fleet
from omni_tui.latest import find_handle
from omni_tui.model.attempt import AttemptId
from omni_tui.model.task import Status
from omni_tui.plugins.runtime import liveness
from omni_tui.plugins.runtime.process import ProcessRuntime
from omni_tui.plugins.runtime.protocol import Handle, RuntimeSpec
from omni_tui.store.runs import Runs
from tests.support.fleets import AGENT, QUICK, make_fleet
from tests.support.headless import headless, read_until
from tests.support.running import dispatching, until_idle
from tests.support.services import service
from tests.support.waiting import wait_for_async

PATIENT = QUICK.replace("0.05", "5")
ON_SIGN = (
    AGENT
    + """
say accepted
while [ ! -e "$OMNI_WORKTREE/../../../../go" ]; do sleep 0.05; done
echo done > done.txt; commit done
say finished
"""
)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda how: how.name)
async def test_agent_survives_and_is_adopted(tmp_path: Path, how: signal.Signals) -> None:
    fleet = await make_fleet(tmp_path, settings=PATIENT)
    fleet.agent(ON_SIGN)
    task = fleet.add("Survive")
    process = headless(fleet, "--json")
    read_until(process, '"phase":"watch"')
    process.send_signal(how)
    status = process.wait()
    assert status == (-how if how is signal.SIGKILL else 0)
    handle = find_handle(fleet.fleet, task.ref)
    assert handle is not None
    assert fleet.fleet.runtime.alive(handle)
    async with dispatching(fleet) as (_, record):
        await record.wait(lambda event: event.event == "task.adopted")
        (fleet.root / "go").touch()
        await record.wait(lambda event: event.event == "task.landed")
    assert Runs(fleet.paths).attempts(task.id) == [1]
    assert fleet.landed() == ["Survive"]


async def test_the_time_before_a_restart_counts_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A budget of hours would forget it until the agent told of more tokens, or ended."""
    monkeypatch.setattr("omni_tui.engine.supervisor.USE_SECONDS", 0.0)
    fleet = await make_fleet(tmp_path, settings=PATIENT)
    spends = 'say accepted\nprintf \'{"event": "activity", "tokens": 5}\\n\' >> "$OMNI_EVENTS"\n'
    fleet.agent(ON_SIGN.replace("say accepted\n", spends))
    fleet.add("Survive")
    process = headless(fleet, "--json")
    read_until(process, '"phase":"watch"')
    process.send_signal(signal.SIGTERM)
    process.wait()
    async with dispatching(fleet) as (_, record):
        used = await record.wait(lambda event: event.event == "attempt.usage")
        assert used.data["minutes"] > 0
        (fleet.root / "go").touch()
        await record.wait(lambda event: event.event == "task.landed")


async def test_its_proxy_survives_with_it_and_ends_with_it(tmp_path: Path) -> None:
    answer = [b"wait"]
    with service(lambda _: b"HTTP/1.0 200 OK\r\n\r\n" + answer[0]) as oracle:
        reach = f'net = "proxy"\nhosts = ["127.0.0.1:{oracle.port}"]'
        fleet = await make_fleet(tmp_path, settings=PATIENT, sandbox="bwrap", reach=reach)
        asking = f'[ "$(curl -s --proxytunnel http://127.0.0.1:{oracle.port}/)" != go ]'
        fleet.agent(
            f"{AGENT}\nexport NO_PROXY= no_proxy=\nsay accepted\ncurl -s http://first.example.com\n"
            f"while {asking}; do sleep 0.05; done\ncurl -s http://second.example.com\n"
            "echo done > done.txt; commit done\nsay finished\n"
        )
        task = fleet.add("Survive")
        process = headless(fleet, "--json")
        read_until(process, '"event":"attempt.refused"')
        status = fleet.paths.run(AttemptId(task.ref, 1)) / "status.json"
        await wait_for_async(lambda: "first.example.com" in status.read_text(), "it is on the board")
        process.kill()
        process.wait()
        before = len(oracle.heard)
        await wait_for_async(lambda: len(oracle.heard) > before + 2, "it still has its way out")
        handle = find_handle(fleet.fleet, task.ref)
        assert handle is not None
        tree = psutil.Process(handle.pid).children(recursive=True)
        assert psutil.Process(handle.pid).children()[0].cmdline()[3].endswith("proxy/program.py"), "it is in its tree"
        async with dispatching(fleet) as (_, record):
            await record.wait(lambda event: event.event == "task.adopted")
            answer[0] = b"go"
            await record.wait(lambda event: event.event == "task.landed")
    assert Runs(fleet.paths).attempts(task.id) == [1]
    assert fleet.landed() == ["Survive"]
    assert [event.data["place"] for event in record.named("attempt.refused")] == ["second.example.com:80"]
    assert not [each.pid for each in tree if liveness.start_time(each.pid) is not None]


async def test_work_finished_while_nobody_watched_is_inspected_not_run_again(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=PATIENT)
    fleet.agent(ON_SIGN + "exit 0\n")
    task = fleet.add("Finish alone")
    process = headless(fleet, "--json")
    read_until(process, '"phase":"watch"')
    process.kill()
    process.wait()
    handle = find_handle(fleet.fleet, task.ref)
    assert handle is not None
    (fleet.root / "go").touch()
    await fleet.fleet.runtime.wait(handle)
    record = await until_idle(fleet)
    assert [event.attempt for event in record.named("attempt.judged")] == [1]
    assert record.named("attempt.started") == []
    assert fleet.landed() == ["Finish alone"]


async def test_what_cannot_survive_costs_no_attempt(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=PATIENT, runtime="process")
    fleet.agent(ON_SIGN)
    task = fleet.add("On a pty")
    process = headless(fleet, "--json")
    read_until(process, '"phase":"watch"')
    process.kill()
    process.wait()
    handle = find_handle(fleet.fleet, task.ref)
    assert handle is not None
    os.kill(handle.pid, signal.SIGKILL)  # with its witness, so that nobody can tell how it ended
    (fleet.root / "go").touch()
    record = await until_idle(fleet)
    assert [event.data["kind"] for event in record.named("attempt.failed")] == ["lost"]
    assert fleet.queue.find(task.id)[0] is Status.DONE  # type: ignore[index]


@pytest.mark.parametrize(("recorded", "told"), [("0", 0), ("1", None), ("129", None)])
async def test_failure_after_its_terminal_went_is_nobodys_exit_status(
    tmp_path: Path, recorded: str, told: int | None
) -> None:
    (tmp_path / "exit").write_text(f"{recorded}\n")
    handle = Handle(runtime="process", name="t-1", run_dir=str(tmp_path), pid=1, process_started=-1.0, boot_id="gone")
    assert (await ProcessRuntime(RuntimeSpec(root=tmp_path)).wait(handle)).status == told


async def test_second_process_exits_with_3(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=PATIENT)
    async with dispatching(fleet):
        other = subprocess.run(
            [sys.executable, "-m", "omni_tui", "--fleet", str(fleet.root), "--headless"], capture_output=True, text=True
        )
    assert other.returncode == 3
    assert f"process {os.getpid()}" in other.stderr


async def test_order_without_a_dispatcher_reaches_the_attempt_that_lives(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=PATIENT)
    fleet.agent(AGENT + 'say accepted\n[ "$OMNI_ATTEMPT" = 1 ] && exit 1\nexec sleep 100\n')
    task = fleet.add("Second attempt lives")
    process = headless(fleet, "--json")
    read_until(process, '"attempt":2,"phase":"watch"')
    process.kill()
    process.wait()
    handle = find_handle(fleet.fleet, task.ref)
    assert handle is not None
    assert handle.run_dir.endswith("/2")
    killed = subprocess.run([sys.executable, "-m", "omni_tui", "--fleet", str(fleet.root), "kill", task.id])
    assert killed.returncode == 0
    assert not fleet.fleet.runtime.alive(handle)


class LaterClock(SystemClock):
    """The machine's clock, an hour later."""

    def now(self) -> float:
        return super().now() + 3600


async def test_end_while_nobody_watched_is_no_stall(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=QUICK)
    fleet.agent(AGENT + "say accepted\necho done > done.txt; commit done\n")
    task = fleet.add("Ended long ago")
    process = headless(fleet, "--json")
    read_until(process, '"phase":"watch"')
    process.kill()
    process.wait()
    handle = find_handle(fleet.fleet, task.ref)
    assert handle is not None
    await fleet.fleet.runtime.wait(handle)
    fleet.fleet = Fleet(fleet.root, clock=LaterClock())
    record = await until_idle(fleet)
    assert record.named("attempt.failed") == []
    assert fleet.landed() == ["Ended long ago"]
