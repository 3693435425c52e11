"""The `command` harness beyond the contract: how its program is found, and its lines in detail."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from omni_tui.errors import OmniError
from omni_tui.model.attempt import AgentSpec
from omni_tui.model.signal import Health
from omni_tui.plugins.agent.command import CommandAgent
from tests.support.assignments import make_assignment

PROGRAM = """#!/bin/sh
echo '{"event": "accepted"}' >> "$OMNI_EVENTS"
detail="$OMNI_TASK $OMNI_ATTEMPT $(wc -l < "$OMNI_PROMPT")"
echo "{\\"event\\": \\"finished\\", \\"detail\\": \\"$detail\\"}" >> "$OMNI_EVENTS"
"""


def spec(*command: str, handover: str = "accepted") -> AgentSpec:
    return AgentSpec(name="one", harness="command", command=command, handover=handover)


def test_a_users_program_works_by_the_contract(tmp_path: Path) -> None:
    assignment = make_assignment(tmp_path, spec("bin/agent"))
    program = assignment.worktree / "bin" / "agent"
    program.parent.mkdir()
    program.write_text(PROGRAM, encoding="utf-8")
    program.chmod(0o755)
    agent = CommandAgent()
    invocation = agent.prepare(assignment)
    subprocess.run(invocation.argv, cwd=assignment.worktree, env=invocation.env, check=True)
    accepted, finished = (agent.read(line, 1.0) for line in assignment.events.read_bytes().splitlines())
    assert accepted is not None
    assert accepted.accepted
    assert finished is not None
    assert (finished.health, finished.detail) == (Health.FINISHED, "greet 1 3")


@pytest.mark.parametrize("command", [(), ("no-such-program",), ("./no/such/program",), ("README.md",)])
def test_a_program_that_cannot_be_run_is_named_with_the_file_to_mend(tmp_path: Path, command: tuple[str, ...]) -> None:
    assignment = make_assignment(tmp_path, spec(*command))
    with pytest.raises(OmniError) as caught:
        CommandAgent().prepare(assignment)
    assert caught.value.where == "workspaces/shop/agents/one/agent.toml"
    assert caught.value.fix
    assert not command or command[0] in caught.value.message


def test_arguments_are_handed_on_as_they_are(tmp_path: Path) -> None:
    argv = CommandAgent().prepare(make_assignment(tmp_path, spec("sh", "-c", "echo $1; $(x)"))).argv
    assert argv[1:] == ("-c", "echo $1; $(x)")


def test_its_start_is_the_hand_over_where_it_says_so(tmp_path: Path) -> None:
    assignment = make_assignment(tmp_path, spec("sh", handover="start"))
    signal = CommandAgent().started(assignment, 2.0)
    assert (signal.accepted, signal.health, signal.source) == (True, Health.THINKING, "start")


@pytest.mark.parametrize(
    ("until", "moment"),
    [
        (1795219626, 1795219626.0),
        ("2026-11-21T00:00:00+00:00", 1795219200.0),
        ("2026-11-21T00:00:00", 1795219200.0),
        ("2026-11-21T01:00:00+01:00", 1795219200.0),
        ("soon", None),
        (-1, None),
        (None, None),
    ],
)
def test_when_a_limit_ends(until: object, moment: float | None) -> None:
    signal = CommandAgent().read(json.dumps({"event": "limited", "until": until}).encode(), 1.0)
    assert signal is not None
    assert (signal.health, signal.until) == (Health.LIMITED, moment)


def test_what_it_used() -> None:
    signal = CommandAgent().read(b'{"event": "activity", "turns": 3, "tokens": 1200, "usd": 0.25, "more": [1]}', 1.0)
    assert signal is not None
    assert (signal.turns, signal.tokens, signal.usd) == (3, 1200, 0.25)
    negative = CommandAgent().read(b'{"event": "activity", "turns": -1, "tokens": -5, "usd": -1}', 1.0)
    assert negative is not None
    assert (negative.turns, negative.tokens, negative.usd) == (None, None, None)


@pytest.mark.parametrize(
    ("why", "fatal"),
    [("auth", "auth"), ("billing", "billing"), ("server", "server"), ("", "server"), ("rate_limit", "server")],
)
def test_what_its_provider_refuses(why: str, fatal: str) -> None:
    line = json.dumps({"event": "refused", "why": why, "detail": "401 Unauthorized"}).encode()
    signal = CommandAgent().read(line, 1.0)
    assert signal is not None
    assert (signal.health, signal.fatal, signal.detail) == (Health.DEAD, fatal, "401 Unauthorized")


def test_only_a_refusal_says_why() -> None:
    signal = CommandAgent().read(b'{"event": "activity", "why": "auth"}', 1.0)
    assert signal is not None
    assert signal.fatal == ""
