"""A dispatcher of the simulated world: the real core as one process, from its start until it ends or is killed."""

from __future__ import annotations

import asyncio

from omni_tui.engine.core import Core
from omni_tui.errors import OmniError
from omni_tui.model.event import Event
from omni_tui.simulation.fleet import SimulatedFleet
from omni_tui.simulation.life import KilledError, Life
from omni_tui.simulation.world import World


class Dispatcher:
    """One process."""

    def __init__(self, world: World, number: int) -> None:
        self.life = Life(number)
        self.fleet = SimulatedFleet(world, self.life)
        self.core: Core | None = None
        """Once it has the lease."""
        self.end = ""
        """Why it ended."""
        self.began = world.loop.time()
        self.ended = -1.0
        """Seconds after the beginning of the night; negative: not yet."""
        self._world = world

    @property
    def leads(self) -> bool:
        """Whether it lives and dispatches."""
        return self.life.alive and self.core is not None and not self.end

    async def run(self) -> str:
        """Dispatch until it ends, however it does; return why."""
        world = self._world
        world.backends.append(self.fleet.backend)
        leading = world.loop.create_task(self._lead(), context=self.life.context())
        died = asyncio.ensure_future(self.life.died.wait())
        await asyncio.wait((leading, died), return_when=asyncio.FIRST_COMPLETED)
        died.cancel()
        world.backends.remove(self.fleet.backend)
        killed, self.ended = self.life.last, world.loop.time()
        self.end = f"killed at {killed}" if killed else _why(leading)
        await self.life.clear_away()
        self.fleet.simulated_disk.close_all()
        world.oracle.look()
        if self.end.startswith("defect"):
            world.oracle.violated(8, self.end)
        return self.end

    async def _lead(self) -> str:
        self.core = self.fleet.lead("headless", self._hear)
        return await self.core.run()

    def _hear(self, event: Event) -> None:
        if self.life.alive:
            self._world.heard(event)


def _why(leading: asyncio.Task[str]) -> str:
    """Return how a dispatcher that was not killed has ended."""
    error = leading.exception()
    if error is None:
        return leading.result()
    known = isinstance(error, (OmniError, OSError, KilledError))
    return f"{'failed' if known else 'defect'}: {type(error).__name__}: {error}"
