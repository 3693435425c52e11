"""A cockpit as a program of its own, for tests with a real terminal.

`python -m tests.support.cockpit_program DIRECTORY`: its visits run a shell that waits for a line. Ended by quitting or
by a lost terminal, it leaves `closed` in the directory.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import msgspec

from omni_tui.cockpit.app import CockpitApp
from omni_tui.cockpit.visit import go
from omni_tui.model.task import TaskRef
from omni_tui.plugins.terminal.protocol import Visit
from tests.support.cockpit_ports import MemoryInsight, make_ports
from tests.support.fleet_tree import demo_tree, hold_lease


class ShellInsight(MemoryInsight):
    """Attaches to a shell."""

    async def attach(self, ref: TaskRef) -> Visit:
        return Visit(
            argv=("sh", "-c", f"echo visiting {ref}; read line; exit 3"),
            env=dict(os.environ),
            way_back="Enter brings you back",
        )


def main(directory: Path) -> None:
    """Show a fleet made below `directory`."""
    tree = demo_tree(directory / "night")
    with hold_lease(tree):
        app = CockpitApp(msgspec.structs.replace(make_ports(tree, insight=ShellInsight()), go=go))
        signal.signal(signal.SIGHUP, lambda *_: app.exit())
        app.run()
    (directory / "closed").touch()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
