"""Idleness in the simulated world: the reference night leaves no slot idle, a dispatcher that sleeps is found out."""

from __future__ import annotations

import pytest

from omni_tui.engine.scheduler import Scheduler
from omni_tui.model.settings import SchedulerSettings, Settings
from omni_tui.simulation.faults import ALL
from omni_tui.simulation.night import Night
from omni_tui.simulation.play import play
from omni_tui.simulation.scenario import draw_night, first_night

MOST_IDLE = 0.01
"""Issue 4, section 7: below this in the reference night."""


@pytest.mark.parametrize("slots", [1, 3])
def test_the_reference_night_leaves_hardly_a_slot_idle(slots: int) -> None:
    played = play(first_night(slots=slots))
    assert played.slot_time == pytest.approx(slots * played.hours * 3600, rel=0.05)
    assert played.idle_share < MOST_IDLE


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nor_does_a_night_in_which_all_goes_wrong(seed: int) -> None:
    settings = Settings(scheduler=SchedulerSettings(slots=3))
    played = play(draw_night(seed, settings, hours=8, tasks=30, faults=ALL))
    assert played.slot_time > 0
    assert played.idle_share < MOST_IDLE


@pytest.mark.parametrize(("seconds", "share"), [(1200.0, 0.2), (120.0, 0.03)])
def test_a_dispatcher_that_sleeps_is_found_out(monkeypatch: pytest.MonkeyPatch, seconds: float, share: float) -> None:
    awake = Scheduler._refresh

    async def refresh(self: Scheduler, site: object) -> None:
        await self._services.clock.sleep(seconds)
        await awake(self, site)  # type: ignore[arg-type]

    monkeypatch.setattr(Scheduler, "_refresh", refresh)
    played = play(first_night())
    assert played.idle_share > share


def test_a_night_with_nothing_to_do_is_not_idle() -> None:
    played = play(Night(seed=1, settings=Settings(), hours=2, tasks=1, simple=True))
    assert (played.landed, played.idle) == (1, 0)
