"""The warden's rounds on a clock of the test's own."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from omni_tui.engine.guard import Guard
from omni_tui.engine.services import Services
from omni_tui.engine.warden import ROUND_SECONDS, Warden
from omni_tui.model.settings import Settings


class Machine:
    """As much of `Services` as the warden uses; its clock is moved by its own sleep alone."""

    def __init__(self, suspended: list[float]) -> None:
        self.clock = self
        self.wall, self.awake = 1e9, 50.0
        self.suspended = suspended
        """For each round, how long the machine is suspended in it."""
        self.rounds = 0
        self.events: list[tuple[str, dict[str, Any]]] = []

    def now(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.awake

    async def sleep(self, seconds: float) -> None:
        self.awake += seconds
        self.wall += seconds + self.suspended[self.rounds]
        self.rounds += 1
        await asyncio.sleep(0)

    def settings(self) -> Settings:
        return Settings()

    def record(self, event: str, **data: object) -> None:
        self.events.append((event, data))


async def rounds(suspended: list[float]) -> tuple[Machine, asyncio.Event, asyncio.Event]:
    """Go as many rounds as `suspended` names while one attempt runs."""
    machine, wake, changed = Machine(suspended), asyncio.Event(), asyncio.Event()
    guard = Guard(lambda name, error: None)

    def watched() -> list[asyncio.Event]:
        return [changed] if machine.rounds < len(suspended) else []

    warden = Warden(cast("Services", machine), guard, watched, wake)
    warden.on_duty()
    warden.on_duty()
    async with asyncio.timeout(5):
        while machine.rounds < len(suspended):
            await asyncio.sleep(0)
    await guard.close()
    return machine, wake, changed


async def test_a_round_wakes_who_watches_and_says_nothing() -> None:
    machine, wake, changed = await rounds([0.0, 1.5, 0.0])
    assert machine.events == []
    assert changed.is_set()
    assert not wake.is_set()
    assert machine.awake == 50.0 + 3 * ROUND_SECONDS, "one warden goes the rounds, however often it is put on duty"


async def test_sleep_is_told_once_and_what_waits_for_a_time_of_day_is_looked_at_again() -> None:
    machine, wake, _ = await rounds([0.0, 28_800.0, 0.0, 0.0])
    assert machine.events == [("machine.slept", {"seconds": 28_800.0})]
    assert wake.is_set()
