"""The activities of a landing: what is judged, checked and merged of what an agent left.

Each is idempotent, as those of `attempt` are.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from omni_tui.engine.check import Check, CheckResult, Started
from omni_tui.engine.flights import LANDED, Flight
from omni_tui.engine.order import OrderBox, acquire_unless_ordered
from omni_tui.engine.precedence import Precedence
from omni_tui.engine.prompt import commit_message
from omni_tui.engine.services import Services
from omni_tui.engine.steps import AttemptFailedError, Engine
from omni_tui.engine.thawing import Gate
from omni_tui.engine.workplace import Workplace
from omni_tui.errors import RuntimeFailedError
from omni_tui.model.attempt import AgentSpec, AttemptId
from omni_tui.model.confinement import Confinement
from omni_tui.model.failure import Failure, FailureKind
from omni_tui.model.task import Task
from omni_tui.model.verdict import FindingKind, Severity, Verdict
from omni_tui.plugins.scm.protocol import Merge
from omni_tui.policy import gate
from omni_tui.policy.radar import overtaken
from omni_tui.policy.reach import passage
from omni_tui.policy.signs import gist
from omni_tui.store.runs import Run

LOST_CHECKS = 3
"""So many times a check that is ended from outside is run; then what it checked is taken to be the reason."""


class Landing:
    """Brings one attempt's work onto the release branch, or says why not."""

    def __init__(
        self,
        *,
        attempt: AttemptId,
        task: Task,
        agent: AgentSpec,
        head: str,
        rescued: bool,
        status: int | None,
        origin_state: str,
        place: Workplace,
        services: Services,
        engine: Engine,
        run: Run,
        box: OrderBox,
        gate: Gate,
        flight: Flight,
    ) -> None:
        """Take the work at `head` (empty: nothing was committed), and what the origin's checkout looked like before.

        `status` is the agent's exit status, where that was its end.
        """
        self._id = attempt
        self._task = task
        self._agent = agent
        self._head = head
        self._rescued = rescued
        self._status = status
        self._origin_state = origin_state
        self._place = place
        self._services = services
        self._run = run
        self._box = box
        self._gate = gate
        self._flight = flight
        self._precedence = Precedence(flight, place.flights, services)
        self._engine = engine
        self._check = Check(services, engine, box)
        self._message = commit_message(task, attempt, agent)

    @property
    def has_check(self) -> bool:
        """Whether the workspace names a check command."""
        return bool(self._place.settings.check)

    async def cleared(self, turn: int) -> None:
        """Wait before a turn until nothing is frozen and nobody lands first.

        Not before one that a crash has cut off from its end, nor in an attempt that is over; and one that has begun
        lets nobody else go first.
        """
        over = self._engine.is_done(f"land.{turn}") or self._engine.is_done("conclude")
        while not over and self._box.order is None:
            await self._gate.opened()
            if not self._engine.is_done(f"squash.{turn}"):
                await self._precedence.cleared()
            if self._gate.hold() is None:
                return

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for the workspace's turn to land: one squash, check and merge at a time.

        An order ends the wait without the turn, because the next step obeys it before it does anything.
        """
        turn = await acquire_unless_ordered(self._box, self._place.landing)
        try:
            yield
        finally:
            if turn:
                self._place.landing.release()

    async def inspect(self) -> Verdict:
        """Judge the change itself; raise if the gate blocks it."""
        scm = self._place.scm
        change = await scm.change(self._head) if self._head else None
        trial = await scm.squash(self._head, "trial") if self._head else None
        evidence = gate.Evidence(
            task=self._task,
            change=change,
            settings=self._services.settings().gate,
            rescued=self._rescued,
            status=self._status,
            origin_changed=await scm.origin_state() != self._origin_state,
            conflicts=trial.conflicts if trial and not await self._is_overtaken(trial) else (),
            additions=await scm.additions(self._head) if self._head else "",
            title=self._message,
            find_secrets=self._services.held.find,
            tree_paths=await scm.paths(trial.commit) if trial and trial.commit else None,
        )
        verdict = await asyncio.to_thread(gate.inspect, evidence)  # seconds for a patch of megabytes
        self._run.write_verdict(verdict)
        if change is not None:
            self._run.write_patch(change.patch)
        self._services.record(
            "attempt.judged",
            self._id,
            grade=verdict.grade,
            findings=[finding.kind.value for finding in verdict.findings],
        )
        if verdict.blocked:
            raise AttemptFailedError(_gate_failure(verdict))
        return verdict

    async def squash(self) -> Merge:
        """Make the commit that would land, on objects alone."""
        merge = await self._place.scm.squash(self._head, self._services.held.redact(self._message))
        if merge.conflicts:
            raise AttemptFailedError(await self._conflict(merge))
        return merge

    async def _conflict(self, merge: Merge) -> Failure:
        """Return the failure of a change that does not merge: its own, or nobody's."""
        if await self._is_overtaken(merge):
            landed = await self._place.scm.landed_since(self._flight.base, merge.conflicts)
            return overtaken(self._place.settings.release, landed, merge.conflicts)
        files = ", ".join(merge.conflicts)
        return Failure(kind=FailureKind.CONFLICT, message=f"does not merge onto the release branch: {files}")

    async def _is_overtaken(self, merge: Merge) -> bool:
        """Whether a change that does not merge would have onto what it began from: others have landed meanwhile."""
        base = self._flight.base
        if not merge.conflicts or not base or merge.onto == base:
            return False
        return not await self._place.scm.conflicts(base, self._head)

    async def checkout(self, commit: str, key: str) -> str:
        """Make a fresh checkout of exactly this commit; return its path."""
        return str(await self._place.checkouts.checkout(f"check-{self._id.checkout}-{key}", commit))

    async def start_check(self, checkout: str, key: str) -> Started:
        """Start the check command there, where agents run: it can be looked at, and adopted after a restart."""
        name = f"{self._id.process}-check"
        command = self._place.settings.check
        try:
            return await self._check.start(
                name, command, Path(checkout), self._run.dir / f"check.{key}", self._confinement(Path(checkout))
            )
        except RuntimeFailedError as error:
            raise AttemptFailedError(Failure(kind=FailureKind.LAUNCH, detail="check", message=str(error))) from error

    def _confinement(self, checkout: Path) -> Confinement:
        settings = self._services.settings().sandbox
        allowed = self._place.settings.net
        through = passage(settings) if allowed else None
        return self._place.confinement(checkout, settings, net=allowed and through is None, passage=through)

    async def finish_check(self, started: Started, commit: str) -> CheckResult:
        """Return what came of it, and remember a commit that it passed on."""
        result = await self._check.finish(started)
        self._services.record(
            "check.finished", self._id, passed=result.passed, lost=result.lost, seconds=result.seconds
        )
        if result.passed:
            self._place.sound.add(commit)
        return result

    def is_worth_another(self, result: CheckResult, turn: int) -> bool:
        """Whether a check that did not pass should be run again, because it was ended from outside."""
        return result.lost and turn < LOST_CHECKS

    def was_sound(self, commit: str) -> bool:
        """Whether the check is known to have passed on a commit."""
        return commit in self._place.sound

    def refuse(self, result: CheckResult, before: CheckResult | None) -> AttemptFailedError:
        """Return the failure that a failed check is; `before` tells of the release branch without the change."""
        command = self._place.settings.check
        if before is None or before.passed or before.lost:
            return AttemptFailedError(_check_failure(command, result))
        where = f"{self._place.settings.release} as it is, without any change"
        reason = f"the check `{command}` {_how(before)} on {where}{_showing(before)}"
        self._services.record("workspace.broken", workspace=self._place.name, reason=reason)
        return AttemptFailedError(Failure(kind=FailureKind.BASE, message=reason, output=before.output[-8000:]))

    async def clear_check(self, checkout: str, started: Started | None) -> None:
        """End what is left of the check, however far it came, and remove its checkout."""
        if started is not None:
            await self._check.clear(started)
        await self._place.checkouts.remove(Path(checkout))

    async def land(self, merge: Merge) -> bool:
        """Move the release branch to the checked commit; False: it has moved meanwhile, or a freeze came."""
        if self._gate.hold() is not None:
            return False
        landed = await self._place.scm.land(merge)
        if landed:
            self._place.flights.leave(self._task.ref, LANDED)
        return landed


def _gate_failure(verdict: Verdict) -> Failure:
    blocking = [finding for finding in verdict.findings if finding.severity is Severity.BLOCK]
    first = blocking[0]
    return Failure(
        kind=FailureKind.CONFLICT if first.kind is FindingKind.MERGE_CONFLICT else FailureKind.GATE,
        detail="" if first.kind is FindingKind.MERGE_CONFLICT else first.kind.value,
        message="\n".join(finding.message for finding in blocking),
    )


def _check_failure(command: str, result: CheckResult) -> Failure:
    return Failure(
        kind=FailureKind.CHECK,
        message=f"the check `{command}` {_how(result)} on the tree that would have landed{_showing(result)}",
        output=result.output[-8000:],
    )


def _showing(result: CheckResult) -> str:
    shown = gist(result.output)
    return f": {shown}" if shown else ""


def _how(result: CheckResult) -> str:
    """Say how a check that did not pass ended."""
    if result.timed_out:
        return f"ran longer than {result.seconds:.0f} s"
    return "was ended from outside" if result.lost else f"exited with {result.status}"
