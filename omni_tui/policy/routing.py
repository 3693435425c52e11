"""Routing: which agent gets a task."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from omni_tui.model.attempt import AgentSpec
from omni_tui.model.task import Task


def provider_of(agent: AgentSpec) -> str:
    """Return who serves an agent: its harness stands for its provider; any other program may have its own."""
    return agent.name if agent.harness == "command" else agent.harness


def providers_for(task: Task, agents: Sequence[AgentSpec]) -> frozenset[str]:
    """Return who could serve a task; nobody where no agent can take it."""
    chosen = (choose_agent(task, [agent], 0) for agent in agents)
    return frozenset(provider_of(agent) for agent in chosen if isinstance(agent, AgentSpec))


def choose_agent(task: Task, agents: Sequence[AgentSpec], turn: int) -> AgentSpec | str:
    """Return the agent that the task names, else one of its harness, else the workspace's agents in turn.

    `turn` counts up with each choice. Text instead of an agent is the problem, said so that a person can mend it.
    """
    if not agents:
        return "the workspace has no agent: make a directory for one under its agents/"
    candidates = list(agents)
    if task.agent is not None:
        candidates = [agent for agent in candidates if agent.name == task.agent]
        if not candidates:
            return f"there is no agent `{task.agent}`{_nearest(task.agent, (agent.name for agent in agents))}"
    if task.harness is not None:
        fitting = [agent for agent in candidates if agent.harness == task.harness]
        if not fitting and task.agent is not None:
            return f"agent `{task.agent}` runs in `{candidates[0].harness}`, and the task wants `{task.harness}`"
        if not fitting:
            nearest = _nearest(task.harness, (agent.harness for agent in agents))
            return f"no agent runs in harness `{task.harness}`{nearest}"
        candidates = fitting
    return candidates[turn % len(candidates)]


def _nearest(name: str, known: Iterable[str]) -> str:
    """Name what was probably meant, else what there is."""
    names = sorted(set(known))
    close = get_close_matches(name, names, n=1)
    if close:
        return f"; did you mean `{close[0]}`?"
    return f"; there is {', '.join(f'`{other}`' for other in names)}"
