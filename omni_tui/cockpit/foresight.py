"""The cockpit's view ahead: why a task waits, the waves, the flags, how the providers stand. From the files; blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from omni_tui.cockpit.ports import Ahead
from omni_tui.errors import OmniError
from omni_tui.fleet import Fleet
from omni_tui.model.provider import Standing
from omni_tui.model.view import FleetView, TaskRow
from omni_tui.outlook import read_standings
from omni_tui.planning import Planner
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
        return read_standings(self._fleet, view)


def _ahead(name: str, planner: Planner) -> Ahead:
    flags = tuple(planner.linter.flag_rows(name))
    try:
        outlook = planner.look_ahead(name)
    except (OmniError, OSError) as error:  # told beside what can be seen of the others
        return Ahead(workspace=name, outlook=None, trouble=str(error), flags=flags)
    return Ahead(workspace=name, outlook=outlook, trouble=planner.linter.flags[name].fault, flags=flags)
