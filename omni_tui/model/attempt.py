"""An attempt: one run of one agent at one task, and what the run's directory says of it."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from omni_tui.model.footprint import Footprint
from omni_tui.model.moment import Moment
from omni_tui.model.provider import TokenCost
from omni_tui.model.signal import Health
from omni_tui.model.task import TaskRef


class Phase(StrEnum):
    """How far an attempt is, in the order of `engine.deliver`."""

    PREPARE = "prepare"
    LAUNCH = "launch"
    CONFIRM = "confirm"
    WATCH = "watch"
    INSPECT = "inspect"
    CHECK = "check"
    MERGE = "merge"
    DONE = "done"


class AttemptId(msgspec.Struct, frozen=True, order=True):
    """Which attempt; numbered from 1 within its task."""

    task: TaskRef
    number: int

    @property
    def branch(self) -> str:
        """The attempt's own branch."""
        return f"omni/{self.task.id}/{self.number}"

    @property
    def rescue_ref(self) -> str:
        """Where unfinished work is kept."""
        return f"refs/omni/rescue/{self.task.id}/{self.number}"

    @property
    def checkout(self) -> str:
        """The name of its checkout."""
        return f"{self.task.id}-{self.number}"

    @property
    def process(self) -> str:
        """The name under which the runtime knows its agent."""
        return f"{self.task.workspace}-{self.checkout}"

    def __str__(self) -> str:
        return f"{self.task}#{self.number}"


class AgentSpec(msgspec.Struct, frozen=True, kw_only=True):
    """An agent's identity and settings: its directory under `agents/` with `agent.toml` and `INSTRUCTIONS.md` read."""

    name: str
    harness: str
    model: str = ""
    """As the harness names it; empty: the harness's default."""
    instructions: str = ""
    command: tuple[str, ...] = ()
    """Harness `command`: program and arguments."""
    handover: str = "accepted"
    """`start`: being started counts as having the task; `accepted`: the agent must signal it."""
    mode: str = "interactive"
    """Harness `claude`: `interactive` in its pane, or `print`."""
    permission_mode: str = "acceptEdits"
    allowed_tools: tuple[str, ...] = ()
    max_turns: int = 0
    """0: no limit, as for the next two."""
    max_tokens: int = 0
    max_usd: float = 0.0
    """US dollars an attempt."""
    stall_minutes: float = 0.0
    """Instead of the fleet's; 0: the fleet's, as for the next."""
    tool_minutes: float = 0.0
    env: dict[str, str] = msgspec.field(default_factory=dict)
    """Plain variables for the agent."""
    hosts: tuple[str, ...] = ()
    """What it may reach beside its harness's and the fleet's hosts, where those are all that it may."""
    secrets: tuple[str, ...] = ()
    """Names of environment variables of ours that the agent gets."""
    provider: str = ""
    """Who serves it, as the next three tell; empty: its harness stands for its provider."""
    base_url: str = ""
    key: str = ""
    """Name of the variable among `secrets` that holds its key."""
    cost: TokenCost = TokenCost()
    chosen: str = ""
    """Why who serves it was chosen before others; empty: nobody else could."""


class AttemptStatus(msgspec.Struct, frozen=True, kw_only=True):
    """`status.json` of a run: what a watcher needs to know of an attempt, rewritten at every change."""

    task: str
    workspace: str
    attempt: int
    phase: Phase
    agent: str = ""
    harness: str = ""
    model: str = ""
    provider: str = ""
    """Who serves it."""
    chosen: str = ""
    """Why that one, where another could have."""
    health: Health = Health.STARTING
    source: str = ""
    """Where `health` was seen, as `Signal.source`."""
    signal_at: Moment = 0.0
    """When the last signal came, UTC seconds."""
    detail: str = ""
    reason: str = ""
    """Why the attempt waits, failed or was ended; empty while all is well."""
    started_at: Moment = 0.0
    updated_at: Moment = 0.0
    suspended_at: Moment = 0.0
    """Since when a hard freeze has it stand still, UTC seconds; 0: it goes on."""
    suspended_seconds: float = 0.0
    """How long it stood still before, in all."""
    resumed_at: Moment = 0.0
    """When it went on last."""
    refused: tuple[str, ...] = ()
    """The places that it wanted to reach and may not, as `example.com:443`."""
    turns: int = 0
    tokens: int = 0
    usd: float = 0.0
    footprint: Footprint = Footprint()
    """What its tree of processes takes of the machine, as was told last."""
