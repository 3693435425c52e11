"""What Claude Code is given: options, settings, and its own configuration directory."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from omni_tui.errors import OmniError
from omni_tui.model.attempt import AgentSpec
from omni_tui.model.settings import QuestionSettings
from omni_tui.plugins.agent.claude import ClaudeAgent
from omni_tui.plugins.agent.claude_config import prepare_config
from omni_tui.plugins.agent.protocol import Assignment
from tests.support.assignments import make_assignment, with_agent

KEY = "sk-ant-made-up-0123456789-abcdefghijklmnopqrstuvwxyz"


@pytest.fixture
def assignment(tmp_path: Path) -> Assignment:
    program = tmp_path / "bin" / "claude"
    program.parent.mkdir()
    program.touch(mode=0o755)
    spec = AgentSpec(name="one", harness="claude")
    return make_assignment(tmp_path, spec, {"PATH": f"{program.parent}:{os.environ['PATH']}"})


def config(directory: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((directory / ".claude.json").read_text(encoding="utf-8"))
    return found


def option(argv: tuple[str, ...], name: str) -> str:
    return argv[argv.index(name) + 1]


def test_the_repository_has_no_say_in_the_settings(assignment: Assignment) -> None:
    argv = ClaudeAgent().prepare(assignment).argv
    assert option(argv, "--setting-sources") == ""
    assert option(argv, "--settings") == str(assignment.run_dir / "harness" / "settings.json")
    assert "--strict-mcp-config" in argv


def test_the_options_follow_the_agents_settings(assignment: Assignment) -> None:
    agent = with_agent(
        assignment,
        mode="print",
        model="opus",
        permission_mode="plan",
        allowed_tools=("Bash(git *)", "Edit"),
        max_turns=7,
        max_usd=2.5,
    )
    argv = ClaudeAgent().prepare(agent).argv
    assert "--print" in argv
    assert option(argv, "--model") == "opus"
    assert option(argv, "--permission-mode") == "plan"
    assert option(argv, "--allowedTools") == "Bash(git *),Edit"
    assert option(argv, "--max-turns") == "7"
    assert option(argv, "--max-budget-usd") == "2.5"


def test_what_was_not_asked_for_is_not_an_option(assignment: Assignment) -> None:
    argv = ClaudeAgent().prepare(assignment).argv
    for name in ("--print", "--model", "--allowedTools", "--max-turns", "--max-budget-usd"):
        assert name not in argv


def test_limits_of_an_interactive_agent_are_kept_from_outside_alone(assignment: Assignment) -> None:
    argv = ClaudeAgent().prepare(with_agent(assignment, max_turns=3, max_usd=1.0)).argv
    assert not {"--max-turns", "--max-budget-usd"} & set(argv)


def settings(assignment: Assignment) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((assignment.run_dir / "harness" / "settings.json").read_text(encoding="utf-8"))
    return found


def test_what_the_fleet_allows_needs_no_question(assignment: Assignment) -> None:
    questions = QuestionSettings(allow=("Bash(npm test:*)", "WebFetch"))
    asked = msgspec.structs.replace(with_agent(assignment, allowed_tools=("Edit",)), questions=questions)
    assert option(ClaudeAgent().prepare(asked).argv, "--allowedTools") == "Edit,Bash(npm test:*),WebFetch"


@pytest.mark.parametrize(("policy", "script"), [("deny", "deny.sh"), ("ask", "hook.sh")])
def test_a_request_is_refused_or_left_to_a_person(assignment: Assignment, policy: str, script: str) -> None:
    questions = msgspec.convert({"policy": policy}, QuestionSettings)
    ClaudeAgent().prepare(msgspec.structs.replace(assignment, questions=questions))
    [hook] = settings(assignment)["hooks"]["PermissionRequest"]
    assert f"harness/{script} " in hook["hooks"][0]["command"]
    [hook] = settings(assignment)["hooks"]["PreToolUse"]
    assert "harness/hook.sh " in hook["hooks"][0]["command"]


def test_a_missing_program_is_said_with_what_to_do(assignment: Assignment, tmp_path: Path) -> None:
    without = msgspec.structs.replace(assignment, environment={"PATH": str(tmp_path / "nothing")})
    with pytest.raises(OmniError, match="not installed") as caught:
        ClaudeAgent().prepare(without)
    assert "npm install" in caught.value.fix


def test_the_sandbox_is_claimed_only_where_root_asked_for_no_permissions(assignment: Assignment) -> None:
    bypass = with_agent(assignment, permission_mode="bypassPermissions")
    assert ("IS_SANDBOX" in ClaudeAgent().prepare(bypass).env) == (os.geteuid() == 0)
    assert "IS_SANDBOX" not in ClaudeAgent().prepare(assignment).env


def test_its_settings_may_be_overridden_by_the_agents_variables(assignment: Assignment) -> None:
    patient = with_agent(assignment, env={"CLAUDE_CODE_MAX_RETRIES": "9"})
    environment = ClaudeAgent().prepare(patient).env
    assert environment["CLAUDE_CODE_MAX_RETRIES"] == "9"
    assert environment["DISABLE_AUTOUPDATER"] == "1"


def test_the_configuration_is_the_attempts_own(assignment: Assignment) -> None:
    environment = ClaudeAgent().prepare(assignment).env
    assert environment["CLAUDE_CONFIG_DIR"] == str(assignment.state_dir)
    trusted = config(assignment.state_dir)["projects"]
    assert trusted == {str(assignment.worktree.parent): {"hasTrustDialogAccepted": True}}


def test_no_dialog_is_left_to_ask(tmp_path: Path) -> None:
    prepare_config(tmp_path / "c", tmp_path / "trees", {"ANTHROPIC_API_KEY": KEY})
    found = config(tmp_path / "c")
    assert found["hasCompletedOnboarding"]
    assert found["bypassPermissionsModeAccepted"]
    assert found["customApiKeyResponses"] == {"approved": [KEY[-20:]], "rejected": []}


def test_what_claude_code_keeps_there_survives_and_nothing_is_written_twice(tmp_path: Path) -> None:
    kept = {
        "numStartups": 4,
        "theme": "light",
        "projects": {"/else": {"x": 1}},
        "customApiKeyResponses": {"approved": ["other"], "rejected": [KEY[-20:]]},
    }
    path = tmp_path / ".claude.json"
    path.write_text(json.dumps(kept), encoding="utf-8")
    prepare_config(tmp_path, tmp_path / "trees", {"ANTHROPIC_API_KEY": KEY})
    found = config(tmp_path)
    assert (found["numStartups"], found["theme"], found["projects"]["/else"]) == (4, "light", {"x": 1})
    assert found["customApiKeyResponses"] == {"approved": ["other", KEY[-20:]], "rejected": []}
    before = path.stat()
    prepare_config(tmp_path, tmp_path / "trees", {"ANTHROPIC_API_KEY": KEY})
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("broken", ["", "{", "[]", '"x"', '{"projects": 3, "customApiKeyResponses": []}'])
def test_a_broken_configuration_is_replaced(tmp_path: Path, broken: str) -> None:
    (tmp_path / ".claude.json").write_text(broken, encoding="utf-8")
    prepare_config(tmp_path, tmp_path / "trees", {"ANTHROPIC_API_KEY": KEY})
    assert config(tmp_path)["hasCompletedOnboarding"]
