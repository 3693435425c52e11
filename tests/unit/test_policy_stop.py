"""When a headless run ends by itself."""

from __future__ import annotations

from datetime import time

import pytest

from omni_tui.policy.stop import next_time_of_day, stop_at

HOUR = 3600.0
DAY = 24 * HOUR


@pytest.mark.parametrize(
    ("wanted", "now", "offset", "expected"),
    [
        pytest.param(time(7, 30), 22 * HOUR, 0, DAY + 7.5 * HOUR, id="tomorrow morning"),
        pytest.param(time(22, 30), 22 * HOUR, 0, 22.5 * HOUR, id="still today"),
        pytest.param(time(22, 0), 22 * HOUR, 0, DAY + 22 * HOUR, id="this very moment means tomorrow"),
        pytest.param(time(0, 0), 22 * HOUR, 0, DAY, id="midnight"),
        pytest.param(time(7, 0), 22 * HOUR, 2 * HOUR, DAY + 5 * HOUR, id="east"),
        pytest.param(time(23, 0), 2 * HOUR, -8 * HOUR, 7 * HOUR, id="west, where it is yesterday"),
    ],
)
def test_next_time_of_day(wanted: time, now: float, offset: float, expected: float) -> None:
    assert next_time_of_day(wanted, now, lambda _: offset) == expected


@pytest.mark.parametrize("step", [pytest.param(HOUR, id="forward"), pytest.param(-HOUR, id="back")])
def test_next_time_of_day_when_clocks_change_overnight(step: float) -> None:
    def offset_at(moment: float) -> float:
        return HOUR + (step if moment >= DAY + HOUR else 0)

    moment = next_time_of_day(time(7, 0), 22 * HOUR, offset_at)
    assert (moment + offset_at(moment)) % DAY == 7 * HOUR


@pytest.mark.parametrize(
    ("until", "lasting", "expected"),
    [
        pytest.param(None, None, None, id="neither"),
        pytest.param(time(1, 0), None, HOUR, id="until"),
        pytest.param(None, 60.0, 60.0, id="for"),
        pytest.param(time(1, 0), 60.0, 60.0, id="the earlier"),
    ],
)
def test_stop_at(until: time | None, lasting: float | None, expected: float | None) -> None:
    assert stop_at(0.0, until, lasting, lambda _: 0.0) == expected
