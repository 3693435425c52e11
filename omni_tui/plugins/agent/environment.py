"""The environment that every agent is started with, whatever its harness: what a user's program may rely on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from omni_tui.errors import OmniError
from omni_tui.model.confinement import HOST
from omni_tui.plugins.agent.protocol import Assignment

BASE_URL = "OMNI_BASE_URL"


def agent_environment(
    assignment: Assignment,
    harness: Mapping[str, str] | None = None,
    base_url: str = BASE_URL,
    credentials: Sequence[str] = (),
) -> dict[str, str]:
    """Return an agent's whole environment: ours as far as allowed, the harness's, the user's for it, and the task's.

    `OMNI_TASK` is the task's id, `OMNI_WORKSPACE` its workspace, `OMNI_ATTEMPT` the attempt's number, `OMNI_PROMPT` the
    prompt file, `OMNI_WORKTREE` the checkout, `OMNI_EVENTS` the file to append signals to, `OMNI_BASE` the commit that
    it started from; `base_url` names the variable for its provider's address. Its provider's key comes under its own
    name, and where that is none of the harness's `credentials`, as the first of these instead of any other.
    Raises `OmniError` when `agent.toml`, or its provider, names a secret that is not set.
    """
    check_secrets(assignment)
    given = {**assignment.environment, **(harness or {}), **assignment.agent.env}
    given |= _of_provider(assignment, given, base_url, credentials)
    return {**given, **task_variables(assignment)}


def _of_provider(
    assignment: Assignment, given: dict[str, str], base_url: str, credentials: Sequence[str]
) -> dict[str, str]:
    """Return the variables by which an agent finds its provider; takes other keys than its own out of `given`."""
    agent = assignment.agent
    found = {base_url: agent.base_url} if agent.base_url else {}
    if agent.key and credentials:
        name = agent.key if agent.key in credentials else credentials[0]
        found[name] = given[agent.key]
        for other in {*credentials, agent.key} - {name}:
            given.pop(other, None)
    return found


def task_variables(assignment: Assignment) -> dict[str, str]:
    """Return the variables that tell an agent its task; nothing may override them."""
    return {
        "OMNI_TASK": assignment.attempt.task.id,
        "OMNI_WORKSPACE": assignment.attempt.task.workspace,
        "OMNI_ATTEMPT": str(assignment.attempt.number),
        "OMNI_PROMPT": str(assignment.prompt),
        "OMNI_WORKTREE": str(assignment.worktree),
        "OMNI_EVENTS": str(assignment.events),
        "OMNI_BASE": assignment.base,
    }


def check_secrets(assignment: Assignment) -> None:
    """Raise `OmniError` for a secret that the agent should get and that nobody has set."""
    missing = [name for name in assignment.agent.secrets if name not in assignment.environment]
    if missing:
        raise OmniError(
            f"{', '.join(missing)} is not set, and the agent needs it",
            where=agent_file(assignment),
            fix=f"export {missing[0]} before omni-tui is started, or do not name it there, or at its provider",
        )


def host_of(url: str) -> str:
    """Return the host and port of a URL; empty: it is none."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return ""
    name = parts.hostname or ""
    host = f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
    return host if re.fullmatch(HOST, host) else ""


def agent_file(assignment: Assignment) -> str:
    """Return the name of the file that a person must change to change this agent."""
    return f"workspaces/{assignment.attempt.task.workspace}/agents/{assignment.agent.name}/agent.toml"
