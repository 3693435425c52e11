"""The real Claude Code through the whole engine: nothing is replaced but the model."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.assignments import git
from tests.support.real_claude import ModelNetwork, find_claude
from tests.support.real_fleet import KEY, RealFleet
from tests.support.runtimes import with_landlock

CLAUDE = find_claude()

pytestmark = pytest.mark.skipif(CLAUDE is None, reason="Claude Code is not installed (`.ci/run` installs it)")


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelNetwork]:
    with ModelNetwork(tmp_path_factory.mktemp("network") / "records") as network:
        yield network


@pytest.fixture
def fleet(tmp_path: Path, network: ModelNetwork) -> Iterator[RealFleet]:
    assert CLAUDE is not None
    made = RealFleet(tmp_path, network, CLAUDE)
    yield made
    made.close()
    assert network.requests()
    assert network.strays() == [], "something tried to leave this machine"


def failures(events: list[dict[str, Any]]) -> list[str]:
    return [f"{event['kind']}: {event['message']}" for event in events if event["event"] == "attempt.failed"]


def task(fleet: RealFleet) -> dict[str, Any]:
    only: dict[str, Any]
    (only,) = fleet.answer("list")
    return only


@pytest.mark.parametrize(
    ("mode", "runtime", "kind"),
    [
        ("interactive", "tmux", "bwrap"),
        ("interactive", "process", "bwrap"),
        ("print", "tmux", "bwrap"),
        ("print", "process", "bwrap"),
        *with_landlock(("interactive", "tmux", "landlock"), ("print", "process", "landlock")),
    ],
)
def test_a_task_comes_out_on_the_release_branch(fleet: RealFleet, mode: str, runtime: str, kind: str) -> None:
    fleet.configure(runtime=runtime, sandbox=kind)
    fleet.agent("commit", mode=mode)
    fleet.answer("add", "app", "--title", "Greet the user")
    events = fleet.night()
    assert failures(events) == []
    assert fleet.released() == ["Greet the user"]
    assert 'return "hello"' in git(fleet.origin, "show", "release/omni:hello.py")
    assert "Omni-Agent: claude" in git(fleet.origin, "show", "-s", "--format=%B", "release/omni")
    assert task(fleet)["status"] == "done"
    seen = {(event["health"], event["source"]) for event in events if event["event"] == "attempt.signal"}
    assert {("thinking", "hook"), ("tool", "hook")} <= seen
    assert ("finished", "result" if mode == "print" else "hook") in seen


@pytest.mark.parametrize("mode", ["interactive", "print"])
def test_it_needs_no_more_of_the_network_than_its_api(fleet: RealFleet, mode: str) -> None:
    fleet.configure(net="proxy")
    fleet.agent("commit", mode=mode)
    fleet.answer("add", "app", "--title", "Greet the user")
    events = fleet.night()
    assert failures(events) == []
    assert fleet.released() == ["Greet the user"]
    assert [event["place"] for event in events if event["event"] == "attempt.refused"] == []


@pytest.mark.parametrize("kind", ["bwrap", *with_landlock("landlock")])
def test_nothing_that_the_repository_planted_is_run_and_no_secret_is_left(fleet: RealFleet, kind: str) -> None:
    fleet.configure(sandbox=kind)
    fleet.agent("commit")
    fleet.answer("add", "app", "--title", "Greet the user")
    fleet.night()
    assert fleet.released() == ["Greet the user"]
    assert not fleet.planted.exists()
    assert fleet.holding(KEY) == []
    assert [path.name for path in fleet.home.iterdir()] == []


def test_three_megabytes_from_a_tool_disturb_nobody(fleet: RealFleet) -> None:
    fleet.agent("big-output")
    fleet.answer("add", "app", "--title", "Greet the user")
    assert failures(fleet.night()) == []
    assert fleet.released() == ["Greet the user"]


def test_a_limit_of_turns_ends_an_agent_that_does_not(fleet: RealFleet) -> None:
    fleet.configure(attempts=1)
    fleet.agent("endless", mode="print", max_turns=3)
    fleet.answer("add", "app", "--title", "Greet the user")
    events = fleet.night()
    assert "error max turns" in {event.get("detail") for event in events}
    assert fleet.released() == []


def test_a_stall_in_mid_stream_is_ended_and_tried_again(fleet: RealFleet) -> None:
    fleet.agent("stall-once")
    fleet.answer("add", "app", "--title", "Greet the user")
    (failure,) = failures(fleet.night(90))
    assert failure.startswith("stalled:")
    assert fleet.released() == ["Greet the user"]
    assert task(fleet)["attempt"] == 2


def test_an_agent_that_forgets_to_commit_is_told_by_its_stop_hook(fleet: RealFleet) -> None:
    fleet.agent("late-commit")
    fleet.answer("add", "app", "--title", "Greet the user")
    assert failures(fleet.night()) == []
    assert fleet.released() == ["Greet the user"]


@pytest.mark.parametrize("mode", ["interactive", "print"])
def test_an_agent_that_never_commits_lands_nothing_and_a_person_is_told(fleet: RealFleet, mode: str) -> None:
    fleet.agent("no-commit", mode=mode)
    fleet.answer("add", "app", "--title", "Greet the user")
    found = failures(fleet.night())
    assert found
    assert all(failure.startswith("gate:no_commit") for failure in found)
    assert fleet.released() == []
    assert task(fleet)["status"] == "blocked"


def test_a_refused_key_stops_its_provider_at_once_and_costs_nobody_an_attempt(fleet: RealFleet) -> None:
    fleet.agent("401")
    fleet.answer("add", "app", "--title", "Greet the user")
    fleet.answer("add", "app", "--title", "Greet them again", "--depends-on", "0001")
    events = fleet.night()
    (failure,) = failures(events)
    assert failure.startswith("harness:auth")
    assert [event["provider"] for event in events if event["event"] == "provider.parked"] == ["claude"]
    (stopped,) = (event["reason"] for event in events if event["event"] == "fleet.stopped")
    assert stopped.startswith("no provider serves: claude: it does not accept our login")
    assert [each["status"] for each in fleet.answer("list")] == ["todo", "todo"]
    fleet.agent("commit")
    fleet.command("thaw")
    fleet.night()
    assert fleet.released() == ["Greet the user"]


def test_a_long_limit_frees_the_slot_and_consumes_no_attempt(fleet: RealFleet) -> None:
    fleet.agent("429")
    fleet.answer("add", "app", "--title", "Greet the user")
    found = failures(fleet.night(15))
    assert found
    assert all(failure.startswith("limited:rate_limit") for failure in found)
    assert fleet.released() == []
    assert task(fleet)["status"] != "blocked"


def test_a_question_that_nobody_answers_ends_the_attempt_and_says_so(fleet: RealFleet) -> None:
    fleet.configure(attempts=1, questions={"policy": "ask", "ask_minutes": 0.1})
    fleet.agent("forbidden", allowed_tools=["Edit", "Write"])
    fleet.answer("add", "app", "--title", "Greet the user")
    events = fleet.night()
    assert "waiting" in {event["health"] for event in events if event["event"] == "attempt.signal"}
    (failure,) = failures(events)
    assert failure.startswith("waiting: it asked a person something")
    assert fleet.released() == []


def test_a_request_that_is_refused_leaves_the_agent_a_way_out(fleet: RealFleet) -> None:
    fleet.configure(attempts=1)
    fleet.agent("forbidden", allowed_tools=["Edit", "Write"])
    fleet.answer("add", "app", "--title", "Greet the user")
    events = fleet.night()
    seen = [(event["health"], event["detail"]) for event in events if event["event"] == "attempt.signal"]
    assert any(health == "thinking" and detail.startswith("was refused Bash") for health, detail in seen), seen
    assert all(health != "waiting" for health, _ in seen)
    (failure,) = failures(events)
    assert failure.startswith("gate:no_commit"), "it went on, and stopped by itself"


def test_a_question_is_refused_and_the_work_is_done(fleet: RealFleet) -> None:
    fleet.agent("question")
    fleet.answer("add", "app", "--title", "Greet the user")
    events = fleet.night()
    assert failures(events) == []
    assert fleet.released() == ["Greet the user"]
    assert any(event.get("detail", "").startswith("was refused AskUserQuestion") for event in events)


def test_what_the_fleet_allows_is_not_asked_for(fleet: RealFleet) -> None:
    fleet.configure(questions={"allow": ["Bash"]})
    fleet.agent("commit", allowed_tools=["Edit", "Write"])
    fleet.answer("add", "app", "--title", "Greet the user")
    assert failures(fleet.night()) == []
    assert fleet.released() == ["Greet the user"]


def test_an_agent_that_runs_the_same_again_and_again_is_ended(fleet: RealFleet) -> None:
    fleet.configure(attempts=1)
    fleet.agent("repeating")
    fleet.answer("add", "app", "--title", "Greet the user")
    (failure,) = failures(fleet.night())
    assert failure.startswith("loop:call: it does the same again and again, 8 times by now: Bash python3 -m unittest")


def test_a_limit_of_turns_is_kept_from_outside(fleet: RealFleet) -> None:
    fleet.configure(attempts=1, turns=4, loop_repeats=0)
    fleet.agent("repeating")
    fleet.answer("add", "app", "--title", "Greet the user")
    (failure,) = failures(fleet.night())
    assert re.match(r"budget: the task has used [5-9] turns; 4 are allowed", failure)


def test_a_limit_of_money_is_kept_from_outside(fleet: RealFleet) -> None:
    fleet.configure(attempts=1, usd=0.012, loop_repeats=0)
    fleet.agent("slow")
    fleet.answer("add", "app", "--title", "Greet the user")
    events = fleet.night()
    (failure,) = failures(events)
    assert failure == "budget: the task has used 0.02 USD; 0.01 are allowed by limits.usd in config.toml"
    used = [event for event in events if event["event"] == "attempt.usage"][-1]
    assert used["tokens"] == used["turns"] * 1020 > 0


LOGIN: dict[str, object] = {
    "accessToken": "sk-ant-oat01-made-up-0123456789-abcdefghijklmnop",
    "refreshToken": "sk-ant-ort01-made-up-0123456789-abcdefghijklmnop",
    "expiresAt": 4_102_444_800_000,
    "scopes": ["user:inference", "user:profile"],
    "subscriptionType": "max",
}


@pytest.fixture
def borrowing(tmp_path: Path) -> Iterator[RealFleet]:
    """Make a fleet of somebody who is logged in, whatever the API is: then it asks its provider about the account."""
    assert CLAUDE is not None
    with ModelNetwork(tmp_path / "records") as network:
        made = RealFleet(tmp_path, network, CLAUDE)
        made.log_in(LOGIN)
        yield made
        made.close()
        assert {stray["first"] for stray in network.strays()} <= {"CONNECT api.anthropic.com:443 HTTP/1.1"}


@pytest.mark.parametrize("mode", ["interactive", "print"])
def test_the_login_of_whoever_runs_us_is_shared_and_nothing_else(borrowing: RealFleet, mode: str) -> None:
    borrowing.agent("own-count", mode=mode, secrets=[])
    for title in ("Count", "Count again"):
        borrowing.answer("add", "app", "--title", title)
    assert failures(borrowing.night()) == []
    seen = [git(borrowing.origin, "show", f"release/omni:{number}.txt") for number in ("0001", "0002")]
    assert seen == ["1", "1"], "the second attempt sees its own transcript, and not the first one's"
    assert [*borrowing.root.rglob("projects")] == [], "nothing of a session is left"
    assert {path.name for path in borrowing.holding(str(LOGIN["accessToken"]))} == {".credentials.json"}


@pytest.mark.parametrize("mode", ["interactive", "print"])
def test_what_a_subagent_uses_counts(fleet: RealFleet, mode: str) -> None:
    fleet.configure(attempts=1, turns=6, loop_repeats=0)
    fleet.agent("delegating", mode=mode, allowed_tools=["Bash", "Task", "Agent"])
    fleet.answer("add", "app", "--title", "Greet the user")
    events = fleet.night()
    (failure,) = failures(events)
    assert re.match(r"budget: the task has used ([7-9]|1\d) turns; 6 are allowed", failure)
    used = [event for event in events if event["event"] == "attempt.usage"][-1]
    assert used["tokens"] == used["turns"] * 1020 > 0


def test_what_a_subagent_costs_counts(fleet: RealFleet) -> None:
    fleet.configure(attempts=1, usd=0.03, loop_repeats=0)
    fleet.agent("delegating", allowed_tools=["Bash", "Task", "Agent"])
    fleet.answer("add", "app", "--title", "Greet the user")
    (failure,) = failures(fleet.night())
    assert re.match(r"budget: the task has used 0\.\d\d USD; 0\.03 are allowed", failure)


def test_whoever_tried_to_leave_would_be_on_record(tmp_path: Path) -> None:
    """What the end of every test above relies on."""
    leave = "import urllib.request as r; r.urlopen('http://example.invalid/secret', timeout=5)"
    with ModelNetwork(tmp_path / "records") as network:
        argv = [*network.enter(), sys.executable, "-c", leave]
        assert subprocess.run(argv, env=network.proxies(), capture_output=True).returncode != 0
        assert [stray["first"] for stray in network.strays()] == ["GET http://example.invalid/secret HTTP/1.1"]


def test_inside_the_wall_there_is_nothing_but_loopback(network: ModelNetwork) -> None:
    names = "import socket; print(*(name for _, name in socket.if_nameindex()))"
    seen = subprocess.run([*network.enter(), sys.executable, "-c", names], capture_output=True, text=True)
    assert not network.isolated or seen.stdout.split() == ["lo"]
