"""Running a test fleet's core in the test's own loop, and reading what it said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from omni_tui.engine.core import Core
from omni_tui.model.event import Event
from omni_tui.model.request import Reply, Request, RequestKind
from omni_tui.model.state import FleetState
from omni_tui.store import control
from tests.support.fleets import TestFleet

PATIENCE = 30.0
"""Seconds after which a test gives up on what it waits for."""


def reasons(state: FleetState) -> dict[str, str]:
    """Return why each waiting task waits, in words."""
    return {name: hold.message for name, hold in state.holds.items()}


class Record:
    """The events of a run; wakes those who wait for one."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.then: Callable[[Event], object] = lambda _: None
        """Is called in the core's own loop at each event."""
        self._came = asyncio.Event()

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        self.then(event)
        self._came.set()

    def named(self, name: str) -> list[Event]:
        """Return the events of one name."""
        return [event for event in self.events if event.event == name]

    async def wait(self, wanted: Callable[[Event], bool]) -> Event:
        """Return the first event that fits, past or future."""
        async with asyncio.timeout(PATIENCE):
            while True:
                self._came.clear()
                found = next((event for event in self.events if wanted(event)), None)
                if found is not None:
                    return found
                await self._came.wait()


async def ask(fleet: TestFleet, record: Record, kind: RequestKind, task: str = "") -> Reply:
    """File a request as another process would, and return the owner's reply."""
    request = Request(id=f"r{len(record.events)}-{kind}", kind=kind, task=task, by="test")
    directory = fleet.fleet.paths.control
    control.post(directory, request)
    await record.wait(lambda event: event.event.startswith("request.") and event.data["kind"] == kind)
    async with asyncio.timeout(PATIENCE):
        while (reply := control.read_reply(directory, request.id)) is None:
            await asyncio.sleep(0)
    return reply


async def until_idle(fleet: TestFleet, patience: float = PATIENCE * 2) -> Record:
    """Dispatch until nothing is left to do, at most `patience` seconds."""
    record = Record()
    core = fleet.fleet.lead("headless", record, until_idle=True)
    async with asyncio.timeout(patience):
        await core.run()
    return record


@asynccontextmanager
async def dispatching(fleet: TestFleet, *, stop_agents: bool = True) -> AsyncIterator[tuple[Core, Record]]:
    """Dispatch as long as the context lasts; then stop, with the agents."""
    record = Record()
    core = fleet.fleet.lead("headless", record, stop_agents=stop_agents)
    running = asyncio.ensure_future(core.run())
    try:
        yield core, record
    finally:
        core.stop("the test is over")
        async with asyncio.timeout(PATIENCE):
            await running
