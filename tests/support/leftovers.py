"""What a delivery may not leave behind: checkouts, agents, panes."""

from __future__ import annotations

import os
from pathlib import Path

from tests.support.fleets import TestFleet
from tests.support.waiting import wait_for_async


def checkouts(fleet: TestFleet) -> list[str]:
    """Return the checkouts that are there, spares aside."""
    return [path.name for path in fleet.paths.worktrees.iterdir() if not path.name.startswith(".")]


def processes(fleet: TestFleet) -> list[int]:
    """Return the processes that were started for runs of this fleet, or that stand in one of its checkouts."""
    return processes_of(fleet.paths.runs, fleet.paths.worktrees)


def processes_of(*places: Path) -> list[int]:
    """Return the processes that stand in one of these directories, or have an argument in one."""
    here = tuple(map(os.fsencode, places))
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _is_of(entry, here)]


def _is_of(entry: Path, here: tuple[bytes, ...]) -> bool:
    try:
        command = (entry / "cmdline").read_bytes()
        place = os.fsencode((entry / "cwd").readlink())
    except OSError:  # gone meanwhile, or not ours
        return False
    return any(place.startswith(directory) or b"\0" + directory in command for directory in here)


async def nothing_left(fleet: TestFleet) -> None:
    """Assert that no checkout and no process of any attempt is left; a moment is given to what ends at this instant."""
    assert checkouts(fleet) == []
    await wait_for_async(lambda: not processes(fleet), f"the end of the processes {processes(fleet)}", seconds=2)


async def no_server_left(fleet: TestFleet) -> None:
    """Assert that the fleet's tmux server has ended, as it does with its last pane once no core is there."""
    socket = os.fsencode(fleet.root / "tmux.sock")

    def served() -> bool:
        return any(_speaks_to(entry, socket) for entry in Path("/proc").iterdir() if entry.name.isdigit())

    await wait_for_async(lambda: not served(), f"the end of the server at {socket.decode()}", seconds=5)


def _speaks_to(entry: Path, socket: bytes) -> bool:
    try:
        return b"\0" + socket + b"\0" in (entry / "cmdline").read_bytes()
    except OSError:  # gone meanwhile
        return False
