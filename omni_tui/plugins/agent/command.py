"""The `command` harness: any program is an agent. This is how a user plugs in their own.

`agent.toml` says `harness = "command"` and `command = ["prog", "arg"]`. The program is started in the worktree, on the
attempt's branch, with the variables of `environment.agent_environment`; its task is in the file `OMNI_PROMPT`. It
commits its work and exits. To the file `OMNI_EVENTS` it may append JSON lines:

    {"event": "accepted" | "activity" | "waiting" | "limited" | "finished" | "refused",
     "detail"?: text, "until"?: UTC seconds or ISO 8601, "turns"?, "tokens"?: numbers so far,
     "output"?, "cached"?, "stored"?: of these tokens, written by the model, read from its cache and put there,
     "usd"?: US dollars so far, "why"?: "auth" | "billing" | "server", of one that is refused}

Where its provider is tried first, `OMNI_TASK` begins with `preflight-`: it signals that it has the task, and may end.
Where it has a provider with an address, that is in `OMNI_BASE_URL`; its key has the name that the provider gives it.
With `handover = "start"` its start counts as having the task; otherwise `accepted` must come within `handover_seconds`.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import msgspec

from omni_tui.errors import OmniError
from omni_tui.model.signal import Health, Signal
from omni_tui.model.text import one_line
from omni_tui.plugins.agent.environment import agent_environment, agent_file, host_of
from omni_tui.plugins.agent.protocol import DETAIL_LENGTH, Assignment, Invocation

HEALTH = {
    "accepted": Health.THINKING,
    "activity": Health.THINKING,
    "waiting": Health.WAITING,
    "limited": Health.LIMITED,
    "finished": Health.FINISHED,
    "refused": Health.DEAD,
}
REFUSALS = ("auth", "billing", "server")
"""Why a provider does not serve an agent: our login, our credit, or, as where it does not say, its own trouble."""


class Line(msgspec.Struct, frozen=True):
    """One line as the contract has it; unknown fields are left alone."""

    event: str
    detail: str = ""
    until: float | str | None = None
    turns: int | None = None
    tokens: int | None = None
    output: int | None = None
    cached: int | None = None
    stored: int | None = None
    usd: float | None = None
    why: str = ""


class CommandAgent:
    """Starts the user's program and reads the lines it writes."""

    name: ClassVar[str] = "command"
    credentials: ClassVar[tuple[str, ...]] = ()
    routes: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def find(cls) -> str | None:
        """Return that it is always there: any program will do."""
        return "any program, named in agent.toml"

    @classmethod
    def tokens(cls, login_dir: Path, environment: Mapping[str, str]) -> tuple[str, ...]:  # noqa: ARG003
        """Return nothing: what it logs in with, its user gives it by name."""
        return ()

    def prepare(self, assignment: Assignment) -> Invocation:
        """Return the program with its environment. Raises `OmniError` if there is no such program."""
        environment = agent_environment(assignment)
        command = assignment.agent.command
        if not command:
            raise OmniError(
                "harness `command` has no command",
                where=agent_file(assignment),
                fix='add `command = ["program", "argument"]`',
            )
        program = _find_program(command[0], assignment.worktree, environment.get("PATH", ""))
        if program is None:
            raise OmniError(
                f"no program `{command[0]}`",
                where=agent_file(assignment),
                fix="install it, name it with its whole path, or put its directory into PATH",
            )
        hosts = tuple(filter(None, [host_of(assignment.agent.base_url)]))
        return Invocation(argv=(program, *command[1:]), env=environment, hosts=hosts)

    def forget(self, assignment: Assignment) -> None:
        """Do nothing: it keeps nothing."""

    def started(self, assignment: Assignment, at: float) -> Signal:
        """Return the start as a signal: the hand-over itself where `agent.toml` says so."""
        accepted = assignment.agent.handover == "start"
        return Signal(health=Health.THINKING if accepted else Health.STARTING, source="start", at=at, accepted=accepted)

    def read(self, line: bytes, at: float) -> Signal | None:
        """Normalise one line of the contract; None for anything else."""
        try:
            said = msgspec.json.decode(line, type=Line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        health = HEALTH.get(said.event)
        if health is None:
            return None
        return Signal(
            health=health,
            source="events",
            at=at,
            detail=one_line(said.detail, DETAIL_LENGTH),
            accepted=said.event == "accepted",
            until=_moment(said.until),
            fatal=_refusal(said) if health is Health.DEAD else "",
            turns=_count(said.turns),
            tokens=_count(said.tokens),
            output=_count(said.output),
            cached=_count(said.cached),
            stored=_count(said.stored),
            usd=said.usd if said.usd is not None and math.isfinite(said.usd) and said.usd >= 0 else None,
        )


def _refusal(said: Line) -> str:
    return said.why if said.why in REFUSALS else "server"


def _count(said: int | None) -> int | None:
    return said if said is not None and 0 <= said < 1 << 53 else None


def _find_program(name: str, worktree: Path, path: str) -> str | None:
    """Return the program's path: a name is looked up in PATH, a relative path in the worktree."""
    if "/" not in name:
        return shutil.which(name, path=path)
    return shutil.which(str(worktree / name))


def _moment(until: float | str | None) -> float | None:
    """Return UTC seconds; None for what is no moment. A time without a zone is UTC."""
    try:
        if isinstance(until, str):
            moment = datetime.fromisoformat(until)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
    return until if until is not None and math.isfinite(until) and until > 0 else None
