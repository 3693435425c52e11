"""The harness of the simulated world: nothing is installed, nothing is written, and its lines are signals as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import msgspec

from omni_tui.model.signal import Health, Signal
from omni_tui.model.text import one_line
from omni_tui.plugins.agent.environment import agent_environment
from omni_tui.plugins.agent.protocol import DETAIL_LENGTH, Assignment, Invocation


class SimulatedAgent:
    """Starts a program that only the simulated runtime knows; a scripted agent speaks through `line`."""

    name: ClassVar[str] = "simulated"
    credentials: ClassVar[tuple[str, ...]] = ()
    routes: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def find(cls) -> str | None:
        """Return that it is always there."""
        return "simulated"

    @classmethod
    def tokens(cls, login_dir: Path, environment: Mapping[str, str]) -> tuple[str, ...]:  # noqa: ARG003
        """Return nothing: nobody logs in here."""
        return ()

    def prepare(self, assignment: Assignment) -> Invocation:
        """Return a program named after the attempt. Raises `OmniError` for a secret that is not set."""
        return Invocation(argv=("simulated", str(assignment.attempt)), env=agent_environment(assignment))

    def forget(self, assignment: Assignment) -> None:
        """Do nothing: it keeps nothing."""

    def started(self, assignment: Assignment, at: float) -> Signal:
        """Return the start as a signal: the hand-over itself where the agent's settings say so."""
        accepted = assignment.agent.handover == "start"
        return Signal(health=Health.THINKING if accepted else Health.STARTING, source="start", at=at, accepted=accepted)

    def read(self, line: bytes, at: float) -> Signal | None:
        """Read a line that `line` wrote; None for anything else."""
        try:
            said = msgspec.json.decode(line, type=Signal)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        return msgspec.structs.replace(said, at=at, detail=one_line(said.detail, DETAIL_LENGTH))

    @staticmethod
    def line(
        health: Health,
        *,
        accepted: bool = False,
        detail: str = "",
        until: float | None = None,
        fatal: str = "",
        call: str = "",
        tokens: int | None = None,
    ) -> bytes:
        """Return the line by which a scripted agent says how it is."""
        return msgspec.json.encode(
            Signal(
                health=health,
                source="events",
                at=0.0,
                accepted=accepted,
                detail=detail,
                until=until,
                fatal=fatal,
                call=call,
                tokens=tokens,
            )
        )
