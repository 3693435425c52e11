"""The cockpit's view ahead: why a task waits, the waves, the flags, how the providers stand. From the files; blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce

from omni_tui.cockpit.ports import Ahead, FlagRow
from omni_tui.errors import OmniError
from omni_tui.fleet import Fleet
from omni_tui.linting import Linter
from omni_tui.model.course import Course
from omni_tui.model.provider import Standing
from omni_tui.model.task import Status
from omni_tui.model.view import FleetView, TaskRow
from omni_tui.planning import Planner
from omni_tui.policy.course import fold
from omni_tui.whynot import Why, why


class FleetForesight:
    """Reads a fleet's files, in whichever thread it is asked."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def why(self, row: TaskRow, view: FleetView) -> Why:
        """Return why a task does not start now. Raises `OmniError`, `OSError`."""
        return why(row, view, self._fleet)

    def plan(self) -> Sequence[Ahead]:
        """Return what lies ahead of each workspace."""
        planner = Planner(self._fleet)
        return [_ahead(name, planner) for name in self._fleet.paths.workspace_names()]

    def standings(self, view: FleetView) -> Mapping[str, Standing]:
        """Return how the providers stand. Raises `OmniError`, `OSError`."""
        running = {row.ref for row in view.rows if row.status is Status.DOING}
        course = reduce(fold, self._fleet.recent(), Course())
        return self._fleet.suppliers.standings(course, running, self._fleet.clock.now())


def _ahead(name: str, planner: Planner) -> Ahead:
    flags = tuple(_flags(planner.linter, name))
    try:
        outlook = planner.look_ahead(name)
    except (OmniError, OSError) as error:  # told beside what can be seen of the others
        return Ahead(workspace=name, outlook=None, trouble=str(error), flags=flags)
    return Ahead(workspace=name, outlook=outlook, trouble=planner.linter.flags[name].fault, flags=flags)


def _flags(linter: Linter, workspace: str) -> Iterator[FlagRow]:
    known = linter.flags[workspace].known
    holds, ships = linter.on_flags(workspace)
    for name in (*known, *sorted({*holds, *ships} - {*known})):
        yield FlagRow(
            name=name,
            state=known[name].state if name in known else "",
            by=known[name].by if name in known else "",
            holds=tuple(ref.id for ref in holds.get(name, ())),
            ships=tuple(ref.id for ref in ships.get(name, ())),
        )
