"""What Claude Code uses and repeats: its transcript, its status line, its tool calls."""

from __future__ import annotations

import json
from typing import Any

import pytest

from omni_tui.model.signal import Health, Signal
from omni_tui.plugins.agent.claude import ClaudeAgent
from omni_tui.plugins.agent.claude_signals import read

TRANSCRIPT = "/h/.claude/projects/-w/97933b21.jsonl"


def answer(number: str, output: int, **usage: int) -> bytes:
    """Return a line of the transcript in the order of 2.1.197, whose text quotes a hook."""
    whole = {
        "parentUuid": "0",
        "isSidechain": False,
        "message": {
            "model": "m",
            "id": number,
            "role": "assistant",
            "content": [{"type": "text", "text": '{"hook_event_name": "Stop"}'}],
            "usage": {"input_tokens": 100, "output_tokens": output, "service_tier": "standard", **usage},
        },
        "type": "assistant",
        "uuid": "1",
    }
    return json.dumps(whole).encode()


def hook(event: str, **fields: object) -> bytes:
    return json.dumps({"transcript_path": TRANSCRIPT, "hook_event_name": event, **fields}).encode()


def heard(agent: ClaudeAgent, line: bytes) -> Signal:
    signal = agent.read(line, 5.0)
    assert signal is not None
    return signal


def test_each_answer_counts_once_with_the_most_that_was_said_of_it() -> None:
    agent = ClaudeAgent()
    signals = [
        heard(agent, answer("msg_1", 1)),
        heard(agent, answer("msg_1", 20)),
        heard(agent, answer("msg_1", 20)),
        heard(agent, answer("msg_2", 7, cache_read_input_tokens=1000, cache_creation_input_tokens=10)),
    ]
    assert [(signal.turns, signal.tokens) for signal in signals] == [(1, 101), (1, 120), (1, 120), (2, 1237)]
    assert {(signal.source, signal.health) for signal in signals} == {("transcript", Health.THINKING)}


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b'{"usage"',
        b'"usage"',
        b'{"type":"user","message":{"id":"1","usage":{}}}',
        b'{"type":"assistant","message":"usage"}',
        b'{"type":"assistant","message":{"id":7,"usage":{}}}',
        b'{"type":"assistant","message":{"id":"1","usage":{"input_tokens":"many"}}}',
        b'{"type":"assistant","message":{"id":"1","usage":{"input_tokens":1e400}}}',
        answer("msg_1", -1),
        answer("msg_1", 10**30),
        b"\xff" + answer("msg_1", 1),
        answer("msg_1", 1)[:-40],
        b"[" * 100_000 + b'"usage"',
    ],
)
def test_what_is_no_answer_is_nothing(line: bytes) -> None:
    assert ClaudeAgent().read(line, 5.0) is None


def test_the_session_is_named_by_its_hooks() -> None:
    assert heard(ClaudeAgent(), hook("SessionStart", source="startup")).session == TRANSCRIPT


def test_a_subagent_adds_to_a_transcript_of_its_own() -> None:
    line = json.dumps({"transcript_path": TRANSCRIPT, "agent_id": "afd1", "hook_event_name": "SubagentStart"})
    own = "/h/.claude/projects/-w/97933b21/subagents/agent-afd1.jsonl"
    assert heard(ClaudeAgent(), line.encode()).session == own


@pytest.mark.parametrize("name", ["../../x", "a/b", "", "a\u202eb", "x" * 200, 7])
def test_a_name_that_leads_elsewhere_names_no_transcript(name: object) -> None:
    line = json.dumps({"transcript_path": TRANSCRIPT, "agent_id": name, "hook_event_name": "SubagentStart"})
    assert heard(ClaudeAgent(), line.encode()).session == TRANSCRIPT


def test_what_a_tool_is_given_names_no_subagent() -> None:
    line = hook("PreToolUse", tool_name="Ask", tool_input={"agent_id": "afd1"})
    assert heard(ClaudeAgent(), line).session == TRANSCRIPT


def test_the_cost_is_life_but_tells_of_nothing_else() -> None:
    agent = ClaudeAgent()
    heard(agent, hook("PreToolUse", tool_name="Bash", tool_input={"command": "make"}))
    signal = heard(agent, b'{"hook_event_name":"StatusLine","total_cost_usd":0.027499999999999997}')
    assert (signal.usd, signal.health, signal.detail) == (0.027499999999999997, Health.TOOL, "Bash make")
    assert (signal.call, signal.accepted, signal.fatal) == ("", False, "")


def test_a_cost_before_all_else_is_no_hand_over() -> None:
    signal = heard(ClaudeAgent(), b'{"hook_event_name":"StatusLine","total_cost_usd":0}')
    assert (signal.health, signal.accepted, signal.usd) == (Health.STARTING, False, 0.0)
    assert ClaudeAgent().read(b'{"hook_event_name":"StatusLine","total_cost_usd":much}', 5.0) is None


def called(tool: str, given: Any, cut: int | None = None) -> str:  # noqa: ANN401 - whatever a tool is given
    signal = read(hook("PreToolUse", tool_name=tool, tool_input=given)[:cut], 5.0)
    assert signal is not None
    return signal.call


def test_the_same_call_is_the_same_text() -> None:
    one = called("Bash", {"command": "npm  test", "description": "Run the tests"})
    assert one.startswith("Bash npm test #")
    assert one == called("Bash", {"description": "Once more", "command": "npm test"})
    assert one != called("Bash", {"command": "npm test -- --all"})
    assert one != called("Shell", {"command": "npm test"})


def test_calls_that_look_alike_are_told_apart_by_all_of_their_input() -> None:
    edits = [called("Edit", {"file_path": "/w/a.py", "old_string": "x", "new_string": new}) for new in "abab"]
    assert edits[0] == edits[2] != edits[1] == edits[3]
    assert all(edit.startswith("Edit /w/a.py #") for edit in edits)


@pytest.mark.parametrize("given", [{"content": "x" * 5000}, {"content": "x"}])
def test_a_call_that_was_cut_is_none_that_could_repeat(given: dict[str, str]) -> None:
    whole = len(hook("PreToolUse", tool_name="Write", tool_input=given))
    assert called("Write", given, whole - 3) == ""


def test_an_input_that_is_no_table_is_none_that_could_repeat() -> None:
    assert called("Odd", ["x"]) == ""


def test_a_refusal_is_no_question_any_more() -> None:
    request = hook("PermissionRequest", tool_name="Bash", tool_input={"command": "rm -rf /"})
    signal = read(b'{"hook_event_name":"PermissionDenied","request":' + request, 5.0)
    assert signal is not None
    assert (signal.health, signal.detail) == (Health.THINKING, "was refused Bash rm -rf /")
