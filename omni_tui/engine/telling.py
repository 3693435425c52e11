"""Telling: says at the source of each task how it ended, again and again until the source has taken it in.

What is to be told is read from the queue and the runs, never from memory, so that no crash can lose it.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

import msgspec

from omni_tui.engine.endings import landing_of
from omni_tui.engine.guard import contained
from omni_tui.engine.services import Services
from omni_tui.engine.workplace import Workplace
from omni_tui.errors import LeaseLostError, OmniError, SourceError
from omni_tui.model.outcome import Outcome
from omni_tui.model.task import Status
from omni_tui.model.text import one_line
from omni_tui.plugins.source.protocol import Source
from omni_tui.policy.polling import Heard, Pace, failed, interval
from omni_tui.store.ledger import Entry, Ledger, Stage

ANSWER_SECONDS = 60.0
"""How long a source may take to be told."""
ENDED = (Status.DONE, Status.BLOCKED)


class Teller:
    """Tells for one workplace; woken by its folders. `told` is called once there is nothing more to tell for now."""

    def __init__(self, place: Workplace, services: Services, ledger: Ledger, told: Callable[[], None]) -> None:
        refill = place.settings.refill
        self._place = place
        self._services = services
        self._ledger = ledger
        self._told = told
        self._pace = Pace(least=refill.least_minutes * 60, most=refill.most_minutes * 60)
        self._sources = {source.identity: source for source in place.sources}
        self._heard: dict[str, Heard] = {}
        self._not_before: dict[str, float] = {}
        """When a source that could not be told is tried again, UTC seconds; infinite: a person must mend it."""
        self._changed = asyncio.Event()
        self._changed.set()
        self._telling = False

    @property
    def busy(self) -> bool:
        """Whether it has something to tell now, as far as it knows."""
        return self._changed.is_set() or self._telling

    def look(self) -> None:
        """Look soon whether a task has ended."""
        self._changed.set()

    def try_again(self) -> None:
        """Tell also those whom only a person could make listen: one has been there."""
        self._not_before.clear()
        self._changed.set()

    async def run(self) -> None:
        """Tell whenever a task has ended, until cancelled."""
        changed, wakeups, clock = self._changed, self._services.wakeups, self._services.clock
        folders = [self._place.paths.queue(status) for status in ENDED]
        for folder in folders:
            wakeups.add(changed, folder)
        try:
            while True:
                await clock.wait(changed, self._again_at())
                changed.clear()
                self._telling = True
                try:
                    await self._tell_all()
                finally:
                    self._telling = False
                self._told()
        finally:
            for folder in folders:
                wakeups.remove(changed, folder)

    def _again_at(self) -> float | None:
        """Return when a source that could not be told is tried again, monotonic seconds."""
        clock, again = self._services.clock, min(self._not_before.values(), default=math.inf)
        return clock.monotonic() + max(0.0, again - clock.now()) if math.isfinite(again) else None

    async def _tell_all(self) -> None:
        """Tell of each task that has ended otherwise than its source was told."""
        now = self._services.clock.now()
        self._not_before = {source: at for source, at in self._not_before.items() if at > now}
        ended = {task_id: status for status in ENDED for task_id in self._place.queue.ids(status)}
        for entry in list(self._ledger.entries.values()):
            source = self._sources.get(entry.source)
            if entry.workspace != self._place.name or entry.task not in ended or source is None:
                continue
            if (entry.outcome is not None and entry.outcome.landed) or entry.source in self._not_before:
                continue
            outcome = self._outcome(entry, ended[entry.task])
            if outcome is not None and outcome != entry.outcome:
                await self._tell(source, entry, outcome)

    def _outcome(self, entry: Entry, status: Status) -> Outcome | None:
        """Return how a task has ended; None: a person has put it there, who knows."""
        place = self._place
        found = place.queue.find(entry.task)
        if found is None or found[0] is not status:
            return None
        if status is Status.BLOCKED:
            reason = one_line(place.queue.note(entry.task).partition("\n")[0])
            return Outcome(landed=False, message=reason) if reason else None
        try:
            landing = landing_of(place.queue.read(found[1]), place)
        except (OmniError, FileNotFoundError):  # spoilt, which is told where it matters
            return None
        return (
            Outcome(landed=True, message=f"landed on {place.settings.release}", commit=landing[0]) if landing else None
        )

    async def _tell(self, source: Source, entry: Entry, outcome: Outcome) -> None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await contained(source.tell(entry.key, outcome))
            at = self._services.clock.now()
            self._ledger.write(msgspec.structs.replace(entry, stage=Stage.TOLD, at=at, outcome=outcome))
        except LeaseLostError:
            raise
        except (OSError, OmniError) as error:  # a timeout among them
            self._failed(entry, error)
        else:
            self._heard.pop(entry.source, None)

    def _failed(self, entry: Entry, error: Exception) -> None:
        """Try again later and later, or once a person has mended it; the first failure is told."""
        refusal = error if isinstance(error, SourceError) else SourceError("")
        before = self._heard.get(entry.source, Heard())
        heard = self._heard[entry.source] = failed(before, refusal.retry_after)
        wait = math.inf if refusal.person else interval(heard, self._pace, 0.0)
        self._not_before[entry.source] = self._services.clock.now() + wait
        if before.failures == 0:
            words = one_line(str(error)) or f"no answer within {ANSWER_SECONDS:.0f} s"
            until = None if refusal.person else self._not_before[entry.source]
            said = f"telling of {entry.key}: {words}"
            self._services.record(
                "source.failed", workspace=self._place.name, source=entry.source, error=said, until=until
            )
