"""What stops a night, and what pauses part of it: real agents that fail together, limits, a broken release branch."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from omni_tui.model.task import Status
from omni_tui.store.runs import Runs
from tests.support.fleets import AGENT, GOOD, QUICK, TestFleet, git, make_fleet
from tests.support.running import PATIENCE, Record, until_idle

QUIET = QUICK.replace("0.05", "1")
"""Nothing stalls."""
BAD = AGENT + "say accepted\nexit 0\n"
LIMITED_ONCE = (
    AGENT
    + """
say accepted
sign="$OMNI_WORKTREE/../../../../limited"
if [ ! -e "$sign" ]; then
    until=$(($(date +%s) + 2))
    printf '{"event": "limited", "until": %s}\\n' "$until" >> "$OMNI_EVENTS"
    echo "$until" > "$sign"
    sleep 60
fi
printf '{"event": "activity", "detail": "work"}\\n' >> "$OMNI_EVENTS"
echo "done by $OMNI_TASK" > "$OMNI_TASK.txt"
commit "do $OMNI_TASK"
say finished
"""
)


def statuses(fleet: TestFleet, *ids: str) -> list[Status | None]:
    return [found[0] if (found := fleet.queue.find(each)) else None for each in ids]


async def test_a_limit_that_one_attempt_meets_spares_the_others(tmp_path: Path) -> None:
    settings = QUIET.replace("wall_minutes = 0.5", "wall_minutes = 0.01") + "[scheduler]\nslots = 1\n"
    fleet = await make_fleet(tmp_path, settings=settings)
    fleet.agent(LIMITED_ONCE)
    tasks = [fleet.add(f"Task {number}") for number in range(3)]
    record = await until_idle(fleet)
    assert statuses(fleet, *(task.id for task in tasks)) == [Status.DONE] * 3
    assert [event.data["kind"] for event in record.named("attempt.failed")] == ["limited:rate_limit"]
    (parked,), (resumed,) = record.named("provider.parked"), record.named("provider.resumed")
    between = [event for event in record.named("attempt.started") if parked.time < event.time < parked.data["until"]]
    assert between == []
    assert resumed.time >= parked.data["until"]


async def test_a_login_that_is_not_accepted_parks_the_provider_and_says_so(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=QUIET + "[scheduler]\nslots = 1\n")
    refused = '{"event": "refused", "why": "auth", "detail": "401 Unauthorized"}'
    fleet.agent(AGENT + f"echo '{refused}' >> \"$OMNI_EVENTS\"\nsleep 60\n")
    tasks = [fleet.add(f"Task {number}") for number in range(2)]
    record = await until_idle(fleet)
    (failed,) = record.named("attempt.failed")
    assert (failed.data["kind"], failed.data["message"]) == (
        "harness:auth",
        "the harness gave up (auth): 401 Unauthorized",
    )
    (stopped,) = record.named("fleet.stopped")
    assert "does not accept our login" in stopped.data["reason"]
    assert statuses(fleet, *(task.id for task in tasks)) == [Status.TODO] * 2, "no attempt is lost to it"


async def test_too_many_failures_in_a_row_stop_the_run_and_a_thaw_goes_on(tmp_path: Path) -> None:
    settings = QUIET.replace("[limits]", "[limits]\nattempts = 1") + "[night]\nfailures = 2\n"
    fleet = await make_fleet(tmp_path, settings=settings)
    fleet.agent(BAD)
    first, second, third = (fleet.add(f"Task {number}") for number in range(3))
    record = await until_idle(fleet)
    (stopped,) = record.named("fleet.stopped")
    assert "2 attempts failed in a row" in stopped.data["reason"]
    assert record.named("core.stopped")[0].data["reason"] == stopped.data["reason"]
    assert statuses(fleet, first.id, second.id, third.id) == [Status.BLOCKED, Status.BLOCKED, Status.TODO]

    again = await until_idle(fleet)  # a restart changes nothing of it
    assert again.named("task.claimed") == []

    fleet.agent(GOOD)
    thawed = subprocess.run([sys.executable, "-m", "omni_tui", "--fleet", str(fleet.root), "thaw"])
    assert thawed.returncode == 0
    await until_idle(fleet)
    assert statuses(fleet, third.id) == [Status.DONE]


async def test_failures_that_share_a_cause_pause_what_shares_it_and_the_rest_goes_on(tmp_path: Path) -> None:
    check = 'check = "test ! -e broken || { echo FAILED tests/test_cart.py::test_total; exit 1; }"\n'
    settings = QUIET.replace("[limits]", "[limits]\nattempts = 2") + "[scheduler]\nslots = 1\n"
    fleet = await make_fleet(tmp_path, settings=settings, workspace=check)
    script = 'grep -q "A good one" "$OMNI_PROMPT" || touch broken\necho "$OMNI_TASK" > "$OMNI_TASK.txt"\n'
    fleet.agent(AGENT + "say accepted\n" + script + 'commit "do it"\nsay finished\n')
    bad = [fleet.add(f"Breaks it {number}", priority=5) for number in range(3)]
    shares = fleet.add("Shares it", priority=3, tests=("tests/test_cart.py",))
    good = fleet.add("A good one")
    record = await until_idle(fleet)
    (cause, *_) = record.named("cause.found")
    assert cause.data["sign"] == "test tests/test_cart.py::test_total"
    assert set(cause.data["tasks"]) == {task.id for task in bad}
    assert statuses(fleet, shares.id, good.id) == [Status.TODO, Status.DONE]
    assert [event for event in record.named("task.claimed") if event.task == shares.id] == []


async def test_check_that_fails_without_the_change_too_is_nobodys_fault(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=QUIET, workspace='check = "echo no cart; test -e mended"\n')
    fleet.agent(GOOD)
    first, second = fleet.add("First"), fleet.add("Second")
    record = await until_idle(fleet)
    (broken,) = record.named("workspace.broken")
    assert broken.data["reason"].endswith("exited with 1 on release/omni as it is, without any change: no cart")
    assert [event.data["kind"] for event in record.named("attempt.failed")] == ["base"]
    assert record.named("core.stopped")[0].data["reason"] == f"paused: app: {broken.data['reason']}"
    assert statuses(fleet, first.id, second.id) == [Status.TODO, Status.TODO]
    assert Runs(fleet.paths).attempts(second.id) == []


async def test_check_that_fails_by_the_change_alone_is_its_fault(tmp_path: Path) -> None:
    settings = QUIET.replace("[limits]", "[limits]\nattempts = 1")
    fleet = await make_fleet(tmp_path, settings=settings, workspace='check = "test ! -e 0001.txt"\n')
    fleet.agent(GOOD)
    task = fleet.add("First")
    record = await until_idle(fleet)
    assert record.named("workspace.broken") == []
    assert [event.data["kind"] for event in record.named("attempt.failed")] == ["check"]
    assert statuses(fleet, task.id) == [Status.BLOCKED]


@pytest.mark.parametrize("choice", ["stop", "tell"])
async def test_a_default_branch_that_moves_meanwhile(tmp_path: Path, choice: str) -> None:
    fleet = await make_fleet(tmp_path, settings=QUIET + f'[night]\nbase_moved = "{choice}"\n')
    fleet.agent(GOOD.replace("say accepted\n", f'say accepted\nuntil [ -e "{tmp_path}/moved" ]; do sleep 0.02; done\n'))
    _, second = fleet.add("First"), fleet.add("Second")
    record = Record()
    core = fleet.fleet.lead("headless", record, until_idle=True)
    running = asyncio.ensure_future(core.run())
    async with asyncio.timeout(PATIENCE):
        await record.wait(lambda event: event.event == "attempt.started")
        while not ((place := core.scheduler.place("app")) and place.base_tip):  # as it was when the run began
            await asyncio.sleep(0)
        git(fleet.origin, "commit", "-q", "--allow-empty", "-m", "theirs")
        (tmp_path / "moved").touch()
        await running
    assert "the default branch of app changed" in record.named("base.moved")[0].data["reason"]
    assert (statuses(fleet, second.id) == [Status.TODO]) is (choice == "stop")
    assert len(record.named("fleet.stopped")) == (choice == "stop")


async def test_a_merge_of_the_release_branch_is_no_surprise(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=QUIET)
    merge = 'cd "$OMNI_WORKTREE/../../../../../origin" && git merge -q --ff-only release/omni; cd -\n'
    fleet.agent(GOOD.replace("say accepted\n", "say accepted\n" + merge))
    for number in range(3):
        fleet.add(f"Task {number}")
    record = await until_idle(fleet)
    assert "Task 0" in git(fleet.origin, "log", "--format=%s", "main")
    assert len(fleet.landed()) == 3
    assert record.named("base.moved") == []
