"""Where a finished change waits for one that it conflicts with: that lands first, and it is brought onto it."""

from __future__ import annotations

from omni_tui.engine.flights import Flight, Flights
from omni_tui.engine.services import Services
from omni_tui.model.signal import Health
from omni_tui.policy.braking import frozen_hold
from omni_tui.policy.radar import InFlight, Wait, waits

STANDS_STILL = (Health.LIMITED, Health.WAITING)
"""An agent that waits for its provider, or for a person, keeps nobody waiting."""


class Precedence:
    """One finished change among those in flight."""

    def __init__(self, flight: Flight, flights: Flights, services: Services) -> None:
        self._flight = flight
        self._flights = flights
        self._services = services

    async def cleared(self) -> None:
        """Return once nobody lands first, or an order has come; the step that follows obeys it."""
        flights, box = self._flights, self._flight.box
        if len(flights.there) == 1 and not flights.expected:
            return
        number, other = flights.ask(), None
        while box.order is None:
            box.changed.clear()
            if flights.answered >= number:
                wait = self._wait()
                if wait is None:
                    break
                other = self._say(wait)
            await box.changed.wait()
        if other is not None:
            self._go_on(other)

    def _wait(self) -> Wait | None:
        facts = [self._fact(flight) for flight in self._flights.there.values()]
        return waits(facts, self._flights.clashes).get(self._flight.attempt.task)

    def _fact(self, flight: Flight) -> InFlight:
        frozen = frozen_hold(self._services.course.brakes, flight.attempt.task.workspace, (flight.provider,))
        still = not flight.ready and flight.board.status.health in STANDS_STILL
        going = frozen is None and flight.box.order is None and not still
        return InFlight(
            ref=flight.attempt.task, since=flight.since, ready=flight.ready, overtaken=flight.overtaken, going=going
        )

    def _say(self, wait: Wait) -> Flight:
        """Tell whoever watches, once; a restart tells nothing twice."""
        flight = self._flight
        if flight.board.status.reason != str(wait):
            self._services.record("landing.delayed", flight.attempt, other=str(wait.on), files=wait.files)
            flight.board.wait(str(wait))
        return self._flights.there[wait.on]

    def _go_on(self, other: Flight) -> None:
        self._flight.board.wait("")
        if self._flight.box.order is None:
            reason = other.gone or "keeps nobody waiting any more"
            self._services.record("landing.cleared", self._flight.attempt, other=str(other.attempt.task), reason=reason)
