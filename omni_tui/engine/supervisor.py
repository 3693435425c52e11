"""The supervisor: watches one attempt's agent by its signals and its exit, and hears the judgement at each change.

It wakes when the events file grows, when the process ends (pidfd), when an order comes, at the moment that the
judgement named, and at the warden's rounds. What the harness records of its sessions is read along at each of these.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from omni_tui.engine.board import Board
from omni_tui.engine.order import OrderBox, obey
from omni_tui.engine.services import Services
from omni_tui.engine.steps import Engine
from omni_tui.engine.suspending import Suspension
from omni_tui.engine.tail import Tail
from omni_tui.model.change import CommitSketch
from omni_tui.model.confinement import Refusal
from omni_tui.model.provider import TokenCost
from omni_tui.model.signal import Health, Signal
from omni_tui.plugins.agent.protocol import Agent
from omni_tui.plugins.runtime.protocol import Exit, Handle
from omni_tui.policy.evidence import weigh
from omni_tui.policy.loops import remember
from omni_tui.policy.supervision import Doubt, Wait
from omni_tui.policy.usage import Usage
from omni_tui.policy.vitals import Moment, Vitals

Decision = TypeVar("Decision")

COMMIT_LOOK_SECONDS = 30.0
"""Least time between two looks at what was committed, and before the first; none without a signal in between."""

USE_SECONDS = 30.0
"""Least time between two entries in the journal of what an attempt at work has used: a night's budget counts them."""

SESSION_LINE = 1 << 20
"""Bytes of one line of a session's record that are read: what the model used stands at its end."""

MOST_SESSIONS = 64
"""Records of sessions that are read along: one an agent, and one a sub-agent of it. The longest unnamed goes first."""

LAST_READS = 64
"""Reads of each file at the end of an attempt, 1 MiB a read."""


class Supervisor:
    """One attempt's vital signs, from its start on."""

    def __init__(
        self,
        *,
        handle: Handle,
        agent: Agent,
        events: Tail,
        refusals: Tail,
        started: Signal,
        commits: Callable[[], Awaitable[Sequence[CommitSketch]]],
        board: Board,
        suspension: Suspension,
        box: OrderBox,
        engine: Engine,
        services: Services,
        cost: TokenCost,
    ) -> None:
        self._handle = handle
        self._agent = agent
        self._events = events
        self._refusals = refusals
        self._commits = commits
        self._sessions: dict[str, Tail] = {}
        """By path, the one that was named last at the end."""
        self._board = board
        self._suspension = suspension
        self._box = box
        self._engine = engine
        self._services = services
        self._cost = cost
        self._first_look = True
        self._commits_due = False
        self._commits_at = services.clock.monotonic()
        self._use_told = Usage()
        self._use_told_at = services.clock.monotonic()
        at, status = self._monotonic(started.at), board.status
        self._stood_still = status.suspended_seconds
        """Seconds of it that its vitals do not count."""
        known = Usage(turns=status.turns, tokens=status.tokens, usd=status.usd)  # where its records are gone by now
        went_on = max(at, self._monotonic(status.resumed_at)) if status.resumed_at else at
        self.vitals = Vitals(started=at + status.suspended_seconds, last_signal=went_on, used=known)
        self._take(started)
        self._commits_due = False  # a start is no sign of work: twenty quiet agents cost twenty looks for nothing

    async def observe(self, judge: Callable[[Vitals, Moment], Decision | Wait | Doubt]) -> Decision:
        """Return the first judgement that is not to wait. Raises `AttemptFailedError` when a person orders an end."""
        changed = self._box.changed
        exited = asyncio.ensure_future(self._services.runtime.wait(self._handle))
        exited.add_done_callback(lambda _: changed.set())
        if not self._services.runtime.alive(self._handle):
            await asyncio.wait([exited])  # or its silence, not its end, would be judged first
        try:
            with (
                self._woken_by(self._events),
                self._woken_by(self._refusals),
                self._services.trees.known(self._handle, self._board.footprint, self._board.weigh),
            ):
                while True:
                    changed.clear()
                    self._look(exited)
                    obey(self._box)
                    if not self.vitals.exited and await self._stands_still():
                        await self._engine.wait(changed, None)
                        continue
                    await self._look_at_commits()
                    self._count_time()
                    decision = judge(self.vitals, self._now())
                    if isinstance(decision, Doubt):
                        await self._ask_the_machine(decision.seconds)
                    elif isinstance(decision, Wait):
                        await self._engine.wait(changed, decision.until)
                    else:
                        return decision
        finally:
            exited.cancel()

    def _count_time(self) -> None:
        minutes = (self._services.clock.monotonic() - self.vitals.started) / 60
        self._know(used=msgspec.structs.replace(self.vitals.used, minutes=max(0.0, minutes)))

    def _woken_by(self, tail: Tail) -> AbstractContextManager[None]:
        return self._services.wakeups.on(self._box.changed, tail.path.parent, tail.path)

    async def final_usage(self) -> Usage:
        """Return what the ended agent has used, by all that it left to read; nothing else of that counts any more."""
        for signals in self._rest_of(self._events):
            for signal in signals:
                self._follow(signal.session)
                self._take_use(signal)
            await asyncio.sleep(0)  # a flood must not hold up the others: their kills, and the lease
        for session in self._sessions.values():
            self._count(session)
        self._read_refusals()
        self._count_time()
        self._board.spend(self.vitals.used)
        return self.vitals.used

    def _count(self, session: Tail) -> None:
        for signals in self._rest_of(session):
            for signal in signals:
                self._take_use(signal)

    def _rest_of(self, tail: Tail) -> Iterator[Iterator[Signal]]:
        """Yield what each further read of a file tells."""
        for _ in range(LAST_READS):
            now = self._services.clock.now()
            yield (signal for line in tail.lines() if (signal := self._agent.read(line, now)) is not None)
            if not tail.behind:
                return

    def _now(self) -> Moment:
        return Moment(monotonic=self._services.clock.monotonic(), utc=self._services.clock.now())

    # -- what it looks at ------------------------------------------------------------------------------------------

    def _look(self, exited: asyncio.Future[Exit]) -> None:
        """Take in what has come; the exit is seen first, so that no signal written before it is missed."""
        if exited.done():
            ended = exited.result()
            self._know(exited=True, status=ended.status, over_mb=ended.over_mb)
        self._read_events()
        for session in self._sessions.values():
            self._read_session(session)
        self._read_refusals()
        self._know(output=self._events.taken + self._services.runtime.printed(self._handle))
        self._tell_use()

    def _tell_use(self) -> None:
        now, used = self._services.clock.monotonic(), msgspec.structs.replace(self.vitals.used, minutes=0.0)
        if used != self._use_told and now >= self._use_told_at + USE_SECONDS:
            self._use_told, self._use_told_at = used, now
            self._count_time()  # also at the first look at an agent that was taken over
            self._board.tell_use(self.vitals.used)

    def _read_events(self) -> None:
        at = self._moment()
        for line in self._events.lines():
            if (signal := self._agent.read(line, at)) is not None:
                self._take(signal)
        if self._events.behind:
            self._box.changed.set()

    def _read_refusals(self) -> None:
        for line in self._refusals.lines():
            with suppress(msgspec.MsgspecError):  # spoilt: of what nobody can read nobody can be told
                self._board.refuse(msgspec.json.decode(line, type=Refusal))

    def _moment(self) -> float:
        """When the lines at hand were written: now; after a restart, when the file last grew."""
        now = self._services.clock.now()
        if not self._first_look:
            return now
        self._first_look = False
        return min(now, self._events.modified_at() or now)

    def _read_session(self, session: Tail) -> None:
        """Read on in what the harness records of a session: that it grows is life, and it tells what was used."""
        grown = session.modified_at()
        if grown is None:
            return
        at = min(grown, self._services.clock.now())
        self._know(session=True, last_signal=max(self.vitals.last_signal, self._monotonic(at)))
        for line in session.lines():
            if (signal := self._agent.read(line, at)) is not None:
                self._take_use(signal)
                self._board.see(self._as_recorded(signal))

    def _as_recorded(self, signal: Signal) -> Signal:
        """Return what a session's record tells: that it lives, and what it used. What it does, its events say."""
        return msgspec.structs.replace(signal, health=self.vitals.health, detail=self.vitals.detail)

    async def _stands_still(self) -> bool:
        """Whether a hard freeze keeps it; once it goes on, its clocks begin where they had stopped."""
        stands = await self._suspension.keep()
        before, self._stood_still = self._stood_still, self._board.status.suspended_seconds
        if stood := self._stood_still - before:
            now, vitals = self._services.clock.monotonic(), self.vitals
            waiting = None if vitals.waiting_since is None else min(now, vitals.waiting_since + stood)
            self._know(
                started=vitals.started + stood,
                last_signal=min(now, vitals.last_signal + stood),
                waiting_since=waiting,
            )
        return stands

    async def _look_at_commits(self) -> None:
        """See what was committed, if there were signs of work since the last look, and that is a while ago."""
        now = self._services.clock.monotonic()
        if not self._commits_due or now < self._commits_at + COMMIT_LOOK_SECONDS:
            return
        self._commits_due, self._commits_at = False, now
        self._know(commits=tuple(await self._commits()))

    async def _ask_the_machine(self, seconds: float) -> None:
        """Get a second opinion by two looks at its processes; what comes in between is heard first."""
        runtime, clock = self._services.runtime, self._services.clock
        before, began = await runtime.pulse(self._handle), clock.monotonic()
        if await self._engine.wait(self._box.changed, began + seconds):
            return
        after, now = await runtime.pulse(self._handle), clock.monotonic()
        opinion = weigh(before, after, now - began, now)
        self._know(opinion=opinion)
        if opinion.alive:
            health = self.vitals.health
            self._board.see(Signal(health=health, source="processes", at=clock.now(), detail=opinion.words))

    # -- what it learns --------------------------------------------------------------------------------------------

    def _know(self, **changes: object) -> None:
        self.vitals = msgspec.structs.replace(self.vitals, **changes)

    def _take(self, signal: Signal) -> None:
        """Take over a signal. What follows a finish changes nothing: whether it came in time to be read is chance."""
        self._follow(signal.session)
        self._take_use(signal)
        self._know(
            accepted=self.vitals.accepted or signal.accepted,
            last_signal=max(self.vitals.last_signal, self._monotonic(signal.at)),
        )
        if self.vitals.health is Health.FINISHED:
            return
        if signal.health is not Health.WAITING:
            self._know(waiting_since=None)
        elif self.vitals.waiting_since is None:
            self._know(waiting_since=self._monotonic(signal.at))
        if signal.call:
            repeats = self._services.settings().limits.loop_repeats
            self._know(calls=remember(self.vitals.calls, signal.call, repeats))
        self._know(
            health=signal.health,
            fatal=signal.fatal or self.vitals.fatal,
            until=signal.until,
            detail=signal.detail,
        )
        self._commits_due = True
        self._board.see(signal)

    def _follow(self, path: str) -> None:
        """Read the record of a session along from now on. Only events name one: a record is the agent's to write."""
        if not path:
            return
        tail = self._sessions.pop(path, None) or Tail(Path(path), line_limit=SESSION_LINE)
        if len(self._sessions) == MOST_SESSIONS:
            self._count(self._sessions.pop(next(iter(self._sessions))))
        self._sessions[path] = tail

    def _take_use(self, signal: Signal) -> None:
        """Take over what a signal says was used so far; no later word makes it less."""
        used, usd = self.vitals.used, signal.usd
        if self._cost.known and signal.tokens is not None:
            usd = self._cost.usd(signal.tokens, signal.output, signal.cached or 0, signal.stored or 0)
        self._know(
            tells=self.vitals.tells or (signal.turns, signal.tokens, usd) != (None, None, None),
            money=self.vitals.money or usd is not None,
            used=msgspec.structs.replace(
                used,
                turns=max(used.turns, signal.turns or 0),
                tokens=max(used.tokens, signal.tokens or 0),
                usd=max(used.usd, usd or 0.0),
            ),
        )

    def _monotonic(self, at: float) -> float:
        """Translate a wall time that has passed."""
        clock = self._services.clock
        return clock.monotonic() - max(0.0, clock.now() - at)
