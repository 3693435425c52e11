"""The real Claude Code served by a provider: its preflight, its address and its key, with the scripted model behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from tests.support.real_claude import ModelNetwork, find_claude
from tests.support.real_fleet import KEY, RealFleet
from tests.support.waiting import wait_for

CLAUDE = find_claude()

pytestmark = pytest.mark.skipif(CLAUDE is None, reason="Claude Code is not installed (`.ci/run` installs it)")


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelNetwork]:
    with ModelNetwork(tmp_path_factory.mktemp("network") / "records") as network:
        yield network


@pytest.fixture
def fleet(tmp_path: Path, network: ModelNetwork, monkeypatch: pytest.MonkeyPatch) -> Iterator[RealFleet]:
    assert CLAUDE is not None
    made = RealFleet(tmp_path, network, CLAUDE)
    made.agent("401", secrets=[], env=network.proxies())
    yield made
    made.close()
    assert network.requests()
    assert network.strays() == [], "something tried to leave this machine"


def provider(fleet: RealFleet, script: str, **settings: object) -> None:
    """Have `script` played by a provider called `work`; the agent itself has neither key nor address."""
    content = {"base_url": fleet.network.url(script), "key": "ANTHROPIC_API_KEY", **settings}
    (fleet.root / "providers" / "work.toml").write_text(tomli_w.dumps(content), encoding="utf-8")


def named(events: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [event for event in events if event["event"] == name]


@pytest.mark.parametrize("mode", ["interactive", "print"])
def test_a_preflight_proves_the_way_and_the_task_lands(fleet: RealFleet, mode: str) -> None:
    fleet.agent("401", mode=mode, secrets=[], env=fleet.network.proxies())
    provider(fleet, "ready", cost={"input": 3.0, "output": 15.0, "cached": 0.3})
    fleet.answer("add", "app", "--title", "Greet the user")
    events = fleet.night()
    (checked,) = named(events, "provider.checked")
    assert checked["passed"], checked
    assert checked["seconds"] < 20
    assert named(events, "attempt.failed") == []
    assert fleet.released() == ["Greet the user"]
    assert [event["provider"] for event in named(events, "attempt.started")] == ["work"]
    assert named(events, "attempt.usage")[0]["usd"] > 0, "tokens have a price"
    assert fleet.holding(KEY) == []


@pytest.mark.parametrize(
    ("script", "reason", "until"),
    [("401", "it does not accept our login", False), ("429", "its usage limit is reached", True)],
)
def test_a_preflight_that_fails_says_why_and_costs_no_attempt(
    fleet: RealFleet, script: str, reason: str, until: bool
) -> None:
    provider(fleet, script)
    fleet.answer("add", "app", "--title", "Greet the user")
    events = fleet.night(25)
    (checked,) = named(events, "provider.checked")
    assert not checked["passed"]
    assert checked["seconds"] < 20
    (parked,) = named(events, "provider.parked")
    assert (parked["provider"], parked["reason"], parked["until"] is not None) == ("work", reason, until)
    assert named(events, "task.claimed") == []
    assert "work" in fleet.command("provider", "list")
    (row,) = fleet.answer("provider", "list")
    assert (row["name"], row["state"], row["reason"]) == ("work", "open", reason)


def test_a_provider_is_checked_by_hand(fleet: RealFleet) -> None:
    provider(fleet, "ready")
    assert fleet.command("provider", "check", "work").strip() == "provider work serves"
    provider(fleet, "401")
    fleet.command("provider", "check", "work", status=1)
    provider(fleet, "ready", key="NOBODY_HAS_SET_THIS")
    fleet.command("provider", "check", "work", status=1)


@pytest.mark.timeout(240)
def test_a_provider_that_answers_429_then_401_then_heals_is_parked_stopped_and_back(
    fleet: RealFleet, network: ModelNetwork
) -> None:
    """Nobody asks in vain: what the server saw is counted. One attempt is allowed, and none is lost."""
    fleet.configure(attempts=1)
    network.tell("exhausted")
    provider(fleet, "told")
    for title in ("One", "Two"):
        fleet.answer("add", "app", "--title", title)
    before = len(network.requests())

    def happened(name: str, count: int = 1) -> list[dict[str, Any]]:
        found = named(fleet.journal(), name)
        return found if len(found) >= count else []

    with fleet.dispatching():
        wait_for(lambda: happened("provider.parked"), "429 parks it", 60)
        network.tell("401")
        wait_for(lambda: happened("fleet.stopped"), "401 stops the run", 60)
        refused = len(asked(network, before))
        row = next(row for row in fleet.answer("provider", "list") if row["name"] == "work")
        assert (row["state"], row["reason"], row["until"]) == ("open", "it does not accept our login", None)
        fleet.answer("add", "app", "--title", "Three")
        wait_for(lambda: len(happened("fleet.idle")) >= 1, "it is idle", 20)
        assert len(asked(network, before)) == refused, "nobody asks while it turns us away"
        network.tell("ready")
        provider(fleet, "told")  # a person saves its file again
        wait_for(lambda: happened("task.landed", 3), "all have landed", 90)

    events = fleet.journal()
    told = [
        event for event in events if event["event"].split(".")[0] == "provider" or event["event"] == "fleet.stopped"
    ]
    assert [event["event"] for event in told] == [
        "provider.checked",
        "provider.parked",
        "provider.checked",
        "provider.parked",
        "fleet.stopped",
        "provider.changed",
        "provider.checked",
        "provider.resumed",
    ]
    limit, login = named(events, "provider.parked")
    assert (limit["reason"], login["reason"]) == ("its usage limit is reached", "it does not accept our login")
    assert login["time"] >= limit["until"], "nobody asked before the limit's end"
    assert [event["kind"] for event in named(events, "attempt.failed")] == ["limited:rate_limit"]
    assert named(events, "task.blocked") == []
    seen = asked(network, before)
    assert seen[:5] == [200, 429, 429, 429, 401], "the CLI's own two quick tries, and one for the login"
    assert set(seen[5:]) == {200}, seen
    assert sorted(fleet.released()) == ["One", "Three", "Two"]


def asked(network: ModelNetwork, before: int) -> list[int]:
    """Return what the model answered since `before`, beside side requests."""
    return [request["status"] for request in network.requests()[before:] if not request["aside"]]
