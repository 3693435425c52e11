"""A dispatcher that is ended by SIGKILL at a chosen point: `python -m tests.support.crashing FLEET NUMBER`.

A point is the moment right before or right after something that outlives the process: an operation on the fleet's tree,
a git command that writes, what the runtime does with an agent. Without a number it runs to the end and prints the
points, a line each.
"""

from __future__ import annotations

import asyncio
import functools
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from omni_tui.fleet import Fleet
from omni_tui.plugins.gitcmd import Git
from omni_tui.plugins.runtime.tmux import TmuxRuntime
from omni_tui.plugins.workspace.clone import CloneWorkspace
from omni_tui.store.files import Disk

DISK = ("mkdir", "rename", "replace", "sync", "unlink")
GIT = ("update-ref", "commit-tree", "fetch", "push")
RUNTIME = ("start", "kill", "release")
WORKSPACE = ("prepare", "checkout", "remove")


class Points:
    """Counts the points as they are passed."""

    def __init__(self, last: int | None) -> None:
        self._last = last
        self.passed: list[str] = []

    def reach(self, name: str) -> None:
        """Pass a point, or end here."""
        self.passed.append(name)
        if len(self.passed) == self._last:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, owner: type, name: str) -> None:
        """Put points before and after a plain method."""
        method: Callable[..., object] = getattr(owner, name)

        @functools.wraps(method)
        def wrapped(itself: object, *arguments: object, **named: object) -> object:
            words = _words(owner, name, arguments)
            if words is None:
                return method(itself, *arguments, **named)
            self.reach(f"before {words}")
            result = method(itself, *arguments, **named)
            self.reach(f"after {words}")
            return result

        setattr(owner, name, wrapped)

    def around_async(self, owner: type, name: str) -> None:
        """Put points before and after a coroutine method."""
        method: Callable[..., Awaitable[object]] = getattr(owner, name)

        @functools.wraps(method)
        async def wrapped(itself: object, *arguments: object, **named: object) -> object:
            self.reach(f"before {name}")
            result = await method(itself, *arguments, **named)
            self.reach(f"after {name}")
            return result

        setattr(owner, name, wrapped)


def _words(owner: type, name: str, arguments: tuple[object, ...]) -> str | None:
    """Return how a point is told; None: it is none."""
    if owner is Git:
        command = next((word for word in arguments if word in GIT), None)
        return f"git {command}" if command else None
    target = arguments[-1]
    path = target if isinstance(target, Path) else Path(f"/proc/self/fd/{target}").readlink()
    return None if "status.json" in path.name else f"{name} {path.name}"  # a view, written again and again


async def main(root: Path, last: int | None) -> None:
    """Dispatch until idle, or until the point."""
    points = Points(last)
    fleet = Fleet(root)
    core = fleet.lead("headless", lambda _: None, until_idle=True)
    for name in DISK:
        points.around(Disk, name)
    points.around(Git, "_run")
    for name in RUNTIME:
        points.around_async(TmuxRuntime, name)
    for name in WORKSPACE:
        points.around_async(CloneWorkspace, name)
    await core.run()
    sys.stdout.write("\n".join(points.passed))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else None))
