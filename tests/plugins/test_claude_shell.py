"""The shell around Claude Code, run for real, with a stand-in for Claude Code itself."""

from __future__ import annotations

import json
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from omni_tui.model.attempt import AgentSpec
from omni_tui.model.signal import Health
from omni_tui.plugins.agent.claude import ClaudeAgent
from omni_tui.plugins.agent.protocol import Assignment, Invocation
from tests.support.assignments import PROMPT, git, make_assignment

STAND_IN = """#!/bin/sh
printf '%s\\0' "$@" > "$HOME/arguments"
if read -r line; then echo "stdin is open"; fi
cat "$HOME/stream" 2>/dev/null
exit "$(cat "$HOME/status" 2>/dev/null || echo 0)"
"""


class Setup:
    """A prepared attempt."""

    def __init__(self, root: Path, **agent: object) -> None:
        spec = AgentSpec(name="one", harness="claude", **agent)  # type: ignore[arg-type]
        program = root / "bin" / "claude"
        program.parent.mkdir()
        program.write_text(STAND_IN, encoding="utf-8")
        program.chmod(0o755)
        self.home = root / "home"
        self.assignment: Assignment = make_assignment(root, spec, {"PATH": f"{program.parent}:{os.environ['PATH']}"})
        self.invocation: Invocation = ClaudeAgent().prepare(self.assignment)
        settings = (self.assignment.run_dir / "harness" / "settings.json").read_text(encoding="utf-8")
        self.hooks = json.loads(settings)["hooks"]

    def start(self) -> subprocess.CompletedProcess[str]:
        """Run what the pane would run."""
        return subprocess.run(
            self.invocation.argv,
            cwd=self.assignment.worktree,
            env=self.invocation.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=20,
        )

    def arguments(self) -> list[str]:
        """Return what the stand-in was started with."""
        return (self.home / "arguments").read_text(encoding="utf-8").split("\0")[:-1]

    def hook(self, event: str, payload: bytes) -> subprocess.CompletedProcess[bytes]:
        """Run a hook as Claude Code does: by a shell, with the payload on stdin."""
        command = self.hooks[event][0]["hooks"][0]["command"]
        return subprocess.run(
            ("/bin/sh", "-c", command), input=payload, env=self.invocation.env, capture_output=True, timeout=20
        )

    def lines(self) -> list[bytes]:
        """Return the events so far."""
        events = self.assignment.events
        return events.read_bytes().splitlines() if events.exists() else []


def payload(event: str, **fields: object) -> bytes:
    return json.dumps({"session_id": "1", "hook_event_name": event, **fields}, separators=(",", ":")).encode()


def test_the_prompt_is_one_argument_whatever_is_in_it(tmp_path: Path) -> None:
    setup = Setup(tmp_path)
    nasty = "-p $(touch pwned) `touch pwned` \"quoted\" 'and' \\n\n\n* ; exit 1"
    setup.assignment.prompt.write_text(nasty, encoding="utf-8")
    setup.start()
    assert setup.arguments()[-2:] == ["--", nasty]
    assert not (setup.assignment.worktree / "pwned").exists()


@pytest.mark.parametrize("prompt", ["/compact now", " /compact", "\n/compact"])
def test_a_prompt_is_never_taken_for_a_command_of_claude_code(tmp_path: Path, prompt: str) -> None:
    setup = Setup(tmp_path)
    setup.assignment.prompt.write_text(prompt, encoding="utf-8")
    setup.start()
    assert setup.arguments()[-1] == f"Your task: {prompt}"


def test_a_prompt_too_long_for_an_argument_is_named_and_may_be_read(tmp_path: Path) -> None:
    setup = Setup(tmp_path)
    setup.assignment.prompt.write_text("x" * 200_000, encoding="utf-8")
    assert setup.start().returncode == 0
    assert str(setup.assignment.prompt) in setup.arguments()[-1]
    settings = json.loads((setup.assignment.run_dir / "harness" / "settings.json").read_text(encoding="utf-8"))
    assert settings["permissions"]["allow"] == [f"Read(/{setup.assignment.prompt})"]


def test_print_mode_shows_what_is_said_and_makes_the_result_an_event(tmp_path: Path) -> None:
    setup = Setup(tmp_path, mode="print")
    said = {"type": "assistant", "message": {"content": [{"type": "text", "text": "I look."}]}}
    heard = {"type": "user", "message": {"content": [{"type": "text", "text": "x" * 3_000_000}]}}
    result = {"type": "result", "is_error": False, "result": 'say "x" \\ ' * 5000, "total_cost_usd": 0.5}
    text = "\n".join(json.dumps(line, separators=(",", ":")) for line in (said, heard, result))
    (setup.home / "stream").write_text(text + "\n", encoding="utf-8")
    (setup.home / "status").write_text("3", encoding="utf-8")
    done = setup.start()
    assert (done.returncode, done.stdout, done.stderr) == (3, "I look.\n", "")
    assert setup.arguments()[-1] == PROMPT.rstrip("\n")
    (line,) = setup.lines()
    assert len(line) < 3500
    signal = ClaudeAgent().read(line, 1.0)
    assert signal is not None
    assert (signal.health, signal.usd) == (Health.FINISHED, 0.5)


def test_print_mode_that_never_came_to_a_result_leaves_no_event(tmp_path: Path) -> None:
    setup = Setup(tmp_path, mode="print")
    (setup.home / "status").write_text("143", encoding="utf-8")
    assert setup.start().returncode == 143
    assert setup.lines() == []


def test_hooks_side_by_side_leave_whole_lines(tmp_path: Path) -> None:
    setup = Setup(tmp_path)
    big = [payload("PostToolUse", tool_name=f"Tool{number}", tool_response="é" * 100_000) for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        statuses = [done.returncode for done in pool.map(lambda one: setup.hook("PostToolUse", one), big)]
    assert statuses == [0] * 40
    signals = [ClaudeAgent().read(line, 1.0) for line in setup.lines()]
    assert sorted(signal.detail for signal in signals if signal) == sorted(f"Tool{number}" for number in range(40))


def test_a_hook_takes_all_of_three_megabytes(tmp_path: Path) -> None:
    """Claude Code would meet a broken pipe if it did not, as this writer would."""
    setup = Setup(tmp_path)
    command = setup.hooks["PostToolUse"][0]["hooks"][0]["command"]
    with subprocess.Popen(("/bin/sh", "-c", command), stdin=subprocess.PIPE, env=setup.invocation.env) as process:
        assert process.stdin is not None
        process.stdin.write(payload("PostToolUse", tool_name="Bash", out="é" * 1_500_000))
    assert process.returncode == 0
    (line,) = setup.lines()
    assert len(line) == 3500


def test_a_hook_costs_less_than_ten_milliseconds(tmp_path: Path) -> None:
    """The quickest of many, because the machine has other work too."""
    setup = Setup(tmp_path)
    one = payload("PreToolUse", tool_name="Bash", tool_input={"command": "true"})
    seconds = []
    for _ in range(30):
        begin = time.perf_counter()
        setup.hook("PreToolUse", one)
        seconds.append(time.perf_counter() - begin)
    assert min(seconds) < 0.010


def test_an_agent_that_stops_without_a_commit_is_told_once(tmp_path: Path) -> None:
    setup = Setup(tmp_path)
    first = setup.hook("Stop", payload("Stop", stop_hook_active=False, last_assistant_message="Done."))
    assert first.returncode == 2
    assert b"not committed" in first.stderr
    assert setup.lines() == []
    second = setup.hook("Stop", payload("Stop", stop_hook_active=True, last_assistant_message="Done."))
    assert second.returncode == 0
    assert len(setup.lines()) == 1


def test_an_agent_that_has_committed_may_stop(tmp_path: Path) -> None:
    setup = Setup(tmp_path)
    git(setup.assignment.worktree, "commit", "-qm", "Greet", "--allow-empty")
    assert setup.hook("Stop", payload("Stop", stop_hook_active=False)).returncode == 0
    assert len(setup.lines()) == 1


def test_an_agent_may_stop_where_git_cannot_tell(tmp_path: Path) -> None:
    setup = Setup(tmp_path)
    (setup.assignment.worktree / ".git").rename(tmp_path / "gone")
    assert setup.hook("Stop", payload("Stop", stop_hook_active=False)).returncode == 0


def test_what_the_model_says_last_does_not_pass_for_the_stop_hooks_own_field(tmp_path: Path) -> None:
    setup = Setup(tmp_path)
    words = '"stop_hook_active":false'
    assert setup.hook("Stop", payload("Stop", stop_hook_active=True, last_assistant_message=words)).returncode == 0


def test_in_print_mode_the_result_tells_of_the_stop(tmp_path: Path) -> None:
    setup = Setup(tmp_path, mode="print")
    assert setup.hook("Stop", payload("Stop", stop_hook_active=True)).returncode == 0
    assert setup.lines() == []


def test_a_refused_request_is_told_to_both_sides(tmp_path: Path) -> None:
    setup = Setup(tmp_path)
    payload = json.dumps(
        {
            "hook_event_name": "PermissionRequest",
            "tool_name": "Bash",
            "tool_input": {"command": "make it " + "x" * 9000},
        }
    ).encode()
    ran = setup.hook("PermissionRequest", payload)
    answer = json.loads(ran.stdout)["hookSpecificOutput"]
    assert (answer["hookEventName"], answer["decision"]["behavior"]) == ("PermissionRequest", "deny")
    assert "another way" in answer["decision"]["message"]
    [line] = setup.assignment.events.read_bytes().splitlines()
    assert len(line) < 4096, "one short append"
    signal = ClaudeAgent().read(line, 1.0)
    assert signal is not None
    assert signal.detail.startswith("was refused Bash make it xxx")


def test_the_cost_is_written_down_when_it_changes(tmp_path: Path) -> None:
    setup = Setup(tmp_path)
    script = setup.assignment.run_dir / "harness" / "status.sh"

    def refresh(payload: str) -> str:
        ran = subprocess.run(
            ("sh", script), input=payload, env=setup.invocation.env, capture_output=True, text=True, check=True
        )
        return ran.stdout + ran.stderr

    shown = [
        refresh('{"model":{"id":"m"},\n "cost":{"total_cost_usd":0.0055,"total_duration_ms":9}}'),
        refresh('{"cost":{"total_cost_usd":0.0055}}'),
        refresh('{"cost":{}}'),
        refresh('{"cost":{"total_cost_usd":1.1e-05}}'),
    ]
    assert shown == [""] * 4
    lines = setup.assignment.events.read_bytes().splitlines()
    signals = [ClaudeAgent().read(line, 1.0) for line in lines]
    assert [signal.usd for signal in signals if signal is not None] == [0.0055, 1.1e-05]
