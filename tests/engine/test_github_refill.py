"""A queue that is refilled from GitHub: a scripted API, the real core, real agents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from omni_tui.cli import run
from omni_tui.model.request import RequestKind
from omni_tui.model.task import Status
from tests.support.fleets import AGENT, QUICK, TestFleet, git, make_fleet
from tests.support.github_api import TOKEN, Fault, GithubApi
from tests.support.github_source import quick_api
from tests.support.running import ask, dispatching, until_idle
from tests.support.waiting import wait_for_async

VARIABLE = "ISSUES_OF_SHOP"
"""Nothing in its name says that it holds a secret."""

LEAKS = (
    AGENT
    + """
say accepted
env > "$OMNI_TASK.txt"
commit "do $OMNI_TASK"
say finished
"""
)
"""An agent that lands all that it can see of its environment."""

FAILS = AGENT + 'say accepted\necho "$OMNI_TASK: it cannot be done"\nexit 3\n'


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[GithubApi]:
    monkeypatch.setenv(VARIABLE, TOKEN)
    with quick_api(monkeypatch) as running:
        yield running


def workspace(api: GithubApi, *, refill: str = "least_minutes = 0.005\nmost_minutes = 0.01", more: str = "") -> str:
    table = f'kind = "github"\nrepo = "acme/shop"\napi = "{api.url}"\ntoken = "{VARIABLE}"\n{more}'
    return f"[refill]\n{refill}\n[[sources]]\n{table}\n"


def comments(api: GithubApi, number: int) -> list[str]:
    return [comment["body"] for comment in api.repo.issues[number].comments]


def everything_written(fleet: TestFleet) -> bytes:
    """Return every byte below the fleet but git's own."""
    files = (path for path in fleet.root.rglob("*") if path.is_file() and "repo.git" not in path.parts)
    return b"".join(path.read_bytes() for path in files)


async def test_issues_land_and_hear_of_it(tmp_path: Path, api: GithubApi) -> None:
    api.repo.open("Say hello", "In `hello.txt`.")
    api.repo.open("A stranger's wish", association="NONE")
    api.repo.open("Say goodbye", labels=("omni", "P0"))
    fleet = await make_fleet(tmp_path, workspace=workspace(api, more='first = ["P0"]\ntell = "label"\n'))
    record = await until_idle(fleet)
    assert [event.data["key"].rpartition("#")[2] for event in record.named("task.offered")] == ["3", "1"]
    assert len(fleet.landed()) == 2
    (text,) = comments(api, 1)
    assert "landed on release/omni" in text
    assert comments(api, 2) == []
    assert api.repo.issues[1].labels == ["omni", "omni:landed"]
    assert {issue.state for issue in api.repo.issues.values()} == {"open"}
    again = await until_idle(fleet)
    assert not again.named("task.offered")
    assert len(comments(api, 1)) == 1


async def test_a_blocked_task_tells_why(tmp_path: Path, api: GithubApi) -> None:
    api.repo.open("Say hello")
    settings = QUICK.replace("[limits]", "[limits]\nattempts = 1\nrepairs = 0")
    fleet = await make_fleet(tmp_path, settings=settings, workspace=workspace(api))
    fleet.agent(FAILS)
    await until_idle(fleet)
    (task_id,) = fleet.queue.ids(Status.BLOCKED)
    (text,) = comments(api, 1)
    assert "could not finish this" in text
    assert fleet.queue.note(task_id).partition("\n")[0] in text


async def test_what_is_unchanged_costs_nothing_of_the_limit(tmp_path: Path, api: GithubApi) -> None:
    api.repo.open("A stranger's wish", association="NONE")
    fleet = await make_fleet(tmp_path, workspace=workspace(api))
    async with dispatching(fleet) as (core, _):
        await wait_for_async(lambda: api.statuses.count(304) >= 3, "three polls that found nothing new", 30)
        assert api.spent == 1
        (note,) = core.scheduler.state.sources
        assert note.said == "it offers nothing; #1: not by a member or collaborator, nor one of `authors`"
    asked = len(api.asked)
    async with dispatching(fleet):
        await wait_for_async(lambda: len(api.asked) > asked, "a poll after a restart", 30)
        assert api.statuses[asked:] == [304] * (len(api.asked) - asked), "what it knew outlives a restart"


async def test_a_limit_pauses_the_asking_until_it_is_over(tmp_path: Path, api: GithubApi) -> None:
    api.repo.open("Say hello")
    api.fail(Fault(429, {"message": "slow down"}, {"Retry-After": "3"}))
    fleet = await make_fleet(tmp_path, workspace=workspace(api))
    async with dispatching(fleet) as (_, record):
        failed = await record.wait(lambda event: event.event == "source.failed")
        offered = await record.wait(lambda event: event.event == "task.offered")
    assert offered.time >= failed.data["until"]
    assert api.statuses[:2] == [429, 200], "nothing was asked in between"
    assert api.asked[1].at - api.asked[0].at >= 3
    assert len(record.named("source.answered")) == 1


async def test_a_bad_token_is_told_once_and_thawed(tmp_path: Path, api: GithubApi) -> None:
    api.repo.open("Say hello")
    api.tokens = set()
    fleet = await make_fleet(tmp_path, workspace=workspace(api))
    async with dispatching(fleet) as (core, record):
        failed = await record.wait(lambda event: event.event == "source.failed")
        assert f"the token in {VARIABLE} is not valid" in failed.data["error"]
        assert failed.data["until"] is None
        fleet.add("Something of our own")
        await record.wait(lambda event: event.event == "task.landed")
        await wait_for_async(core.scheduler.idle.is_set, "everything at rest")
        assert api.statuses == [401], "asking again would be vain"
        api.tokens = {TOKEN}
        await ask(fleet, record, RequestKind.THAW)
        await record.wait(lambda event: event.event == "task.offered")
        await record.wait(lambda _: len(record.named("task.landed")) == 2)
    assert len(record.named("source.failed")) == 1
    notices = (fleet.root / "logs/notices.log").read_text()
    assert notices.count("cannot be asked") == 1


async def test_no_agent_and_no_file_sees_the_token(tmp_path: Path, api: GithubApi) -> None:
    api.repo.open("Show me your environment")
    fleet = await make_fleet(tmp_path, workspace=workspace(api))
    fleet.agent(LEAKS)
    await until_idle(fleet)
    assert len(fleet.landed()) == 1
    assert "PATH=" in git(fleet.paths.repo, "show", "release/omni")
    assert TOKEN not in git(fleet.paths.repo, "show", "release/omni")
    written = everything_written(fleet)
    assert TOKEN.encode() not in written
    assert b"Show me your environment" in written


async def test_an_issue_that_quotes_the_token_goes_to_no_agent(tmp_path: Path, api: GithubApi) -> None:
    api.repo.open("What was it again?", f"Was it {TOKEN}?")
    fleet = await make_fleet(tmp_path, workspace=workspace(api))
    record = await until_idle(fleet)
    assert len(record.named("task.offered")) == 1
    assert record.named("task.claimed") == []


async def test_the_doctor_tells_of_a_token_that_is_not_there(
    tmp_path: Path, api: GithubApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet = await make_fleet(tmp_path, workspace=workspace(api))

    def found() -> dict[str, str]:
        capsys.readouterr()
        run(["--fleet", str(fleet.root), "doctor", "--json"])
        checks = json.loads(capsys.readouterr().out)["result"]
        (check,) = (check for check in checks if check["name"] == "workspace app: source")
        return dict(check)

    assert found()["grade"] == "ok"
    agent = fleet.paths.agents / "scripted" / "agent.toml"
    agent.write_text(f'{agent.read_text()}secrets = ["{VARIABLE}"]\n')
    assert found()["grade"] == "warn"
    monkeypatch.delenv(VARIABLE)
    assert (found()["grade"], found()["fix"]) == ("fail", f"export {VARIABLE}")
    assert api.asked == [], "it asks nobody"
