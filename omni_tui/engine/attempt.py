"""The activities of one attempt: what each step of `deliver` does in the world.

Each is idempotent: after a crash it may be done again, and finds what it did before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec

from omni_tui.engine.board import Board
from omni_tui.engine.check import Started
from omni_tui.engine.flights import Flight
from omni_tui.engine.guard import contained
from omni_tui.engine.landing import Landing
from omni_tui.engine.launching import Launched, Launcher
from omni_tui.engine.order import OrderBox, obey, unless_ordered
from omni_tui.engine.salvage import Salvage, end_at_work, keep_work
from omni_tui.engine.services import Services
from omni_tui.engine.steps import AttemptFailedError, Engine
from omni_tui.engine.supervisor import Supervisor
from omni_tui.engine.suspending import Suspension
from omni_tui.engine.tail import Tail
from omni_tui.engine.thawing import Gate
from omni_tui.engine.workplace import Workplace
from omni_tui.errors import LeaseLostError, OmniError, WorkspaceError
from omni_tui.model.attempt import AgentSpec, AttemptId, Phase
from omni_tui.model.change import CommitSketch
from omni_tui.model.failure import Failure, FailureKind, Move
from omni_tui.model.signal import Health
from omni_tui.model.task import Task
from omni_tui.plugins.agent.protocol import Agent
from omni_tui.plugins.workspace.protocol import Worktree
from omni_tui.policy import retry, supervision
from omni_tui.policy.budget import unread
from omni_tui.policy.decisions import Decided
from omni_tui.policy.outage import blamed
from omni_tui.policy.routing import provider_of
from omni_tui.policy.signs import signs_of
from omni_tui.policy.usage import Usage
from omni_tui.policy.vitals import Bounds, Vitals
from omni_tui.store.runs import Run

T = TypeVar("T")

PHASES = {
    "prepare": Phase.PREPARE,
    "launch": Phase.LAUNCH,
    "confirm": Phase.CONFIRM,
    "watch": Phase.WATCH,
    "inspect": Phase.INSPECT,
    "squash": Phase.CHECK,
    "land": Phase.MERGE,
}
"""Which step begins which phase; the others belong to the phase before."""

CLOSING = ("salvage", "clear", "conclude")
"""Steps that are done even after an order has come."""

CUT_SHORT = ("prepare", "checkout")
"""Steps that an order cuts short: a set-up command may take minutes. The others end soon, or hear orders themselves."""


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """How an agent that had its task came to its end."""

    status: int | None = None
    """Its exit status; None: it said that it had finished, and was not waited for."""


class Attempt:
    """One agent's run at one task."""

    def __init__(
        self,
        *,
        attempt: AttemptId,
        task: Task,
        agent: AgentSpec,
        place: Workplace,
        services: Services,
        engine: Engine,
        run: Run,
        box: OrderBox,
        history: Sequence[Failure],
        used_before: Usage,
        since: float,
    ) -> None:
        """Take what there is, and since when its change is in flight (UTC seconds); 0: since it began."""
        self.id = attempt
        self.task = task
        self.agent = agent
        self._place = place
        self._services = services
        self._engine = engine
        self._run = run
        self._box = box
        self._history = history
        self._used_before = used_before
        self._harness: Agent = place.harness(agent.harness)
        self._launcher = Launcher(
            attempt=attempt, task=task, agent=agent, harness=self._harness, place=place, services=services, run=run
        )
        self._supervisor: Supervisor | None = None
        self._started: list[Started] = []
        self.board = Board(attempt, agent, run, services)
        self._gate = Gate(task.ref, agent, services, box, self.board)
        self.flight = Flight(
            attempt,
            since or self.board.status.started_at,
            provider_of(agent),
            box,
            self.board,
            overtaken=since > 0,
            head=history[-1].work if since else "",
            stirred=engine.is_done("prepare"),
        )

    async def step(self, key: str, result: type[T], work: Callable[[], Awaitable[T]]) -> T:
        """Do one step durably; an order that has come ends the attempt before it."""
        name = key.split(".", maxsplit=1)[0]

        async def obedient() -> T:
            if name not in CLOSING:
                obey(self._box)
            done = await (unless_ordered(self._box, work()) if name in CUT_SHORT else work())
            self._keep(done)  # before it is recorded: where that fails it has to be ended all the same
            return done

        if phase := PHASES.get(name):
            self.board.enter(phase)
        # A fault of the decision itself is none of the attempt's failures: it would be replayed for ever.
        guarded = contained if name == "conclude" else _without_faults
        done = await self._engine.step(key, result, lambda: guarded(obedient()))
        self._keep(done)
        return done

    def _keep(self, done: object) -> None:
        if isinstance(done, Worktree):
            self.flight.base = done.base
        if isinstance(done, Started) and done not in self._started:
            self._started.append(done)

    def landing(self, salvage: Salvage, launched: Launched, watched: Watched) -> Landing:
        """Return the activities that bring what the agent left onto the release branch."""
        self._place.flights.finish(self.flight, salvage.head)
        return Landing(
            attempt=self.id,
            task=self.task,
            agent=self.agent,
            head=salvage.head,
            rescued=bool(salvage.rescue or salvage.checkout),
            status=watched.status,
            origin_state=launched.origin_state,
            place=self._place,
            services=self._services,
            engine=self._engine,
            run=self._run,
            box=self._box,
            gate=self._gate,
            flight=self.flight,
        )

    def fall_out(self, failure: Failure) -> None:
        """Keep nobody waiting any more, but where others' landings alone were in its way: its next attempt goes on."""
        if failure.kind is not FailureKind.OVERTAKEN:
            self._place.flights.fall_out(self.flight)

    async def abandon(self) -> None:
        """End what this attempt has started, after a fault that left no way to go on. Its checkout stays."""
        for started in self._started:
            await self._services.runtime.kill(started.handle, grace=0.0)
            await self._services.runtime.release(started.handle)

    # -- before the agent ------------------------------------------------------------------------------------------

    async def prepare(self) -> Worktree:
        """Make the checkout, at the release branch's tip, on the attempt's own branch."""
        tip = await self._place.scm.tip()
        try:
            return await self._place.checkouts.prepare(self.id.checkout, self.id.branch, tip)
        except WorkspaceError as error:
            raise AttemptFailedError(Failure(kind=FailureKind.SETUP, message=str(error))) from error

    async def launch(self, worktree: Worktree) -> Launched:
        """Write the prompt and start the agent in its runtime, once nothing is frozen; one that runs is found again."""
        if self._services.runtime.started(self.id.process, self._run.dir) is None:
            await self._gate.opened()
            obey(self._box)
        return await self._launcher.launch(worktree, self._history)

    # -- while it works --------------------------------------------------------------------------------------------

    async def confirm(self, worktree: Worktree, launched: Launched) -> None:
        """Return once the agent itself has signalled that it has the task."""
        decision = await self._watcher(worktree, launched).observe(
            lambda vitals, now: supervision.judge_handover(vitals, now, self._counted(vitals))
        )
        if isinstance(decision, supervision.Ending) and decision.failure is not None:
            raise AttemptFailedError(decision.failure)

    async def watch(self, worktree: Worktree, launched: Launched) -> Watched:
        """Return how it ended once the agent has finished; raise once it may not go on."""
        decision = await self._watcher(worktree, launched).observe(
            lambda vitals, now: supervision.judge_watch(vitals, now, self._counted(vitals))
        )
        if decision.failure is not None:
            raise AttemptFailedError(decision.failure)
        return Watched(status=decision.status)

    def _counted(self, vitals: Vitals) -> Bounds:
        """Return the bounds, after what the attempt has used was added to the budgets, and said where one is near."""
        services = self._services
        settings = services.settings()
        found = services.provision.bounds(self.id, self.task, self.agent, settings, self._used_before)
        for ledger in (found.own(str(self.id.task)), *found.shared):
            words = ledger.nearly(vitals.used)
            if words and ledger.name not in services.course.course.near:
                services.course.record(Decided("budget.near", data={"budget": ledger.name, "used": words}))
        return found

    def _watcher(self, worktree: Worktree, launched: Launched) -> Supervisor:
        """Return the one supervisor of this attempt; after a restart it reads the signals again from the first."""
        if self._supervisor is None:
            self._supervisor = Supervisor(
                handle=launched.handle,
                agent=self._harness,
                events=Tail(self._run.events),
                refusals=Tail(self._run.refusals),
                started=self._harness.started(self._launcher.assignment(worktree), launched.at),
                commits=partial(self._commits, worktree),
                board=self.board,
                suspension=Suspension(
                    self.task.ref, provider_of(self.agent), launched.handle, self.board, self._services
                ),
                box=self._box,
                engine=self._engine,
                services=self._services,
                cost=self.agent.cost,
            )
        return self._supervisor

    async def _commits(self, worktree: Worktree) -> Sequence[CommitSketch]:
        """Return the latest commits, where there are enough of them to be a loop."""
        self._place.flights.stir(self.flight)
        most = self._services.settings().limits.loop_commits
        if not most:
            return ()
        return await self._place.scm.commits(Path(worktree.path), self.id.branch, worktree.base, most)

    # -- after it --------------------------------------------------------------------------------------------------

    async def salvage(self, worktree: Worktree, launched: Launched | None) -> Salvage:
        """Keep what is not committed, end what is left of the agent, keep what it did until then, remove the checkout.

        The checkout stays where it holds what no commit could take. Raises `ScmError`, with nothing removed, where it
        cannot be read.
        """
        with suppress(OmniError):  # settings that are wrong by now are told at the next start
            self._services.held.hold(self._place.secrets())  # a login may have been renewed while it worked
        shown = final = ""
        if launched is not None:
            shown = await end_at_work(self._services, self._place, self.id, worktree, launched.handle)
            final = await self._settle(self._watcher(worktree, launched))
        kept = await keep_work(self._services, self._place, self.id, worktree, shown, final)
        await asyncio.to_thread(self._harness.forget, self._launcher.assignment(worktree))
        return kept

    async def _settle(self, watcher: Supervisor) -> str:
        """Enter what the ended agent has used; return why no attempt may follow it, empty: one may.

        Where money is limited and cannot be read, nobody goes on like that: the task, if only that limits it, else its
        provider.
        """
        used = await watcher.final_usage()
        bounds = self._counted(watcher.vitals)
        self.board.tell_use(used)
        provider, course, vitals = provider_of(self.agent), self._services.course, watcher.vitals
        worked = not vitals.fatal and (vitals.exited or vitals.health is Health.FINISHED)
        if not (bounds.money and worked) or vitals.money:
            return ""
        reason = unread(bounds.money)
        if bounds.own_money:
            return reason
        if provider not in course.course.parked:
            data = {"provider": provider, "reason": reason, "until": None, "row": 1, "alone": True, "budget": True}
            course.record(Decided("provider.parked", data=data))
        return ""

    async def conclude(self, failures: Sequence[Failure]) -> Move:
        """Say that the attempt has failed, and decide what follows."""
        last = failures[-1]
        signs = signs_of(self.task, last)
        self._services.record(
            "attempt.failed",
            self.id,
            kind=last.cause,
            message=last.message,
            until=last.until,
            signs=signs,
            work=last.work or last.checkout,
        )
        self.board.end(last.message)
        proposals = (reaction.react(self.task, failures) for reaction in self._services.reactions())
        proposal = next((move for move in proposals if move is not None), None)
        limits = self._services.settings().limits
        blame = blamed(self._services.course.course, str(self.task.ref))
        return retry.decide(self.task, failures, proposal, limits, self._services.clock.now(), blame)


async def _without_faults(work: Awaitable[T]) -> T:
    """Make a fault a failure like any other: recorded, its agent ended, its work kept, told to a person."""
    try:
        return await contained(work)
    except LeaseLostError:
        raise
    except OmniError as error:
        raise AttemptFailedError(Failure(kind=FailureKind.FAULT, message=str(error))) from error
