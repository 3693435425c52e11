"""Vitals: what supervision judges by, and the bounds that it judges against. All times are monotonic seconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from omni_tui.model.attempt import AgentSpec
from omni_tui.model.change import CommitSketch
from omni_tui.model.settings import LimitSettings, QuestionSettings, Settings
from omni_tui.model.signal import Health
from omni_tui.model.task import Task
from omni_tui.policy.budget import Ledger
from omni_tui.policy.evidence import Opinion
from omni_tui.policy.usage import Usage

Number = TypeVar("Number", int, float)

UNLIMITED = Usage()

OF_AN_ATTEMPT = {
    "turns": "max_turns in agent.toml",
    "tokens": "max_tokens in agent.toml",
    "usd": "max_usd in agent.toml",
}
"""Which setting limits each amount of one attempt."""


class Vitals(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a running attempt."""

    started: float
    """When the agent was started."""
    last_signal: float
    """When the last structured signal came; `started` while none has."""
    accepted: bool = False
    """The agent itself has signalled that it has the task."""
    health: Health = Health.STARTING
    waiting_since: float | None = None
    """WAITING: since when its question stands."""
    exited: bool = False
    status: int | None = None
    """The exit status as a shell tells it; None with `exited`: nobody could record it, as after a kill -9."""
    over_mb: float = 0.0
    """With `exited`: its cap of memory, where the kernel ended processes of it because its tree was at that."""
    fatal: str = ""
    """Why the harness cannot go on: `auth`, `billing`, `server`, `rate_limit`; empty: it can."""
    detail: str = ""
    """What the last signal said, for a person."""
    until: float | None = None
    """LIMITED: when the limit ends, UTC seconds."""
    session: bool = False
    """The harness keeps a record of its session, and `last_signal` is that one's too."""
    opinion: Opinion | None = None
    """The last second opinion."""
    used: Usage = Usage()
    """By this attempt."""
    tells: bool = False
    """Something was said of what it uses."""
    money: bool = False
    """That was money, or tokens whose price is known."""
    calls: tuple[str, ...] = ()
    """The latest tool calls, as far as a loop among them could begin."""
    commits: tuple[CommitSketch, ...] = ()
    """Those of the attempt, once there are enough to be a loop; the newest last."""
    output: int = 0
    """Bytes of signals and terminal output so far, as far as they are counted."""


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """The time of a judgement on both clocks."""

    monotonic: float
    utc: float


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What an attempt may take."""

    limits: LimitSettings = LimitSettings()
    questions: QuestionSettings = QuestionSettings()
    attempt: Usage = Usage()
    """The limit of this attempt alone."""
    task: Usage = Usage()
    """The limit of the task's attempts together."""
    set_by: Mapping[str, str] = {}
    """Which setting limits each amount of `task`, for a person."""
    before: Usage = Usage()
    """What the task's earlier attempts have used."""
    shared: tuple[Ledger, ...] = ()
    """Budgets that it shares with others: its provider's, the night's."""
    money: tuple[str, ...] = ()
    """The settings that limit its money."""
    own_money: bool = False
    """Whether its task's head alone does: then no other task is concerned."""

    def own(self, task: str) -> Ledger:
        """Return the task's own budget."""
        return Ledger(name=task, kind="task", limit=self.task, before=self.before)


def bounds(
    settings: Settings,
    agent: AgentSpec,
    task: Task,
    before: Usage,
    shared: tuple[Ledger, ...] = (),
    each: Usage = UNLIMITED,
) -> Bounds:
    """Return the bounds of an attempt by `agent`: the fleet's, but for what the agent and the task say themselves.

    `each` is what its provider allows a task.
    """
    limits = settings.limits
    usd = limits.usd if task.budget is None else task.budget
    together = Usage(
        turns=limits.turns,
        tokens=_least(limits.tokens, each.tokens),
        usd=_least(usd, each.usd),
        minutes=_least(limits.task_minutes, each.minutes),
    )
    money = _money(limits, agent, task, shared, each)
    return Bounds(
        limits=msgspec.structs.replace(
            limits,
            stall_minutes=agent.stall_minutes or limits.stall_minutes,
            tool_minutes=agent.tool_minutes or limits.tool_minutes,
        ),
        questions=settings.questions,
        attempt=Usage(turns=agent.max_turns, tokens=agent.max_tokens, usd=agent.max_usd),
        task=together,
        set_by=_set_by(agent, task, together, each),
        before=before,
        shared=shared,
        money=money,
        own_money=money == (_in_its_head(task),),
    )


def _set_by(agent: AgentSpec, task: Task, together: Usage, each: Usage) -> Mapping[str, str]:
    """Return which setting limits each amount of a task; its provider's where that is what binds."""
    provider = f"in providers/{agent.provider}.toml"
    ours = {
        "turns": "limits.turns in config.toml",
        "tokens": "limits.tokens in config.toml",
        "usd": "limits.usd in config.toml" if task.budget is None else _in_its_head(task),
        "minutes": "limits.task_minutes in config.toml",
    }
    theirs = {"tokens": f"task.tokens {provider}", "usd": f"task.usd {provider}", "minutes": f"task.hours {provider}"}
    return ours | {name: said for name, said in theirs.items() if 0 < getattr(each, name) == getattr(together, name)}


def _in_its_head(task: Task) -> str:
    return f"budget in the head of {task.ref}"


def _money(
    limits: LimitSettings, agent: AgentSpec, task: Task, shared: tuple[Ledger, ...], each: Usage
) -> tuple[str, ...]:
    """Return the settings that limit an attempt's money; none do where it costs nothing."""
    found = {
        "max_usd in agent.toml": agent.max_usd,
        _in_its_head(task): task.budget or 0.0,
        "limits.usd in config.toml": limits.usd if task.budget is None else 0.0,
        f"task.usd in providers/{agent.provider}.toml": each.usd,
        **{ledger.money: ledger.limit.usd for ledger in shared},
    }
    return () if agent.cost.free else tuple(name for name, limit in found.items() if limit)


def _least(one: Number, other: Number) -> Number:
    """Return the lower of two limits, of which 0 is none."""
    return min(one, other) if one and other else one or other
