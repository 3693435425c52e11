"""Changes in flight: one workspace's, each from its attempt's start until it has landed or failed.

Nothing here looks at anything: the radar does, when `due` is set, and leaves here what it saw.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from omni_tui.engine.board import Board
from omni_tui.engine.order import OrderBox
from omni_tui.model.attempt import AttemptId
from omni_tui.model.task import TaskRef
from omni_tui.model.touch import TouchPoint
from omni_tui.policy.radar import Clash, changed_points

LANDED = "has landed"
FELL_OUT = "did not land"


@dataclass(eq=False)
class Flight:
    """One attempt's change."""

    attempt: AttemptId
    since: float
    """When it began, UTC seconds; where others overtook it, when the first of the attempts did that they overtook."""
    provider: str
    box: OrderBox
    board: Board
    overtaken: bool = False
    """Others' landings alone were in its way the last time: now it goes first."""
    head: str = ""
    """The newest commit that is known of it; empty: none."""
    base: str = ""
    """The commit that it began from; empty: not yet."""
    stirred: bool = False
    """Its agent has shown a sign of work since its head was looked up."""
    ready: bool = False
    """Its agent has finished: `head` is what would land."""
    files: frozenset[str] = frozenset()
    """What `seen` changes."""
    seen: str = ""
    """The head that was looked at last."""
    gone: str = ""
    """How it went; empty: it is in flight."""


@dataclass
class Flights:
    """What is in flight, and how it meets."""

    due: asyncio.Event = field(default_factory=asyncio.Event)
    """Something happened that can change how changes meet."""
    watched: bool = False
    """A radar looks."""
    there: dict[TaskRef, Flight] = field(default_factory=dict)
    clashes: tuple[Clash, ...] = ()
    """What does not merge, by the last look."""
    points: dict[TaskRef, Sequence[TouchPoint]] = field(default_factory=dict)
    """What is known to be touched, because it has been."""
    asked: int = 0
    answered: int = 0
    """Looks that were asked for, and how many of them have been had."""
    _expected: set[TaskRef] = field(default_factory=set)

    def expect(self, ref: TaskRef) -> None:
        """Note that a task begins, or goes on after a crash: nobody lands before it has said where it is."""
        self._expected.add(ref)

    @property
    def expected(self) -> Collection[TaskRef]:
        """Tasks of which nothing is known yet."""
        return self._expected

    def enter(self, flight: Flight) -> None:
        """Take a new attempt's flight, in place of the former one's, and what is known of that where it goes on."""
        ref = flight.attempt.task
        former = self.there.get(ref)
        if former is not None and flight.head == former.seen:
            flight.seen, flight.files = former.seen, former.files
        self._expected.discard(ref)
        self.there[ref] = flight
        self.due.set()

    def stir(self, flight: Flight) -> None:
        """Note that an agent has shown signs of work."""
        flight.stirred = True
        self.due.set()

    def finish(self, flight: Flight, head: str) -> None:
        """Note that an agent has finished, and what it left."""
        flight.head, flight.ready = head, True
        self.due.set()

    def leave(self, ref: TaskRef, how: str) -> None:
        """Note that a task's change is in flight no more, and have those who wait for it look again."""
        self._expected.discard(ref)
        flight = self.there.pop(ref, None)
        if flight is not None:
            flight.gone = how
        self.note()
        self.due.set()
        self.wake()

    def fall_out(self, flight: Flight) -> None:
        """Note that an attempt has failed. One that was over before a crash is not there: its task stays expected."""
        if self.there.get(flight.attempt.task) is flight:
            self.leave(flight.attempt.task, FELL_OUT)

    def ask(self) -> int:
        """Ask for a look at all as it is from now on; return the number that `answered` has reached then."""
        self.asked += 1
        for flight in self.there.values():
            flight.stirred = True
        self.due.set()
        return self.asked

    def answer(self, number: int) -> None:
        """Note that a look is over, and have those hear of it who may wait for it."""
        self.answered = max(self.answered, number)
        self.note()
        self.wake()

    def note(self) -> None:
        """Take what is in flight, and nothing else, for touched."""
        self.points = {ref: changed_points(flight.files) for ref, flight in self.there.items() if flight.files}

    def wake(self) -> None:
        """Have every change that is ready think again."""
        for flight in self.there.values():
            if flight.ready:
                flight.box.changed.set()
