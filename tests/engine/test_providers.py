"""Providers in a running fleet: real agents that are turned away, tried, slowed and stopped by budgets."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from omni_tui.model.brakes import Brakes, Freeze
from omni_tui.model.event import Event
from omni_tui.model.request import RequestKind
from omni_tui.model.state import FleetState
from omni_tui.model.task import Status
from omni_tui.store.state import write_state
from tests.support.fleets import AGENT, GOOD, QUICK, TestFleet, git, make_fleet
from tests.support.running import PATIENCE, Record, ask, dispatching, reasons, until_idle

QUIET = QUICK.replace("0.05", "1")
"""Nothing stalls."""

DOOR = (
    AGENT
    + """
mode=$(cat "$OMNI_BASE_URL/mode")
echo "$OMNI_TASK $mode" >> "$OMNI_BASE_URL/asked"
case "$mode" in
429)
    printf '{"event": "limited", "until": %s, "detail": "429"}\\n' "$(($(date +%s) + 3))" >> "$OMNI_EVENTS"
    echo 401 > "$OMNI_BASE_URL/mode"
    sleep 60 ;;
401)
    printf '{"event": "refused", "why": "auth", "detail": "401 Unauthorized"}\\n' >> "$OMNI_EVENTS"
    sleep 60 ;;
esac
say accepted
case "$OMNI_TASK" in preflight-*) say finished; sleep 60 ;; esac
echo "$KEY_OF_DOOR" | wc -c > "$OMNI_TASK.txt"
commit "do $OMNI_TASK"
say finished
"""
)
"""An agent whose provider answers as `mode` beside the fleet says, and keeps who asked."""


def door(fleet: TestFleet, directory: Path, mode: str, name: str = "door", more: str = "") -> None:
    """Make a provider whose address is `directory`, and the agent that asks it."""
    (directory / "mode").write_text(mode)
    (directory / "asked").touch()
    settings = f'harness = "command"\nbase_url = "{directory}"\nkey = "KEY_OF_DOOR"\n{more}'
    (fleet.fleet.paths.providers / f"{name}.toml").write_text(settings)
    fleet.agent(DOOR)


def asked(directory: Path) -> list[str]:
    return (directory / "asked").read_text().split("\n")[:-1]


def command(fleet: TestFleet, *words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "omni_tui", "--fleet", str(fleet.root), *words]
    return subprocess.run(argv, capture_output=True, text=True, timeout=PATIENCE * 2)


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY_OF_DOOR", "made-up-key-0123456789")
    monkeypatch.setattr("omni_tui.policy.breaker.SLACK_SECONDS", 0.2)


async def test_a_provider_that_answers_429_then_401_then_heals(tmp_path: Path) -> None:
    """It is parked, stopped and back, and nothing is retried in vain."""
    settings = QUIET.replace("wall_minutes = 0.5", "wall_minutes = 0.03") + "[scheduler]\nslots = 2\n"
    fleet = await make_fleet(tmp_path, settings=settings)
    door(fleet, tmp_path, "429", more="slots = 1\n")
    (tmp_path / "mode").write_text("ok")
    tasks = [fleet.add(f"Task {number}") for number in range(3)]

    def break_down(event: Event) -> None:
        if event.event == "provider.checked" and event.data["passed"]:
            (tmp_path / "mode").write_text("429")

    record = Record()
    record.then = break_down
    async with asyncio.timeout(PATIENCE * 2):
        await fleet.fleet.lead("headless", record, until_idle=True).run()

    limit, login = record.named("provider.parked")
    assert (limit.data["reason"], login.data["reason"]) == (
        "its usage limit is reached",
        "it does not accept our login",
    )
    assert login.time >= limit.data["until"], "nobody asked before the limit's end"
    assert [event.data["passed"] for event in record.named("provider.checked")] == [True, False]
    (stopped,) = record.named("fleet.stopped")
    assert stopped.data["reason"].startswith("no provider serves: door: it does not accept our login")
    assert asked(tmp_path) == ["preflight-door ok", f"{tasks[0].id} 429", "preflight-door 401"]
    refused = command(fleet, "provider", "check", "door")
    assert refused.returncode == 1
    assert "mend its file, key or login" in refused.stderr
    shown = command(fleet, "provider", "list").stdout
    assert "open" in shown
    assert "it does not accept our login" in shown

    (tmp_path / "mode").write_text("ok")
    assert command(fleet, "thaw").returncode == 0
    healed = await until_idle(fleet)
    assert [event.data["passed"] for event in healed.named("provider.checked")] == [True]
    assert [fleet.queue.find(task.id)[0] for task in tasks] == [Status.DONE] * 3  # type: ignore[index]
    assert asked(tmp_path)[-4:] == ["preflight-door ok", *(f"{task.id} ok" for task in tasks)]
    failed = [*record.named("attempt.failed"), *healed.named("attempt.failed")]
    assert [event.data["kind"] for event in failed] == ["limited:rate_limit"], "no attempt was lost to the login"


async def test_a_preflight_leaves_nothing_but_its_run(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=QUIET)
    door(fleet, tmp_path, "ok")
    fleet.add("One")
    record = await until_idle(fleet)
    (checked,) = record.named("provider.checked")
    (started,) = record.named("attempt.started")
    assert checked.data["passed"]
    assert checked.data["seconds"] < 20
    assert checked.time <= started.time
    assert started.data["provider"] == "door"
    assert [path.name for path in fleet.paths.worktrees.iterdir() if path.name.startswith("preflight")] == []
    assert git(fleet.paths.repo, "branch", "--list", "omni/preflight*") == ""
    assert fleet.landed() == ["One"]


@pytest.mark.parametrize(
    ("script", "words"),
    [
        pytest.param(None, "no program", id="no program"),
        pytest.param("#!/nonexistent/sh\n", "could not be run (exit status 127)", id="it cannot be run"),
        pytest.param(AGENT + "echo no such model; exit 3\n", "no such model", id="it exits at once"),
    ],
)
async def test_a_preflight_that_fails_says_why_at_once_and_costs_no_attempt(
    tmp_path: Path, script: str | None, words: str
) -> None:
    fleet = await make_fleet(tmp_path, settings=QUIET)
    door(fleet, tmp_path, "ok")
    program = fleet.paths.agents / "scripted" / "agent.sh"
    if script is None:
        program.unlink()
    else:
        program.write_text(script)
    task = fleet.add("One")
    async with dispatching(fleet) as (_, record):
        checked = await record.wait(lambda event: event.event == "provider.checked")
        parked = await record.wait(lambda event: event.event == "provider.parked")
    assert not checked.data["passed"]
    assert words in parked.data["reason"]
    assert checked.data["seconds"] < 10
    assert record.named("task.claimed") == []
    assert fleet.queue.find(task.id)[0] is Status.TODO  # type: ignore[index]


async def test_a_frozen_fleet_tries_nobody(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=QUIET)
    door(fleet, tmp_path, "ok")
    write_state(fleet.root, FleetState(brakes=Brakes(freezes=(Freeze(),))))
    task = fleet.add("One")
    async with dispatching(fleet) as (core, record):
        await record.wait(lambda event: event.event == "fleet.idle")
        assert reasons(core.scheduler.state)[str(task.ref)] == "door: a preflight tries first whether it serves"
        await ask(fleet, record, RequestKind.THAW)
        checked = await record.wait(lambda event: event.event == "provider.checked")
        await record.wait(lambda event: event.event == "task.landed")
    assert checked.time >= record.named("fleet.thawed")[0].time
    assert asked(tmp_path) == ["preflight-door ok", f"{task.id} ok"]


async def test_no_more_agents_at_once_than_the_provider_has_slots(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=QUIET + "[scheduler]\nslots = 4\n")
    door(fleet, tmp_path, "ok", more="slots = 2\npreflight = false\n")
    script = GOOD.replace("say accepted\n", f'say accepted\nuntil [ -e "{tmp_path}/go" ]; do sleep 0.05; done\n')
    fleet.agent(script)
    for number in range(5):
        fleet.add(f"Task {number}")
    most = 0
    async with dispatching(fleet) as (core, record):
        await record.wait(lambda _: len(record.named("attempt.started")) == 2)
        await record.wait(lambda _: bool(reasons(core.scheduler.state)))
        assert len(core.scheduler.running) == 2
        assert {"door: it serves 2 at once, and does"} == set(reasons(core.scheduler.state).values())
        (tmp_path / "go").touch()
        await record.wait(lambda event: event.event == "fleet.idle" and bool(record.named("task.landed")))
        alive = 0
        for event in record.events:
            alive += {"attempt.started": 1, "attempt.judged": -1, "attempt.failed": -1}.get(event.event, 0)
            most = max(most, alive)
    assert len(fleet.landed()) == 5
    assert most == 2


async def test_a_file_is_a_provider_at_once_and_a_bad_one_is_left_aside(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=QUIET)
    async with dispatching(fleet) as (core, record):
        door(fleet, tmp_path, "ok", more="slots = 1\n")
        await record.wait(lambda event: event.event == "config.taken" and event.data["file"] == "providers/")
        (fleet.fleet.paths.providers / "door.toml").write_text("slots = 1\nslot = 2\n")
        refused = await record.wait(lambda event: event.event == "config.refused")
        assert "door.toml:2: unknown key `slot`; the nearest is `slots`" in refused.data["error"].replace("\n", " ")
        assert "the last good providers stay in force" in core.scheduler.state.message
        assert fleet.fleet.suppliers.now()["door"].slots == 1
        fleet.add("One")
        await record.wait(lambda event: event.event == "task.landed")


async def test_a_preflight_that_is_cut_short_leaves_no_process(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=QUIET)
    door(fleet, tmp_path, "ok")
    pid = tmp_path / "pid"
    fleet.agent(AGENT + f'echo $$ > "{pid}.new"; mv "{pid}.new" "{pid}"\nsleep 600\n')
    fleet.add("One")
    async with dispatching(fleet):
        async with asyncio.timeout(PATIENCE):
            while not pid.exists():
                await asyncio.sleep(0.02)
    handles = list((fleet.paths.runs / "preflight-door").glob("*/"))
    assert handles
    found = subprocess.run(["pgrep", "-f", str(fleet.paths.agents)], capture_output=True, text=True)
    assert found.stdout == ""


async def test_load_that_a_former_owner_told_of_keeps_no_provider_from_being_tried(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=QUIET)
    door(fleet, tmp_path, "ok")
    write_state(fleet.root, FleetState(load="100 MB of memory are available (limit 512 MB)"))
    fleet.add("Untried")
    async with dispatching(fleet) as (core, record):
        await record.wait(lambda event: event.event == "task.landed")
        assert core.scheduler.state.load == ""
