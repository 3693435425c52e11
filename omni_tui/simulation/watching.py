"""Watching in the simulated world: changes are told at once, late, twice, or not at all."""

from __future__ import annotations

import asyncio
from pathlib import Path

from omni_tui.simulation.conditions import Conditions
from omni_tui.store.watch import is_hidden

LATE_SECONDS = 0.25
LOST_SHARE = 0.5
OVERFLOWS = 0.5
"""The share of lost changes of which it is told that there were some; only of agents' words the rest is lost."""


class SimulatedBackend:
    """What one dispatcher hears of the tree; see `store.watch.Backend`."""

    def __init__(self, conditions: Conditions) -> None:
        self._conditions = conditions
        self._directories: set[Path] = set()
        self._changed: dict[Path, None] = {}
        self._overflown = False
        self._ready = asyncio.Event()

    def add(self, path: Path) -> bool:
        """See `store.watch.Backend`."""
        if not path.is_dir():
            return False
        self._directories.add(path)
        return True

    def remove(self, path: Path) -> None:
        """See `store.watch.Backend`."""
        self._directories.discard(path)

    async def next(self) -> set[Path]:
        """See `store.watch.Backend`."""
        await self._ready.wait()
        self._ready.clear()
        changed, overflown = set(self._changed), self._overflown
        self._changed.clear()
        self._overflown = False
        return set() if overflown else changed

    def close(self) -> None:
        """See `store.watch.Backend`."""
        self._directories.clear()

    def tell(self, path: Path) -> None:
        """Hear of a change, as far as it is watched and is not lost."""
        if path.parent not in self._directories or is_hidden(path.name):
            return
        if self._conditions.lost and self._conditions.hits("lost", LOST_SHARE):
            if path.name != "events.jsonl" or self._conditions.chance.random() < OVERFLOWS:
                self._overflown = True
                self._ready.set()
            return
        self._take(path)
        if self._conditions.doubled and self._conditions.hits("duplicate", 1.0):
            asyncio.get_running_loop().call_later(LATE_SECONDS, self._take, path)

    def _take(self, path: Path) -> None:
        self._changed[path] = None
        self._ready.set()
