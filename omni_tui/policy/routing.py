"""Routing: which agent gets a task, and who serves it.

An agent that several providers could serve counts once for each. A task says whom it wants (`agent`, `harness`,
`provider`); among the rest go first who serves now, what is good for its labels, then priority, price and record.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

import msgspec

from omni_tui.model.attempt import AgentSpec
from omni_tui.model.provider import Provider, Standing
from omni_tui.model.task import Task, TaskRef
from omni_tui.policy.breaker import Breaker

NOBODY: Mapping[str, Standing] = {}
NOBODY_TAKES_IT = "name an agent or provider that is there, or make what is named under agents/ or providers/"
"""What a person does about a task that no agent can get."""


def provider_of(agent: AgentSpec) -> str:
    """Return who serves an agent; else its harness stands for its provider, and any other program has its own."""
    return agent.provider or (agent.name if agent.harness == "command" else agent.harness)


def serve(agents: Iterable[AgentSpec], providers: Mapping[str, Provider]) -> tuple[AgentSpec, ...]:
    """Return the agents, each as often as there are providers that fit it; as it is where no provider has a file."""
    return tuple(
        served
        for agent in agents
        for served in [_served(agent, each) for each in providers.values() if _fits(agent, each)] or [agent]
    )


def _fits(agent: AgentSpec, provider: Provider) -> bool:
    return provider.harness == agent.harness and agent.provider in ("", provider.name)


def _served(agent: AgentSpec, provider: Provider) -> AgentSpec:
    """Return an agent as a provider serves it."""
    key = () if not provider.key or provider.key in agent.secrets else (provider.key,)
    return msgspec.structs.replace(
        agent,
        provider=provider.name,
        model=agent.model or provider.model,
        base_url=provider.base_url,
        key=provider.key,
        secrets=(*agent.secrets, *key),
        cost=provider.cost,
    )


def providers_for(task: Task, agents: Sequence[AgentSpec]) -> frozenset[str]:
    """Return who could serve a task; nobody where no agent can take it."""
    chosen = (choose_agent(task, [agent], 0) for agent in agents)
    return frozenset(provider_of(agent) for agent in chosen if isinstance(agent, AgentSpec))


def servers(tasks: Iterable[Task], agents: Sequence[AgentSpec]) -> Mapping[TaskRef, frozenset[str]]:
    """Return who could serve each of a workspace's tasks: the same for all that want the same."""
    known: dict[tuple[str | None, ...], frozenset[str]] = {}
    found = {}
    for task in tasks:
        wish = (task.agent, task.harness, task.provider)
        if wish not in known:
            known[wish] = providers_for(task, agents)
        found[task.ref] = known[wish]
    return found


def nobody_takes(task: Task, agents: Sequence[AgentSpec]) -> str:
    """Return why none of a workspace's agents will ever get a task, whatever its providers do; empty: one can."""
    wanted = _wanted(task, agents)
    return wanted if isinstance(wanted, str) else ""


def choose_agent(
    task: Task, agents: Sequence[AgentSpec], turn: int, standings: Mapping[str, Standing] = NOBODY
) -> AgentSpec | str:
    """Return the best of the agents that the task may go to; those that are equally good get one in turn.

    `turn` counts up with each choice. Text instead of an agent is the problem, said so that a person can mend it.
    """
    candidates = _wanted(task, agents)
    if isinstance(candidates, str):
        return candidates
    ranks = {name: rank(task, name, standings) for name in map(provider_of, candidates)}
    best = min(ranks.values())
    candidates = [agent for agent in candidates if ranks[provider_of(agent)] == best]
    chosen = candidates[turn % len(candidates)]
    return msgspec.structs.replace(chosen, chosen=_why(provider_of(chosen), ranks, standings))


def _why(name: str, ranks: Mapping[str, tuple[float, ...]], standings: Mapping[str, Standing]) -> str:
    """Say in what the chosen provider is better than the next best; empty: there is no other."""
    others = {other: each for other, each in ranks.items() if other != name}
    if not others:
        return ""
    second = min(others, key=lambda other: others[other])
    differs = (number for number, (one, two) in enumerate(zip(ranks[name], ranks[second], strict=True)) if one != two)
    standing = standings.get(name) or Standing(name=name)
    reasons = (
        f"{second} cannot serve now",
        f"it is better for such tasks than {second}",
        f"its priority of {standing.priority} is above that of {second}",
        f"it is cheaper than {second}",
        f"fewer of its changes are rejected than of {second}'s",
    )
    return next((reasons[number] for number in differs), f"in turn with {second}")


def _wanted(task: Task, agents: Sequence[AgentSpec]) -> list[AgentSpec] | str:
    """Return the agents that the task may go to; else the problem."""
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
    served = [agent for agent in candidates if task.provider in (None, provider_of(agent))]
    if task.provider is not None and not served:
        nearest = _nearest(task.provider, map(provider_of, candidates))
        return f"no agent that could take it is served by provider `{task.provider}`{nearest}"
    return served


def rank(task: Task, name: str, standings: Mapping[str, Standing]) -> tuple[float, ...]:
    """Return how far back a provider stands for a task: health, labels, priority, price, record; the least is best."""
    standing = standings.get(name) or Standing(name=name)
    good = 1 if not standing.labels else 0 if set(standing.labels) & set(task.labels) else 2
    return (_ill(standing), good, -standing.priority, standing.price, round(standing.rejected, 1))


def _ill(standing: Standing) -> int:
    """Return 0 for one that serves, 1 for one to be tried, 2 for one that could not take another now."""
    full = bool(standing.slots) and standing.used >= standing.slots
    if standing.state == Breaker.OPEN or standing.spent or standing.unproven or standing.probing or full:
        return 2
    return 1 if standing.state == Breaker.HALF_OPEN else 0


def _nearest(name: str, known: Iterable[str]) -> str:
    """Name what was probably meant, else what there is."""
    names = sorted(set(known))
    close = get_close_matches(name, names, n=1)
    if close:
        return f"; did you mean `{close[0]}`?"
    return f"; there is {', '.join(f'`{other}`' for other in names)}"
