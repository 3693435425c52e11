"""Preflights: a real, tiny, time-limited launch in a throw-away checkout, before a provider gets a task.

It proves what every attempt needs (program, login, trust, hooks, hand-over) in a few seconds and with next to no
tokens; where it fails, no task has lost its turn.
"""

from __future__ import annotations

import asyncio

import msgspec

from omni_tui.engine.launching import Launcher
from omni_tui.engine.services import Services
from omni_tui.engine.steps import AttemptFailedError
from omni_tui.engine.tail import Tail
from omni_tui.engine.workplace import Workplace
from omni_tui.errors import LeaseLostError, OmniError
from omni_tui.model.attempt import AgentSpec, AttemptId
from omni_tui.model.failure import Failure, FailureKind
from omni_tui.model.signal import Health, Signal
from omni_tui.model.task import Task, TaskRef
from omni_tui.plugins.agent.protocol import Agent
from omni_tui.plugins.runtime.protocol import Exit, Handle
from omni_tui.plugins.workspace.protocol import Worktree
from omni_tui.policy.preflight import PROMPT, SECONDS, Proved, judge
from omni_tui.policy.vitals import Moment, Vitals

NAME = "preflight-"
"""Begins the ids under which preflights run."""


async def end(services: Services, place: Workplace, attempt: AttemptId) -> None:
    """End what a preflight has started, and remove what it worked in."""
    handle = services.runtime.started(attempt.process, place.paths.run(attempt))
    if handle is not None:
        await services.runtime.kill(handle, grace=0.0)
        await services.runtime.release(handle)
    checkout = place.paths.worktrees / attempt.checkout
    if checkout.is_dir():
        await place.checkouts.remove(checkout)


async def clear_away(services: Services, place: Workplace) -> None:
    """End what a crash has left of preflights. Raises `OmniError` where something outlives that."""
    for directory in sorted(place.paths.runs.glob(f"{NAME}*")):
        ref = TaskRef(place.name, directory.name)
        await end(services, place, AttemptId(task=ref, number=place.runs.last_number(ref.id)))


class Preflight:
    """One launch. Its run is kept beside the tasks' own, to be looked at; its checkout is not."""

    def __init__(self, services: Services, place: Workplace, agent: AgentSpec, provider: str) -> None:
        self._services = services
        self._place = place
        self._agent = agent
        self._harness: Agent = place.harness(agent.harness)
        task = Task(workspace=place.name, id=f"{NAME}{provider}", title="Preflight")
        attempt = AttemptId(task=task.ref, number=place.runs.last_number(task.id) + 1)
        self._id = attempt
        self._run = place.runs.open(attempt)
        self._launcher = Launcher(
            attempt=attempt,
            task=task,
            agent=agent,
            harness=self._harness,
            place=place,
            services=services,
            run=self._run,
            trial=True,
        )
        self._began = services.clock.monotonic()

    async def run(self) -> Failure | None:
        """Return why the provider does not serve; None: it does. Raises `OmniError` if something outlives its end."""
        worktree: Worktree | None = None
        try:
            async with asyncio.timeout(SECONDS):
                worktree = await self._prepare()
                handle = await self._launcher.start(worktree, PROMPT)
                return await self._observe(handle, worktree)
        except AttemptFailedError as failed:  # nothing could be started here, whoever serves
            return msgspec.structs.replace(failed.failure, kind=FailureKind.FAULT)
        except TimeoutError:
            return Failure(kind=FailureKind.OVERTIME, message=f"no answer within {SECONDS:.0f} s")
        except LeaseLostError:
            raise
        except OmniError as error:
            return Failure(kind=FailureKind.LAUNCH, message=str(error))
        finally:
            await end(self._services, self._place, self._id)
            if worktree is not None:
                await asyncio.to_thread(self._harness.forget, self._launcher.assignment(worktree))

    async def _prepare(self) -> Worktree:
        try:
            tip = await self._place.scm.tip()
            path = await self._place.checkouts.checkout(self._id.checkout, tip)
        except LeaseLostError:
            raise
        except OmniError as error:
            raise AttemptFailedError(Failure(kind=FailureKind.SETUP, message=str(error))) from error
        return Worktree(path=str(path), branch="", base=tip)

    async def _observe(self, handle: Handle, worktree: Worktree) -> Failure | None:
        """Read its signals until they prove something."""
        services, changed, tail = self._services, asyncio.Event(), Tail(self._run.events)
        started = self._harness.started(self._launcher.assignment(worktree), services.clock.now())
        vitals = _take(Vitals(started=self._began, last_signal=self._began), started, services.clock.monotonic())
        exited = asyncio.ensure_future(services.runtime.wait(handle))
        exited.add_done_callback(lambda _: changed.set())
        try:
            with services.wakeups.on(changed, tail.path.parent, tail.path):
                while True:
                    changed.clear()
                    vitals = self._look(vitals, tail, exited)
                    now = Moment(monotonic=services.clock.monotonic(), utc=services.clock.now())
                    found = judge(vitals, now, answers=self._agent.harness != "command")
                    if isinstance(found, Proved):
                        return None
                    if isinstance(found, Failure):
                        return await self._with_screen(found, handle)
                    await services.clock.wait(changed, found.until)
        finally:
            exited.cancel()

    def _look(self, vitals: Vitals, tail: Tail, exited: asyncio.Future[Exit]) -> Vitals:
        """Take in what has come; the exit is seen first, so that no signal written before it is missed."""
        if exited.done():
            vitals = msgspec.structs.replace(vitals, exited=True, status=exited.result().status)
        now = self._services.clock
        for line in tail.lines():
            if (signal := self._harness.read(line, now.now())) is not None:
                vitals = _take(vitals, signal, now.monotonic())
        return vitals

    async def _with_screen(self, failure: Failure, handle: Handle) -> Failure:
        """Add what it showed last, where it never came to say anything itself."""
        if failure.kind not in (FailureKind.HANDOVER, FailureKind.LAUNCH):
            return failure
        screen = await self._services.runtime.screen(handle)
        shown = next((line.strip() for line in reversed(screen.lines) if line.strip()), "")
        return msgspec.structs.replace(failure, message=f"{failure.message}: {shown}") if shown else failure


def _take(vitals: Vitals, signal: Signal, now: float) -> Vitals:
    """Add what a signal says; what follows a finish changes nothing."""
    done = vitals.health is Health.FINISHED
    return msgspec.structs.replace(
        vitals,
        accepted=vitals.accepted or signal.accepted,
        health=vitals.health if done else signal.health,
        fatal=signal.fatal or vitals.fatal,
        until=signal.until,
        detail=signal.detail,
        last_signal=now,
    )
