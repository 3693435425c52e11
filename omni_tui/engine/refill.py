"""Refilling: keeps the queues of the workspaces that name sources from running low, and no fuller than they say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any

from omni_tui.engine.guard import Guard
from omni_tui.engine.offers import Offered
from omni_tui.engine.poller import Poller
from omni_tui.engine.services import Services
from omni_tui.engine.taking import Taker
from omni_tui.engine.telling import Teller
from omni_tui.engine.workplace import Workplace
from omni_tui.model.brakes import Scope
from omni_tui.model.sourced import SourceNote
from omni_tui.model.task import Status, Task, TaskRef
from omni_tui.policy.holds import Hold
from omni_tui.policy.refill import Stock, held_for_themselves, in_turn, wanted
from omni_tui.store.ledger import Ledger, Stage

AGAIN_SECONDS = 30.0
"""The pause after the disk failed."""

Waiting = Callable[[], Iterable[tuple[Workplace, Sequence[Task]]]]


class Refill:
    """Looks at the open workplaces with what waits in each.

    `added` is called after tasks were added, `said` with what the sources say; `wake` is set once nothing is under way.
    """

    def __init__(
        self,
        services: Services,
        guard: Guard,
        waiting: Waiting,
        added: Callable[[], None],
        said: Callable[[tuple[SourceNote, ...]], None],
        wake: asyncio.Event,
    ) -> None:
        self._services = services
        self._guard = guard
        self._waiting = waiting
        self._added = added
        self._said = said
        self._wake = wake
        self._ledger: Ledger | None = None
        self._places: dict[str, Workplace] = {}
        self._stocks: dict[str, Stock] = {}
        self._pollers: dict[str, Poller] = {}
        self._tellers: dict[str, Teller] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        """What polls and tells, by its name."""
        self._changed = asyncio.Event()
        self._given = False
        """Tasks were added since the queues were looked at last; they may have started at once."""
        self._failed = False
        """The disk failed, and it is tried again."""

    @property
    def busy(self) -> bool:
        """Whether tasks may be added at any moment, or a source is being told of one."""
        return self._changed.is_set() or self._failed or any(part.busy for part in self._parts)

    def look(self, holds: Mapping[TaskRef, Hold], *, usable: bool) -> None:
        """Take in how the queues stand after a decision of the scheduler; `usable`: what is taken could start."""
        stocks, places = {}, {}
        for place, tasks in self._waiting():
            if place.sources:
                brakes, held = self._services.course.brakes, held_for_themselves(holds.items(), place.name)
                free = usable and brakes.freeze_of(Scope(workspace=place.name)) is None
                stocks[place.name] = Stock(waiting=len(tasks), held=held, usable=free)
                places[place.name] = place
        if stocks == self._stocks and places == self._places and not self._given:
            return
        self._given = False
        self._stocks, self._places = stocks, places
        self._changed.set()
        self._keep("refill", self._run)

    def try_again(self) -> None:
        """Ask the sources again that wait for a person: one has been there."""
        for part in self._parts:
            part.try_again()

    def ended(self, workspace: str) -> None:
        """Take note that a task of a workspace has ended, before its folders tell."""
        if workspace in self._tellers:
            self._tellers[workspace].look()

    @property
    def _parts(self) -> list[Poller | Teller]:
        return [*self._pollers.values(), *self._tellers.values()]

    # -- the loop --------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        """Refill until cancelled. What was written down when the disk failed stands."""
        clock, again_at = self._services.clock, None
        while True:
            await clock.wait(self._changed, again_at)
            self._failed, again_at = False, None
            try:
                self._round()
            except OSError as error:
                self._services.record("core.fault", where="refilling the queue", error=str(error))
                self._failed, again_at = True, clock.monotonic() + AGAIN_SECONDS
            self._said(tuple(poller.note for poller in self._pollers.values()))
            self._changed.clear()
            self._wake.set()

    def _round(self) -> None:
        if self._ledger is None:
            first = next(iter(self._places.values()), None)
            if first is None:
                return
            self._ledger = Ledger(first.paths.fleet, self._services.disk)
        ledger, taker = self._ledger, Taker(self._services, self._ledger)
        self._have_them_polled(ledger)
        self._have_them_told(ledger)
        for entry in [entry for entry in ledger.entries.values() if entry.stage is Stage.TAKING]:
            if entry.workspace in self._places:
                taker.finish(entry, self._places[entry.workspace])
        rooms = {name: self._room(place) for name, place in sorted(self._places.items())}
        for poller in self._pollers.values():
            poller.want(wanted=any(rooms[name] > 0 for name in poller.askers))
        for name, room in rooms.items():
            pollers = [self._pollers[source.identity] for source in self._places[name].sources]
            if room > 0 and not any(poller.busy for poller in pollers):
                self._take(taker, self._places[name], pollers, room)

    def _room(self, place: Workplace) -> int:
        """Return how many tasks a workplace is to be given; its folder may hold more than the last decision knew."""
        settings = place.settings.refill
        room = wanted(self._stocks[place.name], at=settings.at, to=settings.to)
        return min(room, settings.to - len(place.queue.files(Status.TODO))) if room else 0

    def _take(self, taker: Taker, place: Workplace, pollers: Sequence[Poller], room: int) -> None:
        """Take what is offered and free, in turn, and say of what makes no task that it does not."""
        free: dict[str, tuple[Offered, str]] = {}
        for poller in pollers:
            for each in poller.offered:
                if each.key not in free and taker.is_free(each):
                    free[each.key] = (each, poller.source.identity)
        for each, source in free.values():
            if each.task is None:
                taker.take(each, source, place)
        for draft in in_turn([each.task for each, _ in free.values() if each.task is not None]):
            if room <= 0:
                break
            if taker.take(*free[draft.source or ""], place):
                room -= 1
                self._given = True
                self._added()

    # -- who polls and who tells -----------------------------------------------------------------------------------

    def _have_them_polled(self, ledger: Ledger) -> None:
        """Have one poller for each source, however many workplaces name it."""
        named: dict[str, list[Workplace]] = {}
        for _, place in sorted(self._places.items()):
            for source in place.sources:
                named.setdefault(source.identity, []).append(place)
        for identity in self._pollers.keys() - named.keys():
            self._let_go(f"source {identity}")
            del self._pollers[identity]
        for identity, places in named.items():
            if identity not in self._pollers:
                source = next(each for each in places[0].sources if each.identity == identity)
                settings = places[0].settings.refill
                self._pollers[identity] = Poller(source, settings, self._services, ledger, self._changed.set)
            self._pollers[identity].askers = tuple(dict.fromkeys(place.name for place in places))
            self._keep(f"source {identity}", self._pollers[identity].run)

    def _have_them_told(self, ledger: Ledger) -> None:
        """Have one teller for each workplace."""
        for name in self._tellers.keys() - self._places.keys():
            self._let_go(f"telling of {name}")
            del self._tellers[name]
        for name, place in self._places.items():
            if name not in self._tellers:
                self._tellers[name] = Teller(place, self._services, ledger, self._wake.set)
            self._keep(f"telling of {name}", self._tellers[name].run)

    def _keep(self, name: str, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Have something run that goes on until it is let go of; what has died is begun anew."""
        task = self._tasks.get(name)
        if task is None or task.done():
            self._tasks[name] = self._guard.spawn(name, run())

    def _let_go(self, name: str) -> None:
        self._tasks.pop(name).cancel()
