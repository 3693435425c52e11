"""Conflict radar: in which order changes in flight land that would conflict.

Of those that have finished the younger lets the older land first. Nobody waits for one whose agent is still at work,
which may take hours: it is overtaken, and brought by its agent onto what landed. From then on it goes before all that
were not overtaken, at work as well: it must not be overtaken again and again.

Only the landing waits, never the work. The order is total, so that no wait is ever part of a cycle; and nobody waits
for one that stands still, or that waits itself, so that the first of those who go on always goes on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import takewhile

import msgspec

from omni_tui.model.failure import Failure, FailureKind
from omni_tui.model.task import TaskRef
from omni_tui.model.text import listing
from omni_tui.model.touch import PointKind, TouchPoint
from omni_tui.policy.touching import migrations_in

MOST_FILES = 300
"""Changed files of one change in flight that keep others away; who changes more than that meets everybody anyway."""
NAMED = 3
"""Files of a conflict that a line names."""
CHANGED = "it has changed it already"
"""The evidence of a touch point that is no guess any more."""


class InFlight(msgspec.Struct, frozen=True, kw_only=True):
    """A change on its way: from the start of its attempt until it has landed or failed."""

    ref: TaskRef
    since: float
    """When it began, UTC seconds: the less, the older."""
    ready: bool = False
    """Its agent has finished: it could land."""
    overtaken: bool = False
    """Others' landings alone made its last attempt fail."""
    going: bool = True
    """False: frozen, waiting for its provider or a person, or being ended. Nobody knows when it goes on."""


class Clash(msgspec.Struct, frozen=True):
    """Two changes in flight that do not merge."""

    one: TaskRef
    other: TaskRef
    files: tuple[str, ...]


class Wait(msgspec.Struct, frozen=True):
    """What a finished change waits for."""

    on: TaskRef
    files: tuple[str, ...]

    def __str__(self) -> str:
        more = len(self.files) - NAMED
        named = ", ".join(self.files[:NAMED]) + (f" and {more} more" if more > 0 else "")
        return f"waits for {self.on} to land: both change {named}"


def in_turn(flights: Iterable[InFlight]) -> list[InFlight]:
    """Return changes in the order in which they land where they conflict: who was overtaken, then the oldest."""
    return sorted(flights, key=lambda flight: (not flight.overtaken, flight.since, flight.ref))


def waits(flights: Collection[InFlight], clashes: Iterable[Clash]) -> Mapping[TaskRef, Wait]:
    """Return for each finished change that has to wait the first one that lands before it.

    Who waits keeps nobody: once the other has landed its agent has to bring it over, whoever else lands meanwhile.
    """
    files = {frozenset((clash.one, clash.other)): clash.files for clash in clashes}
    found: dict[TaskRef, Wait] = {}
    ahead: list[TaskRef] = []
    for flight in in_turn(flights):
        before = (ref for ref in ahead if frozenset((ref, flight.ref)) in files)
        first = next(before, None) if flight.ready else None
        if first is not None:
            found[flight.ref] = Wait(first, files[frozenset((first, flight.ref))])
        elif flight.going and (flight.ready or flight.overtaken):
            ahead.append(flight.ref)
    return found


def overtaken_in_a_row(failures: Sequence[Failure]) -> int:
    """Return how many of the latest attempts fell only behind what others landed.

    Their successor goes first, with the age of the first of them: it must not be overtaken for ever.
    """
    return sum(1 for _ in takewhile(lambda failure: failure.kind is FailureKind.OVERTAKEN, reversed(failures)))


def overtaken(release: str, landed: Sequence[str], files: Sequence[str]) -> Failure:
    """Return the failure of a good change that does not merge any more, for what has landed while it was made."""
    who = f"{listing(list(landed))} landed meanwhile" if landed else "others' commits came onto it meanwhile"
    message = f"does not merge onto {release} any more: {who}, and both change {listing(list(files))}"
    return Failure(kind=FailureKind.OVERTAKEN, message=message)


def changed_points(files: Iterable[str]) -> tuple[TouchPoint, ...]:
    """Return the touch points of a task that are known from what it has changed."""
    points: dict[tuple[PointKind, str], TouchPoint] = {}
    for path in sorted(files)[:MOST_FILES]:
        points[PointKind.PATH, path] = TouchPoint(PointKind.PATH, path, CHANGED)
        if place := migrations_in(path):
            points.setdefault((PointKind.MIGRATION, place), TouchPoint(PointKind.MIGRATION, place, CHANGED))
    return tuple(points.values())
