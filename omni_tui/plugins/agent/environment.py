"""The environment that every agent is started with, whatever its harness: what a user's program may rely on."""

from __future__ import annotations

from collections.abc import Mapping

from omni_tui.errors import OmniError
from omni_tui.plugins.agent.protocol import Assignment


def agent_environment(assignment: Assignment, harness: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an agent's whole environment: ours as far as allowed, the harness's, the user's for it, and the task's.

    `OMNI_TASK` is the task's id, `OMNI_WORKSPACE` its workspace, `OMNI_ATTEMPT` the attempt's number, `OMNI_PROMPT` the
    prompt file, `OMNI_WORKTREE` the checkout, `OMNI_EVENTS` the file to append signals to, `OMNI_BASE` the commit that
    it started from. Raises `OmniError` when `agent.toml` names a secret that is not set.
    """
    check_secrets(assignment)
    return {**assignment.environment, **(harness or {}), **assignment.agent.env, **task_variables(assignment)}


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
            fix=f"export {missing[0]} before omni-tui is started, or take it out of `secrets`",
        )


def agent_file(assignment: Assignment) -> str:
    """Return the name of the file that a person must change to change this agent."""
    return f"workspaces/{assignment.attempt.task.workspace}/agents/{assignment.agent.name}/agent.toml"
