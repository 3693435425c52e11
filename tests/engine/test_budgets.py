"""Budgets in a running fleet: said at 80 %, ended at 100 % with the work kept, and closed where nothing can be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from omni_tui.model.task import Status
from tests.support.fleets import AGENT, GOOD, QUICK, TestFleet, git, make_fleet
from tests.support.running import dispatching, until_idle

QUIET = QUICK.replace("0.05", "1")

SPENDS = (
    AGENT
    + """
spend() { printf '{"event": "activity", "detail": "%s", "tokens": %s, "usd": %s}\\n' "$1" "$2" "$3" >> "$OMNI_EVENTS"; }
say accepted
spend begins 90 0.45
until [ -e "$GO" ]; do sleep 0.05; done
echo unfinished > work.txt
spend "goes on" 120 0.6
sleep 60
"""
)


def statuses(fleet: TestFleet, *ids: str) -> list[Status | None]:
    return [found[0] if (found := fleet.queue.find(each)) else None for each in ids]


def kept(fleet: TestFleet, commit: str) -> str:
    return git(fleet.paths.repo, "show", f"{commit}:work.txt")


async def test_the_budget_of_a_night_is_said_and_then_ends_all_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omni_tui.engine.supervisor.USE_SECONDS", 0.0)
    settings = QUIET + "[night]\nusd = 1.0\n[scheduler]\nslots = 2\n"
    fleet = await make_fleet(tmp_path, settings=settings)
    fleet.agent(SPENDS.replace("$GO", str(tmp_path / "go")))
    tasks = [fleet.add(f"Task {number}") for number in range(3)]
    async with dispatching(fleet) as (core, record):
        near = await record.wait(lambda event: event.event == "budget.near")
        assert near.data == {"budget": "the night", "used": "0.90 of 1 US dollars"}
        assert core.scheduler.state.near == ("the night has used 0.90 of 1 US dollars",)
        (tmp_path / "go").touch()
        await record.wait(lambda event: event.event == "fleet.idle")
    assert [event.data["kind"] for event in record.named("attempt.failed")] == ["budget:night"] * 2
    assert len(record.named("budget.near")) == 1
    (stopped,) = record.named("fleet.stopped")
    assert stopped.data["reason"].endswith(" of 1 US dollars")
    assert statuses(fleet, *(task.id for task in tasks)) == [Status.TODO] * 3, "no attempt was lost to it"
    assert [kept(fleet, event.data["commit"]) for event in record.named("attempt.rescued")] == ["unfinished"] * 2
    assert len(record.named("task.claimed")) == 2


async def test_the_budget_of_a_provider_ends_what_it_serves_and_leaves_the_others(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=QUIET + "[scheduler]\nslots = 2\n")
    (fleet.fleet.paths.providers / "dear.toml").write_text(
        'harness = "command"\npreflight = false\n[night]\ntokens = 100\n'
    )
    (fleet.fleet.paths.providers / "cheap.toml").write_text('harness = "command"\npreflight = false\n')
    (tmp_path / "go").touch()
    spends, good = SPENDS.replace("$GO", str(tmp_path / "go")), GOOD.removeprefix(AGENT)
    script = spends.replace(
        "say accepted\n", f'if grep -q "A good one" "$OMNI_PROMPT"; then\n{good}\nexit\nfi\nsay accepted\n'
    )
    fleet.agent(script)
    dear, held = fleet.add("One", provider="dear"), fleet.add("Two", provider="dear", depends_on=())
    good_one = fleet.add("A good one", provider="cheap", priority=-1)
    record = await until_idle(fleet)
    assert [event.data["kind"] for event in record.named("attempt.failed")][:1] == ["budget:provider"]
    assert record.named("attempt.failed")[0].data["message"].startswith("provider dear has used ")
    assert statuses(fleet, dear.id, held.id, good_one.id) == [Status.TODO, Status.TODO, Status.DONE]
    holds = record.named("fleet.stopped")[0].data["reason"]
    assert holds.startswith("no provider serves: dear: provider dear has used ")
    assert " of 100 tokens" in holds


async def test_a_budget_of_money_that_nobody_can_read_starts_nothing_more(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=QUIET + "usd = 5.0\n")
    fleet.agent(GOOD)
    first, second = fleet.add("One"), fleet.add("Two")
    record = await until_idle(fleet)
    (parked,) = record.named("provider.parked")
    assert parked.data["provider"] == "scripted"
    assert parked.data["reason"] == ("it tells nothing of the money it uses, and limits.usd in config.toml limits that")
    assert statuses(fleet, first.id, second.id) == [Status.DONE, Status.TODO], "what was paid for is not thrown away"
    assert parked.data["reason"] in record.named("fleet.stopped")[0].data["reason"]


@pytest.mark.parametrize(
    ("limits", "budget", "kind", "by", "then"),
    [
        pytest.param("usd = 5.0\n", None, "budget:unread", "limits.usd in config.toml", Status.TODO, id="every task's"),
        pytest.param("", 2.5, "budget", "budget in the head of app/", Status.BLOCKED, id="its own"),
    ],
)
async def test_an_agent_that_never_tells_what_it_uses_is_ended_where_money_is_limited(
    limits: str, budget: float | None, kind: str, by: str, then: Status, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omni_tui.policy.supervision.UNREAD_MINUTES", 0.01)
    fleet = await make_fleet(tmp_path, settings=QUIET + limits)
    fleet.agent(AGENT + "say accepted\necho unfinished > work.txt\nsleep 60\n")
    task = fleet.add("One", budget=budget)
    record = await until_idle(fleet)
    (failed,) = record.named("attempt.failed")
    assert failed.data["kind"] == kind
    assert by in failed.data["message"]
    assert kept(fleet, record.named("attempt.rescued")[0].data["commit"]) == "unfinished"
    assert statuses(fleet, task.id) == [then]
    assert bool(record.named("provider.parked")) is (then is Status.TODO)


async def test_a_budget_of_one_task_that_nobody_can_read_ends_that_task_alone(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=QUIET, workspace='check = "! grep -q bad *.txt"\n')
    fleet.agent(GOOD.replace('commit "do', 'grep -q Bad "$OMNI_PROMPT" && echo bad > "$OMNI_TASK.txt"\ncommit "do'))
    good, bad, other = fleet.add("Good", budget=2.5), fleet.add("Bad", budget=2.5), fleet.add("Other")
    record = await until_idle(fleet)
    assert statuses(fleet, good.id, bad.id, other.id) == [Status.DONE, Status.BLOCKED, Status.DONE]
    assert record.named("provider.parked") == []
    (blocked,) = record.named("task.blocked")
    assert f"it tells nothing of the money it uses, and budget in the head of {bad.ref} limits that" in str(
        blocked.data
    )
    assert len(record.named("attempt.failed")) == 1, "what it costs is not spent again"


async def test_the_price_of_tokens_makes_money_of_them(tmp_path: Path) -> None:
    """An agent that tells tokens alone can be kept within a budget of money where their price is known."""
    fleet = await make_fleet(tmp_path, settings=QUIET.replace("[limits]", "[limits]\nattempts = 1") + "usd = 5.0\n")
    (fleet.fleet.paths.providers / "dear.toml").write_text(
        'harness = "command"\npreflight = false\n[cost]\ninput = 2.0\noutput = 10.0\n'
    )
    says = 'printf \'{"event": "activity", "tokens": 1200000, "output": 400000}\\n\' >> "$OMNI_EVENTS"\nsleep 60\n'
    fleet.agent(AGENT + "say accepted\n" + says)
    task = fleet.add("One")
    record = await until_idle(fleet)
    (failed,) = record.named("attempt.failed")
    assert failed.data["message"] == "the task has used 5.60 USD; 5.00 are allowed by limits.usd in config.toml"
    assert record.named("attempt.usage")[0].data["usd"] == 5.6
    assert statuses(fleet, task.id) == [Status.BLOCKED]
    assert record.named("provider.parked") == []


async def test_the_time_of_a_task_is_limited_over_all_its_attempts(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=QUIET + "task_minutes = 0.02\n")
    chatty = "say accepted\nwhile :; do say activity; sleep 0.2; done\n"
    fleet.agent(AGENT + chatty)
    task = fleet.add("One")
    record = await until_idle(fleet)
    (failed,) = record.named("attempt.failed")
    assert failed.data["message"].startswith("the task has used 0 minutes; 0.02 are allowed")
    assert statuses(fleet, task.id) == [Status.BLOCKED]


async def test_a_night_of_so_many_attempts(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=QUIET + "[night]\nattempts = 2\n")
    for number in range(3):
        fleet.add(f"Task {number}")
    record = await until_idle(fleet)
    assert len(record.named("attempt.started")) == 2
    assert len(fleet.landed()) == 2, "the last that was allowed went on to its end"
    assert record.named("fleet.stopped")[0].data["reason"] == "the budget is spent: 2 of 2 attempts"
