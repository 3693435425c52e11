"""The radar: looks whether changes in flight would conflict with each other, or with what has landed.

It looks when a change was committed, finished, has landed or went, and at no other time; one look at a time for each
workspace, at what is new. Where tasks run one after another, and nobody else moves the release branch, it rests.
"""

from __future__ import annotations

from collections.abc import Awaitable, Collection
from itertools import combinations

from omni_tui.engine.flights import Flight, Flights
from omni_tui.engine.guard import Guard, contained
from omni_tui.engine.services import Services
from omni_tui.engine.workplace import Workplace
from omni_tui.errors import LeaseLostError, OmniError, ScmError
from omni_tui.policy.radar import Clash

SHOWN_FILES = 20
"""Files of a conflict that the journal names."""


class Radar:
    """Watches one workspace for as long as anything is in flight there."""

    def __init__(self, place: Workplace, services: Services) -> None:
        self._place = place
        self._services = services
        self._known: dict[tuple[str, str], tuple[str, ...]] = {}
        """In which files two commits conflict."""
        self._told: set[tuple[str, str]] = set()

    @classmethod
    def on_duty(cls, place: Workplace, services: Services, guard: Guard) -> None:
        """See to it that somebody looks."""
        if not place.flights.watched:
            place.flights.watched = True
            guard.spawn(f"radar of {place.name}", cls(place, services).run())

    async def run(self) -> None:
        """Look whenever something has happened, until nothing is in flight any more."""
        flights = self._place.flights
        try:
            while flights.there or flights.expected:
                await flights.due.wait()
                flights.due.clear()
                if not flights.expected:
                    await self._answer(flights)
        finally:
            flights.watched = False

    async def _answer(self, flights: Flights) -> None:
        """Look; where that fails nothing is known to conflict: whoever lands second is brought onto the first then."""
        number = flights.asked
        try:
            await contained(self._look(flights))
        except LeaseLostError:
            raise
        except OmniError as error:
            flights.clashes = ()
            self._fault(error)
        flights.answer(number)

    async def _look(self, flights: Flights) -> None:
        tip = await self._place.scm.tip()
        several = len(flights.there) > 1 or self._services.settings().scheduler.limit > 1
        for flight in list(flights.there.values()):
            if several or flight.base not in {"", tip}:
                await self._read(flight)
        oldest_first = sorted(flights.there.values(), key=lambda flight: (flight.since, flight.attempt.task))
        seen = [flight for flight in oldest_first if flight.seen]
        known: dict[tuple[str, str], tuple[str, ...]] = {}
        clashes = []
        for one, other in combinations(seen, 2):
            files = known[one.seen, other.seen] = await self._conflicts(one.seen, other.seen)
            if files:
                clashes.append(Clash(one.attempt.task, other.attempt.task, files))
                self._tell(other, str(one.attempt.task), files)
        for flight in seen:
            if flight.base not in {"", tip}:
                files = known[tip, flight.seen] = await self._conflicts(tip, flight.seen)
                if files:
                    self._tell(flight, self._place.settings.release, files)
        self._known = known
        flights.clashes = tuple(clashes)

    async def _read(self, flight: Flight) -> None:
        """Learn how far a change is. What its agent is in the middle of writing is read the next time."""
        if flight.stirred and not flight.ready:
            flight.stirred = False
            checkout = self._place.paths.worktrees / flight.attempt.checkout
            head = await self._place.scm.head(checkout, flight.attempt.branch)
            if head and head != flight.base and not flight.ready:
                flight.head = head
        if flight.head and flight.head != flight.seen:
            head = flight.head
            flight.files = frozenset(await self._try(self._place.scm.touched(head)))
            flight.seen = head

    async def _conflicts(self, one: str, other: str) -> tuple[str, ...]:
        known = self._known.get((one, other))
        return tuple(await self._try(self._place.scm.conflicts(one, other))) if known is None else known

    async def _try(self, look: Awaitable[Collection[str]]) -> Collection[str]:
        """Return what git finds; nothing where a commit is too much for it: the others are looked at all the same."""
        try:
            return await look
        except ScmError as error:
            self._fault(error)
            return ()

    def _fault(self, error: OmniError) -> None:
        self._services.record("core.fault", where=f"the radar of {self._place.name}", error=str(error))

    def _tell(self, flight: Flight, other: str, files: tuple[str, ...]) -> None:
        """Write a conflict to the journal, once for each attempt."""
        if (str(flight.attempt), other) not in self._told:
            self._told.add((str(flight.attempt), other))
            self._services.record("conflict.seen", flight.attempt, other=other, files=files[:SHOWN_FILES])
