"""The forecast: what the rest of a night brings, by the fleet's own record."""

from __future__ import annotations

from typing import Any

import pytest

from omni_tui.model.event import Event
from omni_tui.model.load import Load, Sample
from omni_tui.model.provider import Standing
from omni_tui.model.task import Status, Task, TaskRef
from omni_tui.policy.backlog import Backlog, Capacity
from omni_tui.simulation.forecast import Forecast, Stay, forecast, stays_in

NOW = 1_000_000.0
HOUR = 3600.0
GOOD = Stay(HOUR / 2, landed=True)
BAD = Stay(HOUR / 2, landed=False)


def task(number: int, **head: Any) -> Task:  # noqa: ANN401 - any key of a head
    return Task(workspace="w", id=f"{number:03}", title="Do", created_at=float(number), **head)


def ask(waiting: list[Task], record: list[Stay], *, hours: float = 4, **given: Any) -> Forecast:  # noqa: ANN401
    of_capacity = {name: given.pop(name) for name in ("slots", "throttled", "frozen", "load") if name in given}
    backlog: dict[str, Any] = {"waiting": waiting, "status_of": {}} | given
    capacity: dict[str, Any] = {"slots": 1, "now": NOW} | of_capacity
    return forecast(Backlog(**backlog), Capacity(**capacity), record, seconds=hours * HOUR)


def middles(told: Forecast) -> list[int]:
    return [hour.middle for hour in told.hours]


@pytest.mark.parametrize(
    ("tasks", "slots", "expected"),
    [
        pytest.param(3, 1, [2, 3, 3, 3], id="one after another"),
        pytest.param(9, 1, [2, 4, 6, 8], id="more than there is time for"),
        pytest.param(9, 2, [4, 8, 9, 9], id="side by side"),
    ],
)
def test_a_night_without_chance_is_arithmetic(tasks: int, slots: int, expected: list[int]) -> None:
    told = ask([task(number) for number in range(tasks)], [GOOD], slots=slots)
    assert middles(told) == expected
    assert [hour.low for hour in told.hours] == [hour.high for hour in told.hours] == expected


def test_the_load_of_this_moment_says_nothing_of_the_night() -> None:
    busy = Sample(cpu_pressure=99.0, load_per_core=50.0)
    load = Load(at=NOW, last=busy, smooth=busy, over=frozenset({"cpu_pressure", "load_per_core"}))
    tasks = [task(number) for number in range(9)]
    assert ask(tasks, [GOOD], slots=2, load=load) == ask(tasks, [GOOD], slots=2)


def test_when_it_is_done_is_told_only_if_it_will_be() -> None:
    assert ask([task(1), task(2)], [GOOD]).drained_at == NOW + HOUR
    assert ask([task(number) for number in range(20)], [GOOD]).drained_at is None
    assert ask([task(number) for number in range(2000)], [GOOD]).drained_at is None, "though most are not looked at"


def test_what_did_not_land_does_not_count_and_holds_what_depends_on_it() -> None:
    told = ask([task(1), task(2, depends_on=("001",))], [BAD])
    assert middles(told) == [0, 0, 0, 0]
    assert told.binds["dependency"] == 1.0, "while it runs; what is blocked for good keeps no time"


def test_chance_widens_what_is_told() -> None:
    told = ask([task(number) for number in range(30)], [GOOD, GOOD, BAD, Stay(3 * HOUR, landed=True)])
    last = told.hours[-1]
    assert last.low < last.middle < last.high
    assert told == ask([task(number) for number in range(30)], [GOOD, GOOD, BAD, Stay(3 * HOUR, landed=True)])


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        pytest.param({"slots": 1}, "slots", id="slots"),
        pytest.param({"slots": 2, "throttled": True}, "throttled", id="throttled"),
    ],
)
def test_what_binds_is_told(given: dict[str, Any], kind: str) -> None:
    assert ask([task(number) for number in range(9)], [GOOD], **given).binds == {kind: 1.0}


def test_a_frozen_fleet_gets_nowhere() -> None:
    told = ask([task(1)], [GOOD], frozen=True)
    assert middles(told) == [0, 0, 0, 0]
    assert told.open == 1


def test_a_parked_provider_serves_once_its_time_is_up() -> None:
    parked = {"claude": Standing(name="claude", state="open", reason="limit", until=NOW + 2 * HOUR)}
    waiting = [task(1), task(2)]
    providers = {each.ref: ("claude",) for each in waiting}
    told = ask(waiting, [GOOD], slots=2, standings=parked, providers=providers)
    assert middles(told) == [0, 0, 2, 2]
    assert told.binds == {"parked": 1.0}


def test_what_only_a_person_lifts_takes_no_time_from_what_the_night_waits_for() -> None:
    parked = {"claude": Standing(name="claude", state="open", reason="limit", until=NOW + 2 * HOUR)}
    first, last = task(1, depends_on=("nowhere",)), task(2)
    told = ask([first, last], [GOOD], slots=2, standings=parked, providers={last.ref: ("claude",)})
    assert middles(told) == [0, 0, 1, 1]
    assert told.binds == pytest.approx({"parked": 0.8, "dependency_missing": 0.2})


def test_no_provider_serves_more_than_it_has_slots_for() -> None:
    waiting = [task(number) for number in range(8)]
    standings = {"claude": Standing(name="claude", slots=1, of=1), "codex": Standing(name="codex", slots=1, of=1)}
    served = {each.ref: ("claude",) if number < 6 else ("codex",) for number, each in enumerate(waiting)}
    told = ask(waiting, [GOOD], slots=4, standings=standings, providers=served)
    assert middles(told) == [4, 6, 8, 8]
    assert told.binds == {"provider_slots": 1.0}


def test_what_runs_counts_too() -> None:
    told = ask([], [GOOD], running=[TaskRef("w", "9")], status_of={TaskRef("w", "9"): Status.DOING})
    assert middles(told) == [1, 1, 1, 1]
    assert told.open == 1


def test_half_an_hour_is_told_too() -> None:
    assert [hour.at - NOW for hour in ask([task(1)], [GOOD], hours=1.5).hours] == [HOUR, 1.5 * HOUR]


def test_no_record_no_forecast() -> None:
    with pytest.raises(ValueError, match="record"):
        ask([task(1)], [])


def test_stays_are_read_from_the_journal() -> None:
    def event(at: float, name: str, task_id: str) -> Event:
        return Event(time=at, event=name, workspace="w", task=task_id)

    events = [
        event(1.0, "task.landed", "before"),
        event(10.0, "task.claimed", "good"),
        event(20.0, "task.claimed", "bad"),
        event(25.0, "task.claimed", "back"),
        event(30.0, "task.requeued", "back"),
        event(40.0, "task.landed", "good"),
        event(50.0, "task.blocked", "bad"),
        event(60.0, "task.claimed", "back"),
        event(65.0, "task.claimed", "goes on"),
        event(70.0, "task.landed", "back"),
    ]
    assert stays_in(events) == (Stay(30.0, landed=True), Stay(30.0, landed=False), Stay(10.0, landed=True))
