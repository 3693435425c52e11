"""Providers that come back: a mended login, key or file is enough, an outage costs no attempt, a poisoned task ends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from omni_tui.model.event import Event
from omni_tui.model.task import Status
from tests.support.fleets import AGENT, QUICK, TestFleet, make_fleet
from tests.support.running import PATIENCE, dispatching, until_idle
from tests.support.waiting import wait_for_async

QUIET = QUICK.replace("0.05", "1")
ONCE = QUIET.replace("[limits]", "[limits]\nattempts = 1")

DOOR = (
    AGENT
    + """
mode=$(cat "$OMNI_BASE_URL/mode")
echo "$OMNI_TASK $mode" >> "$OMNI_BASE_URL/asked"
case "$mode" in
auth|server)
    printf '{"event": "refused", "why": "%s", "detail": "scripted"}\\n' "$mode" >> "$OMNI_EVENTS"
    sleep 60 ;;
esac
case "$KEY_OF_DOOR" in *old*)
    say "refused\\", \\"why\\": \\"auth"
    sleep 60 ;;
esac
say accepted
case "$OMNI_TASK" in preflight-*) say finished; sleep 60 ;; esac
if grep -q "Poison" "$OMNI_PROMPT"; then
    printf '{"event": "refused", "why": "server", "detail": "500"}\\n' >> "$OMNI_EVENTS"
    sleep 60
fi
say tool
echo done > "$OMNI_TASK.txt"
commit "do $OMNI_TASK"
say finished
"""
)
"""An agent whose provider answers as `mode` beside the fleet says, and keeps who asked."""


def door(fleet: TestFleet, directory: Path, mode: str, more: str = "") -> Path:
    (directory / "mode").write_text(mode)
    (directory / "asked").touch()
    file = fleet.fleet.paths.providers / "door.toml"
    file.write_text(f'harness = "command"\nbase_url = "{directory}"\nkey = "KEY_OF_DOOR"\n{more}')
    fleet.agent(DOOR)
    return file


def asked(directory: Path) -> list[str]:
    return (directory / "asked").read_text().splitlines()


def place_of(fleet: TestFleet, task: str) -> Status:
    found = fleet.queue.find(task)
    assert found is not None
    return found[0]


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY_OF_DOOR", "made-up-key-0123456789")
    monkeypatch.setattr("omni_tui.policy.breaker.SERVER_SECONDS", 0.2)
    monkeypatch.setattr("omni_tui.plugins.reaction.retry.SERVER_SECONDS", 0.2)


async def test_a_touched_file_of_a_provider_is_tried_again(tmp_path: Path) -> None:
    """The run that stopped because nobody served goes on by itself, and no attempt is lost."""
    fleet = await make_fleet(tmp_path, settings=ONCE)
    file = door(fleet, tmp_path, "auth")
    task = fleet.add("One")
    async with dispatching(fleet) as (core, record):
        await record.wait(lambda event: event.event == "fleet.idle")
        assert core.scheduler.state.stopped.startswith("no provider serves: door: it does not accept our login")
        (tmp_path / "mode").write_text("ok")
        file.write_text(file.read_text())
        await record.wait(lambda event: event.event == "task.landed")
        assert core.scheduler.state.stopped == ""
    assert [event.data["provider"] for event in record.named("provider.changed")] == ["door"]
    assert record.named("attempt.failed") == []
    assert asked(tmp_path) == ["preflight-door auth", "preflight-door ok", f"{task.id} ok"]


async def test_a_touched_file_that_mends_nothing_is_tried_once(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=ONCE)
    file = door(fleet, tmp_path, "auth")
    fleet.add("One")
    async with dispatching(fleet) as (_, record):
        await record.wait(lambda event: event.event == "fleet.idle")
        file.write_text(file.read_text())
        await record.wait(lambda _: len(record.named("fleet.stopped")) == 2)
    assert asked(tmp_path) == ["preflight-door auth"] * 2
    again = await until_idle(fleet)
    assert again.named("provider.changed") == []
    assert asked(tmp_path) == ["preflight-door auth"] * 2, "a start alone mends nothing"


async def test_another_key_is_tried_at_the_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = await make_fleet(tmp_path, settings=ONCE)
    door(fleet, tmp_path, "ok", more="preflight = false\n")
    monkeypatch.setenv("KEY_OF_DOOR", "old-key-0123456789")
    task = fleet.add("One")
    first = await until_idle(fleet)
    assert [event.data["kind"] for event in first.named("attempt.failed")] == ["harness:auth"]
    assert place_of(fleet, task.id) is Status.TODO
    monkeypatch.setenv("KEY_OF_DOOR", "made-up-key-9876543210")
    second = await until_idle(fleet)
    assert [event.event for event in second.events if event.event.startswith("provider.")] == [
        "provider.changed",
        "provider.resumed",
    ]
    assert place_of(fleet, task.id) is Status.DONE
    written = b"".join(path.read_bytes() for path in (fleet.root / "journal").iterdir())
    assert b"old-key" not in written


async def test_a_check_by_hand_that_passes_closes_the_breaker(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=ONCE)
    door(fleet, tmp_path, "auth")
    fleet.add("One")
    async with dispatching(fleet) as (core, record):
        await record.wait(lambda event: event.event == "fleet.idle")
        (tmp_path / "mode").write_text("ok")
        assert await core.scheduler.supply.check("door") == "provider door serves"
        await record.wait(lambda event: event.event == "task.landed")
    assert len(record.named("provider.resumed")) == 1


async def test_another_provider_ends_the_stop(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=ONCE)
    door(fleet, tmp_path, "auth")
    other = tmp_path / "other"
    other.mkdir()
    (other / "mode").write_text("ok")
    fleet.add("One")
    async with dispatching(fleet) as (_, record):
        await record.wait(lambda event: event.event == "fleet.idle")
        (fleet.fleet.paths.providers / "other.toml").write_text(f'harness = "command"\nbase_url = "{other}"\n')
        await record.wait(lambda event: event.event == "task.landed")
    assert [event.data["provider"] for event in record.named("attempt.started")] == ["other"]


@pytest.mark.parametrize("preflight", [True, False])
async def test_an_outage_costs_no_attempt(tmp_path: Path, preflight: bool) -> None:
    """With one attempt allowed, tasks whose server failed before have landed once it serves again."""
    fleet = await make_fleet(tmp_path, settings=ONCE + "[scheduler]\nslots = 2\n")
    door(fleet, tmp_path, "ok", more="slots = 2\n" + ("" if preflight else "preflight = false\n"))
    tasks = [fleet.add(f"Task {number}") for number in range(4)]

    def break_down(event: Event) -> None:
        if event.event == ("provider.checked" if preflight else "task.claimed") and not (tmp_path / "broken").exists():
            (tmp_path / "broken").touch()
            (tmp_path / "mode").write_text("server")
        if len(record.named("provider.parked")) == 5:
            (tmp_path / "mode").write_text("ok")

    async with dispatching(fleet) as (_, record):
        record.then = break_down
        await record.wait(lambda _: len(record.named("task.landed")) == 4)
    assert {place_of(fleet, task.id) for task in tasks} == {Status.DONE}
    rows = [event.data["row"] for event in record.named("provider.parked")]
    assert rows == [1, 2, 3, 4, 5], "each pause is longer than the one before"
    failed = record.named("attempt.failed")
    assert {event.data["kind"] for event in failed} == {"harness:server"}
    if preflight:
        assert len(failed) <= 2, "only what ran when it began"


async def test_a_task_that_makes_the_server_fail_is_blocked_while_others_land(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=QUIET.replace("[limits]", "[limits]\nattempts = 2"))
    door(fleet, tmp_path, "ok")
    poison = fleet.add("Poison", priority=1)
    others = [fleet.add(f"Task {number}") for number in range(3)]
    record = await until_idle(fleet, PATIENCE * 4)
    assert place_of(fleet, poison.id) is Status.BLOCKED
    assert {place_of(fleet, task.id) for task in others} == {Status.DONE}
    (blocked,) = record.named("task.blocked")
    assert "its provider serves others, and fails it each time" in blocked.data["reason"]
    assert 3 <= len(record.named("attempt.failed")) <= 5, "only what it fails alone counts against it"
    assert os.environ["KEY_OF_DOOR"] not in str(record.events)


async def test_what_a_kill_leaves_of_a_preflight_is_cleared_away_at_the_next_start(tmp_path: Path) -> None:
    """Also where nobody needs that provider any more: its file has gone, and no task waits."""
    fleet = await make_fleet(tmp_path, settings=QUIET)
    file = door(fleet, tmp_path, "ok")
    fleet.agent(AGENT + f'echo $$ > "{tmp_path}/pid.new"; mv "{tmp_path}/pid.new" "{tmp_path}/pid"\nsleep 600\n')
    task = fleet.add("One")
    argv = [sys.executable, "-m", "omni_tui", "--fleet", str(fleet.root), "--headless"]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as owner:
        await wait_for_async((tmp_path / "pid").exists, "the preflight runs", PATIENCE)
        owner.kill()
    (left,) = fleet.paths.worktrees.glob("preflight-*")
    assert subprocess.run(["pgrep", "-f", str(fleet.paths.agents)], capture_output=True).returncode == 0
    file.unlink()
    found = fleet.queue.find(task.id)
    assert found is not None
    found[1].unlink()
    await until_idle(fleet)
    assert not left.exists()
    assert subprocess.run(["pgrep", "-f", str(fleet.paths.agents)], capture_output=True).returncode == 1
