"""A task's life with real git, real processes and agents that behave as agents do."""

from __future__ import annotations

from pathlib import Path

import pytest

from omni_tui.model.task import Status
from omni_tui.store.runs import Runs
from tests.support.fleets import AGENT, QUICK, TestFleet, git, make_fleet
from tests.support.running import until_idle

STALLS_ONCE = (
    AGENT
    + """
say accepted
[ "$OMNI_ATTEMPT" = 1 ] && sleep 60
echo two > two.txt; commit "second try"
say finished
"""
)


def learning(*, first: str, then: str) -> str:
    """Return an agent that does one thing in its first attempt and another one later."""
    return f'{AGENT}say accepted\nif [ "$OMNI_ATTEMPT" = 1 ]; then {first}; else {then}; fi\nsay finished\n'


@pytest.fixture
async def fleet(tmp_path: Path) -> TestFleet:
    return await make_fleet(tmp_path)


async def test_good_work_lands_with_author_and_trailers(fleet: TestFleet) -> None:
    task = fleet.add("Write it down")
    await until_idle(fleet)
    assert fleet.landed() == ["Write it down"]
    message = git(fleet.paths.repo, "log", "-1", "--format=%an|%B", "release/omni")
    assert message.startswith("omni-tui|Write it down")
    for trailer in (f"Omni-Task: app/{task.id}", "Omni-Agent: scripted", "Omni-Model: default", "Omni-Attempt: 1"):
        assert trailer in message.splitlines()
    assert fleet.queue.find(task.id)[0] is Status.DONE  # type: ignore[index]


async def test_base_branch_is_never_written(fleet: TestFleet) -> None:
    before = git(fleet.paths.repo, "rev-parse", "main"), git(fleet.origin, "rev-parse", "main")
    fleet.add("One")
    await until_idle(fleet)
    assert (git(fleet.paths.repo, "rev-parse", "main"), git(fleet.origin, "rev-parse", "main")) == before
    assert git(fleet.origin, "rev-parse", "release/omni") == git(fleet.paths.repo, "rev-parse", "release/omni")


async def test_agent_that_exits_without_its_task_is_not_waited_for(
    fleet: TestFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omni_tui.plugins.reaction.retry.AGAIN_SECONDS", 0.5)
    fleet.agent(AGENT + "echo no session here; exit 0")
    task = fleet.add("Never taken")
    record = await until_idle(fleet)
    assert {event.data["kind"] for event in record.named("attempt.failed")} == {"handover"}
    assert fleet.queue.find(task.id)[0] is Status.BLOCKED  # type: ignore[index]
    assert "never took its task" in fleet.queue.note(task.id)
    assert "no session here" in fleet.queue.note(task.id), "its own screen says why"


async def test_silent_agent_is_ended_and_tried_again(fleet: TestFleet) -> None:
    fleet.agent(STALLS_ONCE)
    fleet.add("Stall")
    record = await until_idle(fleet)
    assert [event.data["kind"] for event in record.named("attempt.failed")] == ["stalled"]
    assert fleet.landed() == ["Stall"]


async def test_clean_exit_without_a_commit_is_repaired(fleet: TestFleet) -> None:
    fleet.agent(learning(first="true", then="echo x > x; commit x"))
    task = fleet.add("Say and do")
    record = await until_idle(fleet)
    assert [event.data["kind"] for event in record.named("attempt.failed")] == ["gate:no_commit"]
    assert "What went wrong before" in (fleet.paths.runs / task.id / "2" / "prompt.md").read_text()
    assert fleet.landed() == ["Say and do"]


async def test_how_an_agent_ended_that_committed_nothing_is_told(fleet: TestFleet) -> None:
    fleet.agent(AGENT + "say accepted; exit 3")
    task = fleet.add("Crash")
    await until_idle(fleet)
    assert "its agent exited with status 3" in fleet.queue.note(task.id)


async def test_uncommitted_work_is_kept_and_can_be_taken_over(fleet: TestFleet) -> None:
    pick = '$(grep -o "git cherry-pick HEAD..[0-9a-f]*" "$OMNI_PROMPT")'
    fleet.agent(learning(first="echo precious > kept.txt", then=pick))
    fleet.add("Forgetful")
    record = await until_idle(fleet)
    assert record.named("attempt.rescued")[0].data["ref"] == "refs/omni/rescue/0001/1"
    assert git(fleet.paths.repo, "show", "release/omni:kept.txt") == "precious"


async def test_failed_check_goes_into_the_repair_prompt(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, workspace='check = "echo looking; test ! -e broken"\n')
    fleet.agent(learning(first="echo > broken; commit bad", then="echo > fine; commit good"))
    task = fleet.add("Check me")
    record = await until_idle(fleet)
    assert [event.data["kind"] for event in record.named("attempt.failed")] == ["check"]
    assert "looking" in (fleet.paths.runs / task.id / "2" / "prompt.md").read_text()
    assert fleet.landed() == ["Check me"]
    assert "broken" not in git(fleet.paths.repo, "ls-tree", "--name-only", "release/omni").splitlines()


async def test_check_that_hangs_is_ended(tmp_path: Path) -> None:
    slow = "[check]\nminutes = 0.01\n"
    fleet = await make_fleet(tmp_path, settings=slow, workspace='check = "test ! -e 0001.txt || exec sleep 60"\n')
    task = fleet.add("Slow check")
    record = await until_idle(fleet)
    assert [event.data["passed"] for event in record.named("check.finished")] == [False, True, False]
    assert "ran longer than" in fleet.queue.note(task.id)


async def test_two_tasks_on_the_same_line_both_land(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=QUICK.replace("0.05", "5") + "[scheduler]\nslots = 2\n")
    both = f"until [ -e {tmp_path}/0001 ] && [ -e {tmp_path}/0002 ]; do sleep 0.05; done"
    change = f'say accepted\n: > {tmp_path}/$OMNI_TASK\n{both}\necho "$OMNI_TASK" > README.md\n'
    fleet.agent(AGENT + change + 'commit "$OMNI_TASK"\nsay finished\n')
    fleet.add("First")
    fleet.add("Second")
    record = await until_idle(fleet)
    assert [event.data["kind"] for event in record.named("attempt.failed")] == ["overtaken"]
    assert len(fleet.landed()) == 2


async def test_setup_failure_is_a_failure(tmp_path: Path) -> None:
    fleet = await make_fleet(
        tmp_path, settings="[scheduler]\nspares = false\n", workspace='setup = "echo no luck; exit 3"\n'
    )
    task = fleet.add("Cannot begin")
    await until_idle(fleet)
    assert "no luck" in fleet.queue.note(task.id)


async def test_task_that_no_agent_can_take_names_the_nearest(fleet: TestFleet) -> None:
    task = fleet.add("Lost", agent="scriptd")
    await until_idle(fleet)
    assert "did you mean `scripted`" in fleet.queue.note(task.id)


async def test_nothing_is_left_behind(fleet: TestFleet) -> None:
    fleet.add("Tidy")
    await until_idle(fleet)
    assert [path.name for path in fleet.paths.worktrees.iterdir() if not path.name.startswith(".")] == []
    steps = Runs(fleet.paths).latest("0001").steps()  # type: ignore[union-attr]
    assert [step.key for step in steps][:5] == ["assign", "prepare", "launch", "confirm", "watch"]
