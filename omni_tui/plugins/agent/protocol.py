"""What a harness must do. Contract: `tests/contract/test_agent.py`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Protocol

import msgspec

from omni_tui.model.attempt import AgentSpec, AttemptId
from omni_tui.model.settings import QuestionSettings
from omni_tui.model.signal import Signal

DETAIL_LENGTH = 160
"""Characters of a signal's detail: one line, fit to be shown (`model.text.one_line`), whatever the agent said."""


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """All that a harness needs to start an agent at a task."""

    attempt: AttemptId
    agent: AgentSpec
    worktree: Path
    run_dir: Path
    """Ours: `prompt.md` is in it already; settings and logs of the harness go under `harness/` in it."""
    state_dir: Path
    """The attempt's own, for what its harness keeps while it works: configuration, transcripts."""
    login_dir: Path
    """Ours: one for all attempts with this harness, for a login that they have to share."""
    prompt: Path
    events: Path
    """Lines that the agent or its hooks append."""
    environment: dict[str, str]
    """What the agent's environment starts from: the allow-listed variables of ours."""
    base: str
    """The commit that the attempt starts from."""
    questions: QuestionSettings = QuestionSettings()
    """What becomes of what the agent asks."""
    trial: bool = False
    """It only tries whether the provider serves: the first refusal is the answer, and is not to be retried."""


class Invocation(msgspec.Struct, frozen=True, kw_only=True):
    """The program that starts the agent, with its whole environment."""

    argv: tuple[str, ...]
    env: dict[str, str]
    read: tuple[Path, ...] = ()
    """What it has to read beside its checkout and prompt, such as its settings."""
    write: tuple[Path, ...] = ()
    """What it has to write beside its checkout and events. No path here or in `read` may lead through what an agent can
    change: a link that it puts there would let it out of the sandbox."""
    hosts: tuple[str, ...] = ()
    """What it has to reach to work at all, such as its provider's API, each as `model.confinement.HOST` has it."""


class Agent(Protocol):
    """One harness: writes what the agent's program needs, and reads what it signals."""

    name: ClassVar[str]

    credentials: ClassVar[tuple[str, ...]]
    """Environment variables by which it can log in at its provider, the one to prefer first; none: it needs none."""

    routes: ClassVar[tuple[str, ...]]
    """Plain environment variables by which it finds its provider, such as a gateway's address; a first agent is made
    with those that its person has set."""

    @classmethod
    def find(cls) -> str | None:
        """Return why this harness could be used here, such as its program's path; None: it is not installed."""
        ...

    @classmethod
    def tokens(cls, login_dir: Path, environment: Mapping[str, str]) -> tuple[str, ...]:
        """Return what it logs in with beside `credentials`, as things are now: a secret that nobody else may see.

        `environment` is ours. Never raises.
        """
        ...

    def prepare(self, assignment: Assignment) -> Invocation:
        """Write settings and hooks under `run_dir`, and say what to start. Calling it again changes nothing."""
        ...

    def started(self, assignment: Assignment, at: float) -> Signal:
        """Return the signal that the start itself is; `accepted` where the start is the hand-over."""
        ...

    def read(self, line: bytes, at: float) -> Signal | None:
        """Normalise one line of the events file; None: it says nothing. Never raises, whatever the line holds."""
        ...

    def forget(self, assignment: Assignment) -> None:
        """Remove what an ended attempt kept in `state_dir`; nothing if it is not there. May take a while."""
        ...
