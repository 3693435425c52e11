"""What Claude Code is started with: its settings (hooks, permissions), its options, and the shell around it.

The shell is in the `claude_*.sh` files beside this one; each attempt gets its own copy, so that an upgrade of ours does
not pull it from under a running agent. A hook is a shell and two small programs: a few milliseconds, no Python.
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from omni_tui.errors import OmniError
from omni_tui.model.attempt import AgentSpec
from omni_tui.plugins.agent.claude_signals import HOOKS
from omni_tui.plugins.agent.environment import agent_file
from omni_tui.plugins.agent.protocol import Assignment

SCRIPTS = ("start", "hook", "stop")

CONVENTIONS = "If the repository has a CLAUDE.md or an AGENTS.md at its root, read it before you begin."
"""Said to the agent, because with the repository's settings its CLAUDE.md is shut out too (`--setting-sources ''`)."""


def write_settings(assignment: Assignment, directory: Path) -> None:
    """Write `settings.json` and the shell files into `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    for name in SCRIPTS:
        script = Path(__file__).with_name(f"claude_{name}.sh").read_text(encoding="utf-8")
        (directory / f"{name}.sh").write_text(script, encoding="utf-8")
    settings = {
        "hooks": {event: [_hook(event, directory, assignment.agent.mode)] for event in HOOKS},
        "permissions": {"allow": [f"Read(/{assignment.prompt})"]},
        "skipDangerousModePermissionPrompt": True,
        "spinnerTipsEnabled": False,
        "disableDeepLinkRegistration": "disable",
    }
    (directory / "settings.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def arguments(agent: AgentSpec, program: str, directory: Path) -> tuple[str, ...]:
    """Return the argv that starts Claude Code with what `write_settings` put into `directory`."""
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
    return ("/bin/sh", str(directory / "start.sh"), agent.mode, program, *options)


def check_limits(assignment: Assignment) -> None:
    """Raise `OmniError` for limits that Claude Code would not keep: it does so in print mode only."""
    agent = assignment.agent
    if agent.mode != "print" and (agent.max_turns or agent.max_usd):
        raise OmniError(
            "Claude Code keeps limits of turns and money in print mode only",
            where=agent_file(assignment),
            fix='say `mode = "print"`, or take out `max_turns` and `max_usd`',
        )


def _hook(event: str, directory: Path, mode: str) -> dict[str, object]:
    script = shlex.quote(str(directory / ("stop.sh" if event == "Stop" else "hook.sh")))
    return {"hooks": [{"type": "command", "command": f"exec sh {script} {mode}", "timeout": 10}]}
