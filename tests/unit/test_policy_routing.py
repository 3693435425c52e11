"""Which agent gets a task."""

from __future__ import annotations

import pytest

from omni_tui.model.attempt import AgentSpec
from omni_tui.model.task import Task
from omni_tui.policy.routing import choose_agent

AGENTS = tuple(
    AgentSpec(name=name, harness=harness)
    for name, harness in (("ada", "claude"), ("bob", "command"), ("cyd", "claude"))
)


@pytest.mark.parametrize(
    ("agent", "harness", "turn", "expected"),
    [
        pytest.param(None, None, 0, "ada", id="in turn, first"),
        pytest.param(None, None, 2, "cyd", id="in turn, third"),
        pytest.param(None, None, 3, "ada", id="in turn, around"),
        pytest.param("bob", None, 0, "bob", id="by name"),
        pytest.param(None, "claude", 0, "ada", id="by harness"),
        pytest.param(None, "claude", 1, "cyd", id="by harness, in turn"),
        pytest.param("cyd", "claude", 0, "cyd", id="by both"),
    ],
)
def test_chosen(agent: str | None, harness: str | None, turn: int, expected: str) -> None:
    chosen = choose_agent(Task(workspace="w", id="t", title="t", agent=agent, harness=harness), AGENTS, turn)
    assert isinstance(chosen, AgentSpec)
    assert chosen.name == expected


@pytest.mark.parametrize(
    ("agent", "harness", "agents", "words"),
    [
        pytest.param(None, None, (), "the workspace has no agent", id="no agents"),
        pytest.param("bop", None, AGENTS, "no agent `bop`; did you mean `bob`?", id="nearest agent"),
        pytest.param("zzz", None, AGENTS, "no agent `zzz`; there is `ada`, `bob`, `cyd`", id="nothing near"),
        pytest.param(None, "claud", AGENTS, "in harness `claud`; did you mean `claude`?", id="nearest harness"),
        pytest.param(None, "zzz", AGENTS, "in harness `zzz`; there is `claude`, `command`", id="unknown harness"),
        pytest.param(
            "bob", "claude", AGENTS, "agent `bob` runs in `command`, and the task wants `claude`", id="both clash"
        ),
    ],
)
def test_problem(agent: str | None, harness: str | None, agents: tuple[AgentSpec, ...], words: str) -> None:
    problem = choose_agent(Task(workspace="w", id="t", title="t", agent=agent, harness=harness), agents, 0)
    assert isinstance(problem, str)
    assert words in problem
