"""`omni-tui undo` on what real attempts left: with real git, where a person goes on with it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from omni_tui.cli import run
from omni_tui.model.request import RequestKind
from tests.support.fleets import AGENT, QUICK, TestFleet, git, make_fleet
from tests.support.leftovers import nothing_left
from tests.support.running import ask, dispatching, until_idle

ONCE = f"{QUICK}attempts = 1\n"
LEAVES = (
    f"{AGENT}\nsay accepted\necho one > one.txt\ncommit first\nprintf 'a\\nb\\n' > two.txt\necho more >> README.md\n"
)
"""Commits a file, leaves another and a changed one, and ends."""
LEAVES_AT_WORK = f"{LEAVES}touch ready\nexec sleep 60\n"
BRANCH = "omni/rescued/0001/1"
RESCUE = "refs/omni/rescue/0001/1"

Cli = Callable[..., Any]


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Return what calls the program on the fleet, with `--json`, and gives its result, or its error."""

    def call(*words: str, status: int = 0) -> Any:  # noqa: ANN401 - whatever the command answers
        capsys.readouterr()
        assert run(["--fleet", str(tmp_path / "fleet"), *words, "--json"]) == status
        answer = json.loads(capsys.readouterr().out)
        return answer["error"] if status else answer["result"]

    return call


def failed(tmp_path: Path, script: str = LEAVES, settings: str = ONCE) -> TestFleet:
    """Return a fleet whose one task failed: the check does not like `one.txt`."""

    async def fail() -> TestFleet:
        fleet = await make_fleet(tmp_path, settings=settings, workspace='check = "test ! -e one.txt"\n')
        fleet.agent(script)
        fleet.add("One")
        await until_idle(fleet)
        return fleet

    return asyncio.run(fail())


def killed(tmp_path: Path) -> TestFleet:
    """Return a fleet whose one task's agent was killed by a person in the middle of its work."""

    async def kill() -> TestFleet:
        fleet = await make_fleet(tmp_path)
        fleet.agent(LEAVES_AT_WORK)
        fleet.add("One")
        async with dispatching(fleet) as (_, record):
            await record.wait(lambda event: event.event == "attempt.signal")
            async with asyncio.timeout(10):
                while not (fleet.paths.worktrees / "0001-1/ready").exists():
                    await asyncio.sleep(0.01)
            await ask(fleet, record, RequestKind.KILL, "app/0001")
        await nothing_left(fleet)
        return fleet

    return asyncio.run(kill())


def test_the_work_becomes_a_branch_where_the_repository_came_from(tmp_path: Path, cli: Cli) -> None:
    fleet = failed(tmp_path)
    before = git(fleet.paths.repo, "for-each-ref")
    found = cli("undo", "0001")
    assert (found["attempt"], found["files"], found["added"], found["removed"]) == (1, 3, 4, 0)
    assert (found["ref"], found["branch"], found["place"]) == (RESCUE, BRANCH, str(fleet.origin))
    git(fleet.origin, *found["go_on"].split()[1:])
    assert (fleet.origin / "one.txt").read_text() == "one\n"
    assert (fleet.origin / "two.txt").read_text() == "a\nb\n"
    assert git(fleet.origin, "rev-parse", "HEAD") == found["commit"]
    assert git(fleet.paths.repo, "for-each-ref") == before, "nothing in the fleet's own repository is written"


def test_a_killed_agents_work_comes_back_and_its_task_waits_again(tmp_path: Path, cli: Cli) -> None:
    killed(tmp_path)
    found = cli("undo", "0001", "--requeue")
    assert found["files"] == 4
    assert "back in todo/" in found["requeued"]
    assert [row["status"] for row in cli("list")] == ["todo"]


TAKES_OVER = f"""{AGENT}
say accepted
$(grep -o "git cherry-pick HEAD..[0-9a-f]*" "$OMNI_PROMPT") && say finished
"""


@pytest.mark.parametrize("waits", [False, True], ids=["blocked", "waiting"])
def test_its_next_agent_in_its_sandbox_can_take_the_work_over(tmp_path: Path, cli: Cli, waits: bool) -> None:
    fleet = killed(tmp_path)
    if waits:
        cli("redispatch", "0001")
    cli("undo", "0001", "--requeue")
    fleet.agent(TAKES_OVER)
    config = fleet.root / "config.toml"
    config.write_text(config.read_text().replace('kind = "off"', 'kind = "auto"'))
    asyncio.run(until_idle(fleet))
    assert git(fleet.paths.repo, "show", "release/omni:two.txt") == "a\nb"
    assert git(fleet.paths.repo, "show", "release/omni:one.txt") == "one"


def test_a_checkout_of_its_own_outlives_the_fleet(tmp_path: Path, cli: Cli) -> None:
    fleet = failed(tmp_path)
    there = tmp_path / "some where" / "back"
    found = cli("undo", "0001", "--to", str(there))
    fleet.root.rename(tmp_path / "gone")
    assert found["place"] == str(there)
    assert git(there, "status", "--porcelain", "--branch") == f"## {BRANCH}"
    assert (there / "two.txt").read_text() == "a\nb\n"
    assert git(there, "remote", "get-url", "origin") == str(fleet.origin)
    git(there, "fsck", "--strict")
    assert [entry.name for entry in there.parent.iterdir()] == ["back"]


@pytest.mark.parametrize(
    "make", [Path.mkdir, Path.touch, lambda path: path.symlink_to("/nowhere")], ids=("directory", "file", "link")
)
def test_a_checkout_is_never_made_over_something(tmp_path: Path, cli: Cli, make: Callable[[Path], object]) -> None:
    failed(tmp_path)
    make(tmp_path / "there")
    assert "something is there already" in cli("undo", "0001", "--to", str(tmp_path / "there"), status=1)["message"]


def test_where_it_cannot_be_pushed_the_command_that_fetches_it_works(tmp_path: Path, cli: Cli) -> None:
    """Here because a person has gone on with the branch of that name: never by force."""
    fleet = failed(tmp_path)
    git(fleet.origin, "branch", BRANCH)
    git(fleet.origin, "switch", "-q", BRANCH)
    found = cli("undo", "0001")
    assert found["place"] == ""
    assert "is checked out" in found["refused"]
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(fleet.origin), str(clone))
    git(clone, "switch", "-q", "main")
    git(clone, "branch", "-D", BRANCH)
    git(clone, *found["fetch"].split()[1:])
    git(clone, "switch", BRANCH)
    assert (clone / "two.txt").is_file()


def test_again_is_no_harm(tmp_path: Path, cli: Cli) -> None:
    failed(tmp_path)
    assert cli("undo", "0001") == cli("undo", "0001")


def test_a_secret_does_not_leave_by_an_undo(tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "s3cr3t-value-of-the-shop")
    fleet = failed(tmp_path, f"{AGENT}\nsay accepted\necho s3cr3t-value-of-the-shop > leak.txt\n")
    assert "holds a secret" in cli("undo", "0001")["refused"]
    assert "rescued" not in git(fleet.origin, "for-each-ref")


def test_without_a_rescue_the_attempts_branch_is_brought_back(tmp_path: Path, cli: Cli) -> None:
    failed(tmp_path, f"{AGENT}\nsay accepted\necho x > one.txt\ncommit x\n")
    found = cli("undo", "0001")
    assert found["ref"] == "refs/heads/omni/0001/1"
    assert found["files"] == 1


def test_an_earlier_attempt_is_brought_back_by_its_number(tmp_path: Path, cli: Cli) -> None:
    failed(tmp_path, settings=f"{QUICK}attempts = 2\n")
    assert cli("undo", "0001")["attempt"] == 2
    assert cli("undo", "0001", "--attempt", "1")["ref"] == RESCUE
    assert cli("undo", "0001", "--attempt", "7", status=1)["code"] == "nothing_kept"


def test_where_nothing_was_kept_it_says_what_there_is(tmp_path: Path, cli: Cli) -> None:
    fleet = failed(tmp_path, f"{AGENT}\nsay accepted\nsay finished\n")
    error = cli("undo", "0001", status=1)
    assert error["code"] == "nothing_kept"
    assert "attempt 1 left no work" in error["message"]
    assert "verdict.json" in error["fix"]
    assert str(fleet.paths.runs / "0001/1") in error["fix"]
    assert "back in todo/" in cli("undo", "0001", "--requeue")["requeued"]
    assert "no attempt yet" not in cli("undo", "0001", status=1)["message"]


def test_what_landed_is_not_undone_here(tmp_path: Path, cli: Cli) -> None:
    async def land() -> None:
        fleet = await make_fleet(tmp_path)
        fleet.add("One")
        await until_idle(fleet)

    asyncio.run(land())
    assert "git revert" in cli("undo", "0001", status=2)["fix"]
    assert "has landed" in cli("undo", "0001", "--requeue", status=2)["message"]


def test_what_a_landed_attempt_had_not_committed_is_brought_back(tmp_path: Path, cli: Cli) -> None:
    failed(tmp_path, LEAVES.replace("one.txt", "three.txt"))
    assert [row["status"] for row in cli("list")] == ["done"]
    assert cli("undo", "0001")["ref"] == RESCUE


def test_a_task_without_an_attempt_has_nothing_to_undo(tmp_path: Path, cli: Cli) -> None:
    async def wait() -> None:
        (await make_fleet(tmp_path)).add("One")

    asyncio.run(wait())
    assert "no attempt yet" in cli("undo", "0001", status=1)["message"]


def test_what_could_not_be_committed_is_named_with_its_place(
    tmp_path: Path, cli: Cli, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet = failed(tmp_path, f"{LEAVES}truncate -s 60M big.bin\n")
    found = cli("undo", "0001")
    assert found["checkout"] == str(fleet.paths.worktrees / "0001-1")
    assert run(["--fleet", str(fleet.root), "undo", "0001"]) == 0
    words = capsys.readouterr().out
    assert f"files that no commit could take are still in {found['checkout']}" in words
    assert f"go on: git -C {fleet.origin} switch {BRANCH}" in words
    assert "omni-tui redispatch app/0001" in words
