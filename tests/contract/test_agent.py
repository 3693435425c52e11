"""The contract of the agent slot: every harness, and its fake, does this."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omni_tui.errors import OmniError
from omni_tui.model.attempt import AgentSpec
from omni_tui.model.signal import Health
from omni_tui.plugins.agent.claude import ClaudeAgent
from omni_tui.plugins.agent.command import CommandAgent
from omni_tui.plugins.agent.protocol import DETAIL_LENGTH, Agent, Assignment
from omni_tui.policy.holding import in_environment
from omni_tui.simulation.agent import SimulatedAgent
from tests.support.assignments import git, make_assignment, with_agent

SECRET = "sk-made-up-0123456789-abcdefghijklmnopqrstuvwxyz"
ESCAPE = "\x1b]52;c;cm0gLXJm\x07\u202egpj.exe" + "long " * 40


@dataclass(frozen=True)
class Case:
    """One implementation, and how its agents say things."""

    agent: Agent
    spec: AgentSpec
    accepted: bytes
    busy: bytes
    waiting: bytes
    limited: bytes
    finished: bytes


def hook(event: str, **fields: object) -> bytes:
    return json.dumps({"session_id": "1", "cwd": "/w", "hook_event_name": event, **fields}).encode()


def say(event: str, **fields: object) -> bytes:
    return json.dumps({"event": event, **fields}).encode()


CASES = {
    "claude": Case(
        ClaudeAgent(),
        AgentSpec(
            name="one", harness="claude", secrets=("ANTHROPIC_API_KEY",), env={"COLOUR": "red", "OMNI_TASK": "x"}
        ),
        hook("UserPromptSubmit", prompt="Do it"),
        hook("PreToolUse", tool_name="Bash", tool_input={"command": f"echo {ESCAPE}"}),
        hook("PermissionRequest", tool_name="Bash", tool_input={"command": f"rm -r {ESCAPE}"}),
        hook("StopFailure", error="rate_limit", last_assistant_message=f"limit reached|1900000000 {ESCAPE}"),
        hook("Stop", stop_hook_active=False, last_assistant_message=f"Done {ESCAPE}"),
    ),
    "command": Case(
        CommandAgent(),
        AgentSpec(
            name="one",
            harness="command",
            command=("sh", "-c", "exit"),
            secrets=("ANTHROPIC_API_KEY",),
            env={"COLOUR": "red", "OMNI_TASK": "x"},
        ),
        say("accepted"),
        say("activity", detail=f"at work {ESCAPE}"),
        say("waiting", detail=f"yes or no? {ESCAPE}"),
        say("limited", until=1900000000, detail=ESCAPE),
        say("finished", detail=ESCAPE),
    ),
    "simulated": Case(
        SimulatedAgent(),
        AgentSpec(
            name="one",
            harness="simulated",
            secrets=("ANTHROPIC_API_KEY",),
            env={"COLOUR": "red", "OMNI_TASK": "x"},
        ),
        SimulatedAgent.line(Health.THINKING, accepted=True),
        SimulatedAgent.line(Health.TOOL, detail=ESCAPE),
        SimulatedAgent.line(Health.WAITING),
        SimulatedAgent.line(Health.LIMITED, until=1900000000),
        SimulatedAgent.line(Health.FINISHED, detail=ESCAPE),
    ),
}


@pytest.fixture(params=list(CASES.values()), ids=list(CASES))
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


@pytest.fixture
def assignment(case: Case, tmp_path: Path) -> Assignment:
    program = tmp_path / "bin" / "claude"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
    program.chmod(0o755)
    made = make_assignment(tmp_path, case.spec, {"ANTHROPIC_API_KEY": SECRET})
    path = f"{program.parent}:{made.environment['PATH']}"
    return msgspec.structs.replace(made, environment={**made.environment, "PATH": path})


def files_below(*roots: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for root in roots for path in root.rglob("*") if path.is_file()}


def test_the_agent_is_told_its_task_by_variables_that_nothing_overrides(case: Case, assignment: Assignment) -> None:
    environment = case.agent.prepare(assignment).env
    assert environment["OMNI_TASK"] == "greet"
    assert environment["OMNI_WORKSPACE"] == "shop"
    assert environment["OMNI_ATTEMPT"] == "1"
    assert environment["OMNI_PROMPT"] == str(assignment.prompt)
    assert environment["OMNI_WORKTREE"] == str(assignment.worktree)
    assert environment["OMNI_EVENTS"] == str(assignment.events)
    assert environment["OMNI_BASE"] == assignment.base


def test_what_leads_it_to_its_provider_is_no_secret_by_its_name(case: Case) -> None:
    """For it is written down; `credentials` are given by their names."""
    agent = case.agent
    assert list(in_environment(dict.fromkeys(agent.routes, SECRET))) == []
    assert len(list(in_environment(dict.fromkeys(agent.credentials, SECRET)))) == len(agent.credentials)


def test_it_gets_its_own_variables_and_none_of_ours(
    case: Case, assignment: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "ours")
    environment = case.agent.prepare(assignment).env
    assert environment["COLOUR"] == "red"
    assert environment["PATH"] == assignment.environment["PATH"]
    assert "GITHUB_TOKEN" not in environment


def test_a_secret_reaches_the_agent_and_neither_a_file_nor_an_argument(case: Case, assignment: Assignment) -> None:
    invocation = case.agent.prepare(assignment)
    assert invocation.env["ANTHROPIC_API_KEY"] == SECRET
    written = b"".join(files_below(assignment.run_dir, assignment.state_dir).values())
    assert SECRET.encode() not in written
    assert not any(SECRET in word for word in invocation.argv)


def test_a_secret_that_is_not_set_is_named_with_the_file_that_asks_for_it(case: Case, assignment: Assignment) -> None:
    with pytest.raises(OmniError) as caught:
        case.agent.prepare(with_agent(assignment, secrets=("NOT_SET",)))
    assert "NOT_SET" in caught.value.message
    assert caught.value.where == "workspaces/shop/agents/one/agent.toml"
    assert caught.value.fix


def test_preparing_again_changes_nothing(case: Case, assignment: Assignment) -> None:
    first = case.agent.prepare(assignment)
    before = files_below(assignment.run_dir, assignment.state_dir)
    assert case.agent.prepare(assignment) == first
    assert files_below(assignment.run_dir, assignment.state_dir) == before


def test_nothing_of_what_it_kept_is_left_once_it_is_forgotten(case: Case, assignment: Assignment) -> None:
    case.agent.prepare(assignment)
    assignment.state_dir.mkdir(exist_ok=True)
    case.agent.forget(assignment)
    case.agent.forget(assignment)
    assert files_below(assignment.state_dir) == {}


def test_it_writes_nowhere_but_in_what_is_its_attempts_own(case: Case, assignment: Assignment) -> None:
    """All attempts share a login at most, and this one has a key."""
    invocation = case.agent.prepare(assignment)
    own = (assignment.run_dir, assignment.state_dir)
    assert all(any(path.is_relative_to(root) for root in own) for path in (*invocation.read, *invocation.write))
    assert case.agent.tokens(assignment.login_dir, {}) == ()


def test_the_checkout_is_left_as_it_is(case: Case, assignment: Assignment) -> None:
    case.agent.prepare(assignment)
    assert git(assignment.worktree, "status", "--porcelain", "--ignored") == ""
    assert not assignment.events.exists()


def test_being_started_is_not_yet_having_the_task(case: Case, assignment: Assignment) -> None:
    signal = case.agent.started(assignment, 5.0)
    assert (signal.accepted, signal.health, signal.at) == (False, Health.STARTING, 5.0)


def test_only_the_agents_own_word_is_acceptance(case: Case) -> None:
    accepted = case.agent.read(case.accepted, 7.0)
    assert accepted is not None
    assert (accepted.accepted, accepted.at) == (True, 7.0)
    for line in (case.busy, case.waiting, case.limited, case.finished):
        signal = case.agent.read(line, 7.0)
        assert signal is not None
        assert not signal.accepted


def test_what_it_says_is_normalised(case: Case) -> None:
    busy, waiting = case.agent.read(case.busy, 1.0), case.agent.read(case.waiting, 1.0)
    limited, finished = case.agent.read(case.limited, 1.0), case.agent.read(case.finished, 1.0)
    assert busy is not None
    assert busy.health in (Health.THINKING, Health.TOOL)
    assert waiting is not None
    assert waiting.health is Health.WAITING
    assert limited is not None
    assert (limited.health, limited.until) == (Health.LIMITED, 1900000000)
    assert finished is not None
    assert finished.health is Health.FINISHED


def test_what_it_says_cannot_speak_to_a_terminal(case: Case) -> None:
    for line in (case.busy, case.waiting, case.limited, case.finished):
        signal = case.agent.read(line, 1.0)
        assert signal is not None
        assert signal.detail.isprintable()
        assert len(signal.detail) <= DETAIL_LENGTH


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'"text"',
        b'{"event": 7}',
        b'{"hook_event_name": "Nothing"}',
        b"[" * 9999,
    ],
)
def test_a_line_that_says_nothing_is_nothing(case: Case, line: bytes) -> None:
    assert case.agent.read(line, 1.0) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(cut=st.integers(0, 400), rubbish=st.binary(max_size=40), which=st.integers(0, 4))
def test_reading_never_raises(case: Case, cut: int, rubbish: bytes, which: int) -> None:
    line = (case.accepted, case.busy, case.waiting, case.limited, case.finished)[which]
    for text in (line[:cut] + rubbish + line[cut:], line[:cut] + rubbish, rubbish):
        signal = case.agent.read(text, 1.0)
        assert signal is None or signal.at == 1.0
