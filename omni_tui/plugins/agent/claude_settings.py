"""What Claude Code is started with: its settings (hooks, permissions), its options, and the shell around it.

The shell is in the `claude_*.sh` files beside this one. A hook is one `sh` and two small programs, so it costs an agent
a few milliseconds a tool; nothing of it starts a Python.
"""

from __future__ import annotations

import json
from pathlib import Path

from omni_tui.errors import OmniError
from omni_tui.model.attempt import AgentSpec
from omni_tui.plugins.agent.claude_signals import HOOKS
from omni_tui.plugins.agent.environment import agent_file
from omni_tui.plugins.agent.protocol import Assignment

CONVENTIONS = "If the repository has a CLAUDE.md or an AGENTS.md at its root, read it before you begin."
"""Said to the agent, because with the repository's settings its CLAUDE.md is shut out too (`--setting-sources ''`)."""


def shell(name: str) -> str:
    """Return one of the shell files, such as `hook`."""
    return Path(__file__).with_name(f"claude_{name}.sh").read_text(encoding="utf-8")


def settings(assignment: Assignment) -> str:
    """Return the content of the settings file."""
    content = {
        "hooks": {event: [_hook(event, assignment.agent.mode)] for event in HOOKS},
        "permissions": {"allow": [f"Read(/{assignment.prompt})"]},
        "skipDangerousModePermissionPrompt": True,
        "spinnerTipsEnabled": False,
    }
    return json.dumps(content, indent=2) + "\n"


def arguments(agent: AgentSpec, program: str, directory: Path) -> tuple[str, ...]:
    """Return the argv that starts Claude Code; `directory` is the harness's in the run, with `settings.json` in it."""
    script = shell("prompt") + shell("print" if agent.mode == "print" else "interactive")
    options = ["--settings", str(directory / "settings.json"), "--setting-sources", "", "--strict-mcp-config"]
    options += ["--permission-mode", agent.permission_mode, "--append-system-prompt", CONVENTIONS]
    if agent.model:
        options += ["--model", agent.model]
    if agent.mode == "print":
        options += ["--print", "--output-format", "stream-json", "--verbose"]
    if agent.max_turns:
        options += ["--max-turns", str(agent.max_turns)]
    if agent.max_usd:
        options += ["--max-budget-usd", f"{agent.max_usd:g}"]
    if agent.allowed_tools:
        options += ["--allowedTools", ",".join(agent.allowed_tools)]
    return ("/bin/sh", "-c", script, "claude", str(directory), program, *options)


def check_limits(assignment: Assignment) -> None:
    """Raise `OmniError` for limits that Claude Code would not keep: it does so in print mode only."""
    agent = assignment.agent
    if agent.mode != "print" and (agent.max_turns or agent.max_usd):
        raise OmniError(
            "Claude Code keeps limits of turns and money in print mode only",
            where=agent_file(assignment),
            fix='say `mode = "print"`, or take out `max_turns` and `max_usd`',
        )


def _hook(event: str, mode: str) -> dict[str, object]:
    """Return a hook's entry. In print mode it is the result that says the agent has stopped, with what it used."""
    command = shell("hook")
    if event == "Stop":
        command = shell("stop") + ("" if mode == "print" else 'printf \'%s\\n\' "$payload" >> "$OMNI_EVENTS"\n')
    return {"hooks": [{"type": "command", "command": command, "timeout": 10}]}
