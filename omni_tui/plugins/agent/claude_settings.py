"""What Claude Code is started with: its settings (hooks, permissions), its options, and the shell around it.

The shell is in the `claude_*.sh` files beside this one; each attempt gets its own copy, so that an upgrade of ours does
not pull it from under a running agent. A hook is a shell and two small programs: a few milliseconds, no Python.
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from omni_tui.plugins.agent.claude_signals import HOOKS
from omni_tui.plugins.agent.protocol import Assignment

SCRIPTS = ("start", "hook", "stop", "deny", "status")

WRITABLE = "out"
"""The directory for what the shell files write: they themselves, and the settings, are not the agent's to change."""

STATUS_SECONDS = 15
"""How often the status line is asked for beside at each message: while a sub-agent works the session has none."""

WAY_OUT = (
    "Nobody is there to allow or to answer this. Do it in another way, with what you may use. Where something is to be "
    "decided, decide it yourself and say so in the commit message. If the task cannot be done without it, stop and say "
    "why."
)
"""Said to an agent whose request is refused: it goes on, or stops, instead of waiting."""

DENIAL = {
    "hookSpecificOutput": {
        "hookEventName": "PermissionRequest",
        "decision": {"behavior": "deny", "message": WAY_OUT},
    }
}

CONVENTIONS = "If the repository has a CLAUDE.md or an AGENTS.md at its root, read it before you begin."
"""Said to the agent, because with the repository's settings its CLAUDE.md is shut out too (`--setting-sources ''`)."""


def write_settings(assignment: Assignment, directory: Path) -> None:
    """Write `settings.json` and the shell files into `directory`."""
    (directory / WRITABLE).mkdir(parents=True, exist_ok=True)
    for name in SCRIPTS:
        script = Path(__file__).with_name(f"claude_{name}.sh").read_text(encoding="utf-8")
        (directory / f"{name}.sh").write_text(script, encoding="utf-8")
    (directory / "denial.json").write_text(json.dumps(DENIAL) + "\n", encoding="utf-8")
    settings = {
        "hooks": {event: [_hook(event, directory, assignment)] for event in HOOKS},
        "statusLine": _status_line(directory),
        "permissions": {"allow": [f"Read(/{assignment.prompt})"]},
        "skipDangerousModePermissionPrompt": True,
        "spinnerTipsEnabled": False,
        "disableDeepLinkRegistration": "disable",
    }
    (directory / "settings.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def arguments(assignment: Assignment, program: str, directory: Path) -> tuple[str, ...]:
    """Return the argv that starts Claude Code with what `write_settings` put into `directory`.

    It keeps limits of turns and money by itself in print mode only; we keep them in both, from outside.
    """
    agent = assignment.agent
    options = ["--settings", str(directory / "settings.json"), "--setting-sources", "", "--strict-mcp-config"]
    options += ["--permission-mode", agent.permission_mode, "--append-system-prompt", CONVENTIONS]
    if agent.model:
        options += ["--model", agent.model]
    if agent.mode == "print":
        options += ["--print", "--output-format", "stream-json", "--verbose"]
    if agent.max_turns and agent.mode == "print":
        options += ["--max-turns", str(agent.max_turns)]
    if agent.max_usd and agent.mode == "print":
        options += ["--max-budget-usd", f"{agent.max_usd:g}"]
    allowed = (*agent.allowed_tools, *assignment.questions.allow)
    if allowed:
        options += ["--allowedTools", ",".join(allowed)]
    return ("/bin/sh", str(directory / "start.sh"), agent.mode, program, *options)


def _status_line(directory: Path) -> dict[str, object]:
    command = f"exec sh {shlex.quote(str(directory / 'status.sh'))}"
    return {"type": "command", "command": command, "refreshInterval": STATUS_SECONDS}


def _hook(event: str, directory: Path, assignment: Assignment) -> dict[str, object]:
    name = "stop.sh" if event == "Stop" else "hook.sh"
    if event == "PermissionRequest" and assignment.questions.policy == "deny":
        name = "deny.sh"
    script = shlex.quote(str(directory / name))
    return {"hooks": [{"type": "command", "command": f"exec sh {script} {assignment.agent.mode}", "timeout": 10}]}
