"""Durable steps on the local engine: what was done is in `steps.jsonl`, so `deliver` can be entered again.

An engine supplies `step`, `now`, `sleep` and `wait`; this is the local one: files, embedded. `step` follows the idea of
durable execution: the result of a finished step is replayed, an unfinished one is done (again), so its work must be
idempotent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

import msgspec

from omni_tui.engine.clock import Clock
from omni_tui.errors import OmniError
from omni_tui.model.failure import Failure, FailureKind
from omni_tui.model.step import StepRecord
from omni_tui.store.runs import Run

T = TypeVar("T")


NEVER_WORKED = (FailureKind.HANDOVER, FailureKind.LAUNCH, FailureKind.HARNESS)
"""Failures that the agent's own screen explains best."""

FOUND_AGAIN = ("prepare",)
"""Steps that find what they did before, unchanged, should a power loss undo their record: not worth an fsync each."""


class AttemptFailedError(Exception):
    """An attempt ended without landing; carries the failure."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure

    def keeping(self, work: str, checkout: str, shown: str = "", final: str = "") -> AttemptFailedError:
        """Return the same, naming the commit that keeps what the attempt had done, and its checkout if that stays.

        `shown`, the end of the agent's screen, is taken for the output of an agent that never came to work. `final`
        says why no attempt may follow.
        """
        failure = self.failure
        output = failure.output or (shown if failure.kind in NEVER_WORKED else "")
        kept = msgspec.structs.replace(
            failure, work=failure.work or work, checkout=checkout, output=output, final=final
        )
        return AttemptFailedError(kept)


class Engine(Protocol):
    """What `deliver` needs of an engine; another one (several machines) may supply the same."""

    async def step(self, key: str, result: type[T], work: Callable[[], Awaitable[T]]) -> T:
        """Do `work` once: a finished step is replayed from its record, failures included."""
        ...

    def is_done(self, key: str) -> bool:
        """Whether a step has been done already."""
        ...

    def now(self) -> float:
        """UTC seconds."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""
        ...

    async def wait(self, event: asyncio.Event, until: float | None) -> bool:
        """Wait for `event`, at most until the monotonic time `until`."""
        ...


class LocalEngine:
    """Steps of one run, kept in its `steps.jsonl`; `fence` raises where none may be begun any more."""

    def __init__(self, run: Run, clock: Clock, epoch: str, fence: Callable[[], None]) -> None:
        self._run = run
        self._clock = clock
        self._epoch = epoch
        self._fence = fence
        self._done = {record.key: record for record in run.steps()}

    async def step(self, key: str, result: type[T], work: Callable[[], Awaitable[T]]) -> T:
        """Do `work` once and record it durably before returning; a failure is raised again as it was the first time."""
        record = self._done.get(key)
        if record is None:
            record = await self._perform(key, work)
        if record.failure is not None:
            raise AttemptFailedError(record.failure)
        try:
            return msgspec.convert(record.result, result)
        except msgspec.ValidationError as error:
            where = str(self._run.dir / "steps.jsonl")
            fix = "look at the line, or block the task and queue it again"
            raise OmniError(f"step {key} cannot have ended as it is recorded: {error}", where=where, fix=fix) from error

    def is_done(self, key: str) -> bool:
        """Whether a step has been done already."""
        return key in self._done

    async def _perform(self, key: str, work: Callable[[], Awaitable[T]]) -> StepRecord:
        self._fence()
        outcome: T | None = None
        failure: Failure | None = None
        try:
            outcome = await work()
        except AttemptFailedError as failed:
            failure = failed.failure
        record = StepRecord(
            key=key, at=self._clock.now(), epoch=self._epoch, result=msgspec.to_builtins(outcome), failure=failure
        )
        self._run.append_step(record, durable=key not in FOUND_AGAIN)
        self._done[key] = record
        return record

    def now(self) -> float:
        """UTC seconds."""
        return self._clock.now()

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""
        await self._clock.sleep(seconds)

    async def wait(self, event: asyncio.Event, until: float | None) -> bool:
        """Wait for `event`, at most until the monotonic time `until`."""
        return await self._clock.wait(event, until)
