"""The board: an attempt's `status.json`, kept current for whoever watches."""

from __future__ import annotations

import msgspec

from omni_tui.engine.services import Services
from omni_tui.model.attempt import AgentSpec, AttemptId, AttemptStatus, Phase
from omni_tui.model.confinement import Refusal
from omni_tui.model.footprint import Footprint
from omni_tui.model.signal import Health, Signal
from omni_tui.policy.footprint import at_rest, is_news
from omni_tui.policy.routing import provider_of
from omni_tui.policy.usage import Usage
from omni_tui.store.runs import Run

REFRESH_SECONDS = 1.0
"""The least time between two writes that only make the last signal younger."""


class Board:
    """Holds one attempt's status; writes the file at each change, and the journal at each that matters."""

    def __init__(self, attempt: AttemptId, agent: AgentSpec, run: Run, services: Services) -> None:
        self._attempt = attempt
        self._run = run
        self._services = services
        now = services.clock.now()
        self.status = run.read_status() or AttemptStatus(
            task=attempt.task.id,
            workspace=attempt.task.workspace,
            attempt=attempt.number,
            phase=Phase.PREPARE,
            agent=agent.name,
            harness=agent.harness,
            model=agent.model,
            provider=provider_of(agent),
            chosen=agent.chosen,
            started_at=now,
            updated_at=now,
        )
        self.footprint = self.status.footprint
        """As it is known, which not every look is worth a write for."""

    def enter(self, phase: Phase) -> None:
        """Say that the attempt goes on to `phase`."""
        if phase is not self.status.phase or not self.status.updated_at:
            self._services.record("attempt.phase", self._attempt, phase=phase.value)
        self._write(phase=phase)

    def see(self, signal: Signal) -> None:
        """Take over a signal."""
        before = self.status
        used = (("turns", signal.turns), ("tokens", signal.tokens), ("usd", signal.usd))
        told = {name: value for name, value in used if value is not None}
        changed = signal.health is not before.health or signal.detail != before.detail
        changed |= any(getattr(before, name) != value for name, value in told.items())
        if signal.health is not before.health:
            self._services.record(
                "attempt.signal",
                self._attempt,
                health=signal.health.value,
                source=signal.source,
                detail=signal.detail,
                until=signal.until,
            )
        if changed or signal.at - before.updated_at >= REFRESH_SECONDS:
            self._write(health=signal.health, source=signal.source, signal_at=signal.at, detail=signal.detail, **told)

    def tell_use(self, used: Usage) -> None:
        """Have the journal say what the attempt has used so far."""
        self._services.record(
            "attempt.usage",
            self._attempt,
            turns=used.turns,
            tokens=used.tokens,
            usd=used.usd,
            minutes=round(used.minutes, 3),
        )

    def spend(self, used: Usage) -> None:
        """Say what the attempt has used in all; its agent has ended."""
        self.footprint = at_rest(self.footprint)
        self._write(turns=used.turns, tokens=used.tokens, usd=used.usd)

    def refuse(self, refusal: Refusal) -> None:
        """Tell of a place that the agent wanted to reach and may not, once."""
        if refusal.place not in self.status.refused:
            self._services.record("attempt.refused", self._attempt, place=refusal.place, reason=refusal.reason)
            self._write(refused=(*self.status.refused, refusal.place))

    def weigh(self, footprint: Footprint) -> None:
        """Say what its tree of processes takes."""
        self.footprint = footprint
        told = self.status.footprint
        if footprint.uncapped and not told.uncapped:
            self._services.record("attempt.uncapped", self._attempt)
        if is_news(told, footprint):
            self._write()

    def wait(self, reason: str) -> None:
        """Say what the attempt waits for; empty: it goes on."""
        self._write(reason=reason)

    def suspend(self, at: float) -> None:
        """Say that its agent stands still since `at`, UTC seconds."""
        if not self.status.suspended_at:
            self._services.record("attempt.suspended", self._attempt)
        self._write(suspended_at=at, reason="suspended by a hard freeze")

    def resume(self, at: float) -> None:
        """Say that its agent goes on."""
        seconds = max(0.0, at - self.status.suspended_at)
        self._services.record("attempt.resumed", self._attempt, seconds=round(seconds, 3))
        total = self.status.suspended_seconds + seconds
        self._write(suspended_at=0.0, suspended_seconds=total, resumed_at=at, reason="")

    def end(self, reason: str) -> None:
        """Say that the attempt is over, and why it failed (empty: it did not)."""
        self._write(
            health=Health.DEAD if reason else Health.FINISHED,
            reason=reason,
            phase=self.status.phase if reason else Phase.DONE,
        )

    def _write(self, **changes: object) -> None:
        now = self._services.clock.now()
        self.status = msgspec.structs.replace(self.status, updated_at=now, footprint=self.footprint, **changes)
        self._run.write_status(self.status)
