"""The service of the simulated world that every model is served by: who is turned away just now, and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

PREFLIGHT = "preflight-"
"""Begins the ids of the tasks that only try a provider."""


class RefusedError(Exception):
    """The service has turned an agent away: `fatal` as its harness names it, `until` when a limit ends (UTC)."""

    def __init__(self, fatal: str, until: float | None = None) -> None:
        super().__init__(fatal)
        self.fatal = fatal
        self.until = until


@dataclass
class Service:
    """One account at one provider. All is well as long as nothing is set."""

    now: Callable[[], float]
    """The wall clock."""
    down: bool = False
    """Its server fails."""
    locked: bool = False
    """It accepts our login no more."""
    until: float = 0.0
    """When the account's usage limit ends."""
    refused: int = 0
    """How often it has turned somebody away."""

    def heal(self) -> None:
        """Let all be well again."""
        self.down = self.locked = False
        self.until = 0.0

    def ask(self) -> None:
        """Ask a model something. Raises `RefusedError`."""
        fatal = "auth" if self.locked else "server" if self.down else "rate_limit" if self.until > self.now() else ""
        if fatal:
            self.refused += 1
            raise RefusedError(fatal, self.until if fatal == "rate_limit" else None)
