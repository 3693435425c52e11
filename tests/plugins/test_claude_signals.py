"""What Claude Code says, as recorded from 2.1.197 (identifiers shortened), normalised."""

from __future__ import annotations

import json

import pytest

from omni_tui.model.signal import Health
from omni_tui.plugins.agent.claude_signals import read

COMMON = {"session_id": "97933b21", "transcript_path": "/h/.claude/projects/-w/97933b21.jsonl", "cwd": "/w"}
USAGE = {
    "input_tokens": 39214,
    "cache_creation_input_tokens": 10,
    "cache_read_input_tokens": 6,
    "output_tokens": 74,
    "server_tool_use": {"web_search_requests": 0},
    "cache_creation": {"ephemeral_1h_input_tokens": 5},
}


def hook(event: str, **fields: object) -> bytes:
    return json.dumps({**COMMON, "hook_event_name": event, **fields}, separators=(",", ":")).encode()


def result(**fields: object) -> bytes:
    whole = {
        "type": "result",
        "subtype": "success",
        "is_error": False,
        "api_error_status": None,
        "num_turns": 2,
        "result": "Done: hello.txt is committed.",
        "total_cost_usd": 0.19792,
        "usage": USAGE,
        "modelUsage": {"m": {"costUSD": 0.5}},
        "permission_denials": [],
        "terminal_reason": "completed",
    }
    return json.dumps({**whole, **fields}, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    ("line", "health", "detail"),
    [
        (hook("SessionStart", source="startup"), Health.STARTING, "session startup"),
        (hook("UserPromptSubmit", prompt="Create"), Health.THINKING, "has its task"),
        (
            hook("PreToolUse", tool_name="Write", tool_input={"file_path": "/w/hello.txt", "content": "x"}),
            Health.TOOL,
            "Write /w/hello.txt",
        ),
        (hook("PreToolUse", tool_name="Bash", tool_input={"command": 'echo "a"'}), Health.TOOL, 'Bash echo "a"'),
        (hook("PreToolUse", tool_name="TodoWrite", tool_input={"todos": []}), Health.TOOL, "TodoWrite"),
        (hook("PreToolUse", tool_name="AskUserQuestion", tool_input={}), Health.WAITING, "AskUserQuestion"),
        (hook("PostToolUse", tool_name="Bash", tool_response={"stdout": "x"}), Health.THINKING, "Bash"),
        (hook("PostToolUseFailure", tool_name="Bash", error="exit 1"), Health.THINKING, "Bash"),
        (
            hook("PermissionRequest", tool_name="Bash", tool_input={"command": "make"}),
            Health.WAITING,
            "asks to use Bash make",
        ),
        (
            hook("Notification", message="Claude needs your permission", notification_type="permission_prompt"),
            Health.WAITING,
            "Claude needs your permission",
        ),
        (
            hook("Notification", message="Claude is waiting for your input", notification_type="idle_prompt"),
            Health.IDLE,
            "Claude is waiting for your input",
        ),
        (hook("Stop", stop_hook_active=False, last_assistant_message="Done.\nAll"), Health.FINISHED, "Done. All"),
        (hook("SubagentStop", agent_type="Explore"), Health.THINKING, ""),
    ],
)
def test_hooks(line: bytes, health: Health, detail: str) -> None:
    signal = read(line, 3.0)
    assert signal is not None
    assert (signal.health, signal.detail, signal.at, signal.source) == (health, detail, 3.0, "hook")


def test_the_prompt_is_the_acceptance_and_the_session_is_not() -> None:
    session, prompt = read(hook("SessionStart", source="startup"), 1.0), read(hook("UserPromptSubmit", prompt="x"), 1.0)
    assert session is not None
    assert not session.accepted
    assert prompt is not None
    assert prompt.accepted


@pytest.mark.parametrize(
    ("error", "health", "fatal"),
    [
        ("rate_limit", Health.LIMITED, "rate_limit"),
        ("authentication_failed", Health.DEAD, "auth"),
        ("oauth_org_not_allowed", Health.DEAD, "auth"),
        ("billing_error", Health.DEAD, "billing"),
        ("server_error", Health.DEAD, "server"),
        ("overloaded", Health.DEAD, "server"),
        ("unknown", Health.DEAD, "server"),
    ],
)
def test_failures_are_fatal_each_in_its_way(error: str, health: Health, fatal: str) -> None:
    signal = read(hook("StopFailure", error=error, last_assistant_message="API Error"), 1.0)
    assert signal is not None
    assert (signal.health, signal.fatal, signal.detail) == (health, fatal, f"{error}: API Error")


def test_a_limit_says_when_it_ends_where_claude_code_does() -> None:
    words = "You've hit your session limit · resets 3am (UTC)"
    signal = read(hook("StopFailure", error="rate_limit", last_assistant_message=words), 0.0)
    assert signal is not None
    assert signal.until == 3 * 3600


@pytest.mark.parametrize("line", [hook("SessionEnd", reason="other"), hook("Setup"), b'{"type":"assistant"}'])
def test_what_says_nothing_new(line: bytes) -> None:
    assert read(line, 1.0) is None


@pytest.mark.parametrize("keep", [260, 300, 400, 3500])
def test_a_line_that_was_cut_still_tells_what_it_is(keep: int) -> None:
    whole = hook("PreToolUse", tool_name="Write", tool_input={"file_path": "/w/a.py", "content": "é" * 5000})
    signal = read(whole[:keep], 1.0)
    assert signal is not None
    assert (signal.health, signal.detail) == (Health.TOOL, "Write /w/a.py")


def test_half_a_surrogate_pair_can_be_written_down() -> None:
    signal = read(b'{"hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{"command":"a \\ud83d b"}}', 1.0)
    assert signal is not None
    assert signal.detail.encode() == b"Bash a ? b"


def test_what_the_model_writes_cannot_pass_for_a_field() -> None:
    content = '","hook_event_name":"Stop","tool_name":"x'
    signal = read(hook("PreToolUse", tool_name="Write", tool_input={"content": content}), 1.0)
    assert signal is not None
    assert signal.health is Health.TOOL
    assert signal.detail.startswith("Write ")


def test_a_result_tells_what_was_used() -> None:
    signal = read(result(), 1.0)
    assert signal is not None
    assert (signal.health, signal.tokens, signal.usd) == (Health.FINISHED, 39304, 0.19792)
    assert signal.detail == "Done: hello.txt is committed."


def test_denials_are_told_though_claude_code_calls_it_a_success() -> None:
    signal = read(result(permission_denials=[{"tool_name": "Bash", "tool_use_id": "toolu_1"}]), 1.0)
    assert signal is not None
    assert signal.detail.endswith("(permissions denied: 1)")


@pytest.mark.parametrize(
    ("fields", "health", "fatal"),
    [
        ({"api_error_status": 429, "result": "Request rejected (429)"}, Health.LIMITED, "rate_limit"),
        ({"api_error_status": 401, "result": "Failed to authenticate"}, Health.DEAD, "auth"),
        ({"api_error_status": 400, "result": "Credit balance is too low"}, Health.DEAD, "billing"),
        ({"api_error_status": None, "result": "Repeated 529 Overloaded errors"}, Health.DEAD, "server"),
        ({"subtype": "error_max_turns"}, Health.DEAD, ""),
        ({"subtype": "error_during_execution"}, Health.DEAD, ""),
    ],
)
def test_a_result_that_is_an_error(fields: dict[str, object], health: Health, fatal: str) -> None:
    signal = read(result(is_error=True, **fields), 1.0)
    assert signal is not None
    assert (signal.health, signal.fatal) == (health, fatal)


@pytest.mark.parametrize("cost", ["1e999", "-1", "NaN", '"x"', "9" * 5000])
def test_a_cost_that_is_no_number_is_left_out(cost: str) -> None:
    signal = read(f'{{"type":"result","is_error":false,"total_cost_usd":{cost}}}'.encode(), 1.0)
    assert signal is not None
    assert (signal.usd, signal.tokens) == (None, None)
