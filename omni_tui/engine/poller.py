"""The poller of one source, however many workspaces name it: asks when somebody could use more, and not too often."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from omni_tui.engine.guard import contained
from omni_tui.engine.offers import Offered, read_offers
from omni_tui.engine.services import Services
from omni_tui.errors import LeaseLostError, OmniError, SourceError
from omni_tui.model.project_settings import RefillSettings
from omni_tui.model.sourced import SourceNote
from omni_tui.model.text import one_line, plural
from omni_tui.plugins.notifier.protocol import Urgency
from omni_tui.plugins.source.protocol import Offer, Poll, Source
from omni_tui.policy.polling import Heard, Pace, answered, failed, interval
from omni_tui.store.ledger import Answer, Ledger, Stage

ANSWER_SECONDS = 120.0
"""How long an answer is waited for."""

_offers = msgspec.json.Decoder(list[Offer])


class Poller:
    """Keeps what one source offers. `changed` is called once that, or when it is asked next, is another.

    A local source is looked at only after a change in what it watches; a remote one only once its time has come; and
    both only while `wanted`.
    """

    def __init__(
        self, source: Source, refill: RefillSettings, services: Services, ledger: Ledger, changed: Callable[[], None]
    ) -> None:
        self.source = source
        self.askers: tuple[str, ...] = ()
        """The workspaces that it refills."""
        self.offered: Sequence[Offered] = ()
        self._pace = Pace(least=refill.least_minutes * 60, most=refill.most_minutes * 60)
        self._services = services
        self._ledger = ledger
        self._changed = changed
        self._wanted = False
        self._asking = False
        self._news = asyncio.Event()
        """Something is different: it is wanted, or what a local source watches has changed."""
        self._stale = True
        """A local source may have changed since it was looked at."""
        self._heard = Heard()
        self._polls = 0
        self._cursor = ""
        self._next_at = 0.0
        self._for_person = ""
        """Why only a person can make it answer; empty: no need."""
        self._said = ("", 0.0)
        """What went wrong, if anything did, and when it answered or failed last."""
        self._remark = ""
        """What it said of what it does not offer."""
        self._failure = ""
        self._take_up()

    # -- what others see -------------------------------------------------------------------------------------------

    def want(self, *, wanted: bool) -> None:
        """Say whether somebody could use what it offers."""
        if wanted != self._wanted:
            self._wanted = wanted
            self._news.set()

    @property
    def busy(self) -> bool:
        """Whether it is being asked, or is about to be."""
        return self._asking or (self._wanted and self._due())

    @property
    def note(self) -> SourceNote:
        """What it said last, for a person."""
        waits = self._for_person or ("" if self.source.remote else "it changes")
        trouble, at = self._said
        next_at = self._next_at if self.source.remote and not self._for_person else None
        return SourceNote(
            source=self.source.identity,
            workspaces=self.askers,
            said=trouble or (self._stock() if at else ""),
            at=at,
            next_at=next_at,
            waits=waits,
        )

    def _stock(self) -> str:
        """Count what is on offer."""
        stages = [self._ledger.entries[each.key].stage for each in self.offered if each.key in self._ledger.entries]
        bad = stages.count(Stage.REFUSED)
        left = len(self.offered) - len(stages) + stages.count(Stage.LEFT)
        words = (
            f"{plural(len(self.offered), 'offer')}, {left or 'none'} to take" if self.offered else "it offers nothing"
        )
        words += f", {bad} that make no task" if bad else ""
        return f"{words}; {self._remark}" if self._remark else words

    def try_again(self) -> None:
        """Ask again though it said that only a person can mend it: one has been there."""
        self._for_person = ""
        self._stale = True
        self._news.set()

    # -- asking ----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Ask whenever it is time, until cancelled."""
        wakeups = self._services.wakeups
        watched: set[Path] = set()
        changes = asyncio.Event()
        try:
            while True:
                now = set(self.source.watched())
                for path in now - watched:
                    wakeups.add(changes, path)
                for path in watched - now:
                    wakeups.remove(changes, path)
                self._stale |= bool(now - watched)  # something may have come before it was watched
                watched = now
                await self._wait(changes)
                await self._ask()
        finally:
            for path in watched:
                wakeups.remove(changes, path)

    async def _wait(self, changes: asyncio.Event) -> None:
        """Return when it is to be asked."""
        forward = asyncio.ensure_future(self._hear(changes))
        try:
            while not (self._wanted and self._due()):
                self._news.clear()
                until = self._next_at if self._wanted and self.source.remote and not self._for_person else None
                clock = self._services.clock
                await clock.wait(self._news, clock.monotonic() + max(0.0, until - clock.now()) if until else None)
        finally:
            forward.cancel()

    async def _hear(self, changes: asyncio.Event) -> None:
        """Note changes in what a local source watches."""
        while True:
            await changes.wait()
            changes.clear()
            self._stale = True
            self._news.set()

    def _due(self) -> bool:
        if not self.source.remote:
            return self._stale
        return not self._for_person and self._services.clock.now() >= self._next_at

    async def _ask(self) -> None:
        self._asking, self._stale = True, False
        self._polls += 1
        self._set_next()  # whatever comes of it: nothing may make it ask without a pause
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                poll = await contained(self.source.poll(self._cursor))
            self._answered(poll)
        except LeaseLostError:
            raise
        except TimeoutError:
            await self._failed(OmniError(f"it did not answer within {ANSWER_SECONDS:.0f} s"))
        except OmniError as error:
            await self._failed(error)
        finally:
            self._asking = False
            self._changed()

    def _answered(self, poll: Poll) -> None:
        before = self.offered
        if poll.changed:
            self.offered, self._remark = read_offers(poll.offers), one_line(poll.remark)
        self._cursor = poll.cursor
        self._heard = answered(self._heard, moved=self.offered != before, hint=poll.wait_seconds)
        self._set_next()
        self._say("")
        if self._failure:
            self._failure = ""
            self._services.record("source.answered", workspace=self._workspace, source=self.source.identity)
        self._keep(poll)

    async def _failed(self, error: OmniError) -> None:
        """Wait longer, or for a person; say so once for each kind of failure."""
        refusal = error if isinstance(error, SourceError) else SourceError("")
        self._heard = failed(self._heard, refusal.retry_after)
        self._for_person = "a person has mended that" if refusal.person else ""
        self._set_next()
        self._keep()
        words = one_line(str(error))
        self._say(f"it failed: {words}")
        if words == self._failure:
            return
        self._failure = words
        until = None if self._for_person or not self.source.remote else self._next_at
        self._services.record(
            "source.failed", workspace=self._workspace, source=self.source.identity, error=words, until=until
        )
        if self._for_person:
            await self._services.notify(Urgency.ATTENTION, f"{self.source.identity} cannot be asked", words)

    @property
    def _workspace(self) -> str:
        return self.askers[0] if self.askers else ""

    def _say(self, words: str) -> None:
        self._said = (words, self._services.clock.now())

    def _set_next(self) -> None:
        """Set when it may be asked again; chance comes from what no other fleet has in common with this one."""
        seed = f"{self._services.lease.epoch} {self.source.identity} {self._polls}"
        jitter = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4], "big") / (1 << 32)
        self._next_at = self._services.clock.now() + interval(self._heard, self._pace, jitter)

    # -- what outlasts a restart -----------------------------------------------------------------------------------

    def _take_up(self) -> None:
        """Go on from what a remote source answered an earlier core; what cannot be read is asked for again."""
        answer = self._ledger.answer(self.source.identity) if self.source.remote else None
        if answer is None:
            return
        try:
            self.offered = read_offers(_offers.decode(answer.offers))
        except msgspec.MsgspecError:
            return
        self._cursor, self._next_at = answer.cursor, answer.next_at
        self._heard = Heard(quiet=answer.quiet)

    def _keep(self, poll: Poll | None = None) -> None:
        """Keep an answer, or that there was none, so that a restart asks no sooner; a local source is looked at again.

        The cursor and what it stands for are kept together: else the source would hold back what it has said already.
        """
        if not self.source.remote:
            return
        known = self._ledger.answer(self.source.identity)
        offers = known.offers if known else msgspec.Raw(b"[]")
        answer = Answer(
            identity=self.source.identity,
            next_at=self._next_at,
            quiet=self._heard.quiet,
            cursor=self._cursor,
            offers=msgspec.Raw(msgspec.json.encode(poll.offers)) if poll and poll.changed else offers,
        )
        try:
            self._ledger.keep(answer)
        except OSError as error:  # the former answer stands there, whole
            self._say(f"what it said could not be kept: {error.strerror}")
