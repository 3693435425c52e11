"""Every stop of a real core leaves `HANDOFF.md`, and what it says is so."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from omni_tui.model.request import Request, RequestKind
from tests.support.fleets import AGENT, QUICK, TestFleet, git, make_fleet
from tests.support.running import Record, ask, dispatching, until_idle
from tests.support.waiting import wait_for_async

FAILS = f"{AGENT}\nsay accepted\necho half > half.txt\n"
"""Begins, commits nothing, and ends."""
WORKS = f"{AGENT}\nsay accepted\nexec sleep 60\n"


def handoff(fleet: TestFleet) -> str:
    return (fleet.root / "HANDOFF.md").read_text(encoding="utf-8")


def commands(text: str) -> str:
    """Return the commands by which the release branch is merged."""
    return text.partition("```sh\n")[2].partition("```")[0]


async def test_what_landed_can_be_merged_by_the_commands_it_gives(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path)
    fleet.add("Say \x1b[31mhello")
    await until_idle(fleet)
    text = handoff(fleet)
    assert "idle: nothing runs and nothing can start. Since" in text
    assert "(`Say hello`)" in text
    script = commands(text)
    assert f"cd {fleet.origin}" in script
    for line in script.strip().splitlines()[1:]:
        git(fleet.origin, *line.split()[1:])
    assert (fleet.origin / "0001.txt").is_file()
    assert git(fleet.origin, "branch", "--show-current") == "main"


async def test_a_run_that_stops_itself_says_why_and_what_is_blocked(tmp_path: Path) -> None:
    settings = f"{QUICK}attempts = 1\n[night]\nfailures = 1\n[scheduler]\nslots = 1\n"
    fleet = await make_fleet(tmp_path, settings=settings)
    fleet.agent(FAILS)
    fleet.add("One")
    fleet.add("Two")
    async with dispatching(fleet) as (_, record):
        await record.wait(lambda event: event.event == "core.stopped")
    text = handoff(fleet)
    assert "The run stopped itself**: 1 attempt failed in a row" in text
    assert "**app/0001 is blocked** (`One`)" in text
    assert "`omni-tui undo app/0001` (`refs/omni/rescue/0001/1`)" in text
    assert "- 1 task: the run was stopped: " in text


async def test_it_is_there_from_the_moment_at_which_the_run_stops_itself(tmp_path: Path) -> None:
    """Beside a cockpit the core goes on and waits for a person then."""
    fleet = await make_fleet(tmp_path, settings=f"{QUICK}attempts = 1\n[night]\nfailures = 1\n")
    fleet.agent(FAILS)
    fleet.add("One")
    record = Record()
    core = fleet.fleet.lead("cockpit", record)
    running = asyncio.ensure_future(core.run())
    await record.wait(lambda event: event.event == "task.blocked")
    assert not record.named("core.stopped")
    assert "The run stopped itself**: 1 attempt failed in a row" in handoff(fleet)
    await wait_for_async(lambda: "app/0001 is blocked" in handoff(fleet), "what ran at the stop has ended")
    core.stop("the test is over")
    await running
    assert "the test is over. Since" in handoff(fleet)


async def test_what_runs_is_told_with_where_it_works(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path)
    fleet.agent(WORKS)
    fleet.add("One")
    async with dispatching(fleet, stop_agents=False) as (_, record):
        await record.wait(lambda event: event.event == "attempt.signal")
    text = handoff(fleet)
    assert "the test is over" in text
    where = fleet.paths.worktrees / "0001-1"
    assert f"attempt 1 by scripted, watch (thinking); in `{where}`; `omni-tui attach app/0001`" in text
    async with dispatching(fleet) as (_, record):
        await ask(fleet, record, RequestKind.KILL, "app/0001")


async def test_what_waits_when_the_agents_are_stopped_is_not_said_to_be_frozen(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path)
    fleet.agent(WORKS)
    fleet.add("One")
    async with dispatching(fleet) as (_, record):
        await record.wait(lambda event: event.event == "attempt.signal")
    text = handoff(fleet)
    assert "- 1 task: nothing holds it back: app/0001" in text
    assert "frozen" not in text


async def test_a_command_that_does_one_thing_alone_writes_none(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path)
    core = fleet.fleet.lead("command", lambda _: None)
    await core.carry_out_alone(Request(id="r1", kind=RequestKind.FREEZE))
    assert not (fleet.root / "HANDOFF.md").exists()


async def test_where_it_cannot_be_written_the_stop_goes_on_and_says_so(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path)
    (fleet.root / "HANDOFF.md").mkdir()
    record = await until_idle(fleet)
    [fault] = record.named("core.fault")
    assert fault.data["where"] == "the hand-off"
    async with dispatching(fleet):
        pass  # the lease was released


async def test_it_holds_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "s3cr3t-value-of-the-shop")
    fleet = await make_fleet(tmp_path)
    fleet.add("Use s3cr3t-value-of-the-shop")
    await until_idle(fleet)
    assert "s3cr3t" not in handoff(fleet)


async def test_what_waited_for_a_flag_or_another_task_still_does_when_the_time_is_up(tmp_path: Path) -> None:
    """And what only waited for a slot is held by nothing any more."""
    fleet = await make_fleet(tmp_path, settings=f"{QUICK.replace('0.05', '1')}[scheduler]\nslots = 1\n")
    fleet.agent(WORKS)
    fleet.paths.flags.write_text('[search]\nstate = "off"\n')
    fleet.add("Runs")
    behind = fleet.add("Behind the flag", requires_flags=("search",))
    fleet.add("After that", depends_on=(behind.id,))
    fleet.add("Only next")
    async with dispatching(fleet) as (_, record):
        await record.wait(lambda event: event.data.get("phase") == "watch")
    text = handoff(fleet)
    assert "- 1 task: needs the flag `search` to be on, it is off" in text
    assert f"- 1 task: waits for {behind.ref}; in the end" in text
    assert "- 2 tasks: nothing holds it back: app/0001, app/0004" in text
