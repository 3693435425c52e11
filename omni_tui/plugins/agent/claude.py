"""The `claude` harness: Claude Code, interactive in its pane, or in print mode.

The prompt is given as an argument, never typed. What Claude Code does comes back through hooks, each a few lines of
shell that append to the events file. The repository's own settings, hooks and MCP servers take no part; first-run
dialogs are answered beforehand. It logs in by a variable named in the agent's `secrets` (`ANTHROPIC_API_KEY`,
`ANTHROPIC_AUTH_TOKEN`, or `CLAUDE_CODE_OAUTH_TOKEN` from `claude setup-token`), else by the login in the home directory
of whoever runs us. All else is each attempt's own.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from omni_tui.errors import OmniError
from omni_tui.model.signal import Health, Signal
from omni_tui.plugins.agent import claude_signals
from omni_tui.plugins.agent.claude_config import prepare_config
from omni_tui.plugins.agent.claude_hosts import needed_hosts
from omni_tui.plugins.agent.claude_login import CREDENTIALS, borrow_login, login_tokens
from omni_tui.plugins.agent.claude_settings import WRITABLE, arguments, write_settings
from omni_tui.plugins.agent.claude_transcript import Transcript
from omni_tui.plugins.agent.environment import agent_environment
from omni_tui.plugins.agent.protocol import Assignment, Invocation
from omni_tui.plugins.removal import remove_tree

ENVIRONMENT = {
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_TELEMETRY": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL": "1",
    "CLAUDE_CODE_DISABLE_FEEDBACK_SURVEY": "1",
    "CLAUDE_CODE_DISABLE_TERMINAL_TITLE": "1",
    "CLAUDE_CODE_MAX_RETRIES": "2",
    "API_TIMEOUT_MS": "180000",
    "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",
    "CLAUDE_CODE_DISABLE_CRON": "1",
}
"""Unattended: nothing but the task's own traffic, no retry of the API that outlasts the stall limit, and nothing in
the background or for later: an agent that waits for such a thing stops, as it does when it has finished."""


CLOUDS = ("BEDROCK", "VERTEX", "FOUNDRY")
"""Who else serves its models, as its variables call them."""

ROUTES = (
    "ANTHROPIC_BASE_URL",
    *(f"CLAUDE_CODE_{verb}" for cloud in CLOUDS for verb in (f"USE_{cloud}", f"SKIP_{cloud}_AUTH")),
    *(f"ANTHROPIC_{cloud}_BASE_URL" for cloud in CLOUDS),
    "AWS_REGION",
    "AWS_PROFILE",
    "ANTHROPIC_SMALL_FAST_MODEL_AWS_REGION",
    "ANTHROPIC_VERTEX_PROJECT_ID",
    "CLOUD_ML_REGION",
    "ANTHROPIC_FOUNDRY_RESOURCE",
    "ANTHROPIC_MODEL",
    "ANTHROPIC_SMALL_FAST_MODEL",
    *(f"ANTHROPIC_DEFAULT_{size}_MODEL" for size in ("OPUS", "SONNET", "HAIKU")),
    *(name for proxy in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY") for name in (proxy, proxy.lower())),
)
"""Gateways, the clouds that serve the same models, what models are called there, and proxies on the way (Claude Code's
own documentation, "Environment variables")."""


class ClaudeAgent:
    """Writes Claude Code's settings, starts it, reads its hooks."""

    name: ClassVar[str] = "claude"
    credentials: ClassVar[tuple[str, ...]] = CREDENTIALS
    routes: ClassVar[tuple[str, ...]] = ROUTES

    def __init__(self) -> None:
        self._transcript = Transcript()
        self._last: Signal | None = None
        """What the hooks said last."""

    @classmethod
    def find(cls) -> str | None:
        """Return where Claude Code is installed."""
        return shutil.which("claude")

    def prepare(self, assignment: Assignment) -> Invocation:
        """Write the settings and make the configuration directory ready; say what to start.

        Raises `OmniError` when Claude Code is not installed.
        """
        environment = _environment(assignment)
        program = _program(environment)
        directory = assignment.run_dir / "harness"
        write_settings(assignment, directory)
        config = Path(environment["CLAUDE_CONFIG_DIR"])
        prepare_config(config, assignment.worktree.parent, environment)
        login = borrow_login(assignment.login_dir, environment)
        if login is not None:
            environment["CLAUDE_SECURESTORAGE_CONFIG_DIR"] = str(login)
        return Invocation(
            argv=arguments(assignment, program, directory),
            env=environment,
            read=(directory,),
            write=(directory / WRITABLE, config, *([login] if login else ())),
            hosts=needed_hosts(environment),
        )

    @classmethod
    def tokens(cls, login_dir: Path, environment: Mapping[str, str]) -> tuple[str, ...]:
        """Return the tokens of the login that is borrowed from whoever runs us."""
        return login_tokens(login_dir, environment)

    def forget(self, assignment: Assignment) -> None:
        """Remove the attempt's configuration with all transcripts: what tools printed stands there as it was."""
        remove_tree(assignment.state_dir)

    def started(self, assignment: Assignment, at: float) -> Signal:
        """Return the start as a signal: the hand-over is its prompt hook, not its start."""
        return Signal(health=Health.STARTING, source="start", at=at, detail=assignment.agent.mode)

    def read(self, line: bytes, at: float) -> Signal | None:
        """Normalise a hook's line, print mode's result, the status line's cost, or a line of the transcript."""
        if claude_signals.is_cost(line):
            return claude_signals.read_cost(line, at, self._last)
        signal = claude_signals.read(line, at)
        if signal is None:
            return self._transcript.read(line, at)
        self._last = signal
        return signal


def _environment(assignment: Assignment) -> dict[str, str]:
    own = {"CLAUDE_CONFIG_DIR": str(assignment.state_dir)}
    if assignment.agent.permission_mode == "bypassPermissions" and os.geteuid() == 0:
        own["IS_SANDBOX"] = "1"  # As root it refuses otherwise; whoever chose this mode answers for the machine.
    retries = {"CLAUDE_CODE_MAX_RETRIES": "0"} if assignment.trial else {}
    return agent_environment(assignment, {**ENVIRONMENT, **retries, **own}, "ANTHROPIC_BASE_URL", CREDENTIALS)


def _program(environment: dict[str, str]) -> str:
    """Return Claude Code's path, as the agent's own PATH has it."""
    program = shutil.which("claude", path=environment.get("PATH", os.defpath))
    if program is None:
        raise OmniError(
            "Claude Code is not installed: there is no `claude` in PATH",
            where="harness claude",
            fix="npm install -g @anthropic-ai/claude-code, or name another harness in agent.toml",
        )
    return program
