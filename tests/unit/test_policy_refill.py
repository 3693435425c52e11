"""Polling, refilling and idleness: tables."""

from __future__ import annotations

import pytest

from omni_tui.model.event import Event
from omni_tui.model.task import Task, TaskRef
from omni_tui.policy.holds import Hold, HoldKind
from omni_tui.policy.idle import Idleness, idleness
from omni_tui.policy.polling import SPREAD, Heard, Pace, answered, failed, interval
from omni_tui.policy.refill import Stock, held_for_themselves, in_turn, wanted

PACE = Pace(least=60, most=1800)


@pytest.mark.parametrize(
    ("heard", "jitter", "seconds"),
    [
        pytest.param(Heard(), 0.0, 60, id="it moves"),
        pytest.param(Heard(quiet=1), 0.0, 120, id="one quiet answer"),
        pytest.param(Heard(quiet=3), 0.0, 480, id="doubling"),
        pytest.param(Heard(quiet=5), 0.0, 1800, id="no further than the most"),
        pytest.param(Heard(quiet=100_000), 0.0, 1800, id="a quiet year"),
        pytest.param(Heard(quiet=2), 0.5, 240 * (1 + SPREAD / 2), id="chance comes on top"),
        pytest.param(Heard(hint=300), 0.0, 300, id="the remote asks for more"),
        pytest.param(Heard(quiet=5, hint=300), 0.0, 1800, id="the remote asks for less"),
        pytest.param(Heard(hint=7200), 0.0, 7200, id="the remote asks for more than the most"),
        pytest.param(Heard(failures=1), 0.0, 120, id="a failure"),
        pytest.param(Heard(failures=9), 0.0, 1800, id="many failures"),
        pytest.param(Heard(failures=1, hint=3600), 0.0, 3600, id="retry-after"),
        pytest.param(Heard(quiet=4, failures=1), 0.0, 120, id="a failure after quiet"),
    ],
)
def test_when_it_is_asked_again(heard: Heard, jitter: float, seconds: float) -> None:
    assert interval(heard, PACE, jitter) == seconds


def test_a_pace_whose_most_is_less_than_its_least_keeps_to_the_least() -> None:
    assert interval(Heard(quiet=9), Pace(least=60, most=10), 0.0) == 60


def test_movement_brings_the_pace_back_up() -> None:
    heard = Heard()
    for _ in range(4):
        heard = answered(heard, moved=False)
    assert heard.quiet == 4
    assert answered(heard, moved=True, hint=5.0) == Heard(hint=5.0)


def test_a_failure_ends_with_the_next_answer_and_leaves_how_quiet_it_was() -> None:
    heard = failed(failed(Heard(quiet=3)), retry_after=20.0)
    assert heard == Heard(quiet=3, failures=2, hint=20.0)
    assert answered(heard, moved=False) == Heard(quiet=4)


@pytest.mark.parametrize(
    ("stock", "room"),
    [
        pytest.param(Stock(waiting=0), 5, id="empty"),
        pytest.param(Stock(waiting=1), 4, id="low"),
        pytest.param(Stock(waiting=2), 0, id="enough"),
        pytest.param(Stock(waiting=7), 0, id="more than enough"),
        pytest.param(Stock(waiting=4, held=3), 1, id="what is held cannot start"),
        pytest.param(Stock(waiting=5, held=5), 0, id="never beyond `to`, though none can start"),
        pytest.param(Stock(waiting=0, usable=False), 0, id="nobody could use it"),
    ],
)
def test_how_many_are_wanted(stock: Stock, room: int) -> None:
    assert wanted(stock, at=2, to=5) == room


@pytest.mark.parametrize(
    ("kind", "held"),
    [(kind, kind not in {"slots", "stagger", "load", "disk", "throttled", "frozen", "stopped"}) for kind in HoldKind],
)
def test_a_hold_is_the_tasks_own_or_everybodys(kind: HoldKind, held: bool) -> None:
    everybody = {HoldKind.PARKED, HoldKind.PROVIDER_SLOTS, HoldKind.PREFLIGHT, HoldKind.BUDGET}
    never_told = {HoldKind.LEASE, HoldKind.RUNNING, HoldKind.NEXT, HoldKind.NOT_WAITING}
    hold = Hold(kind=kind, message="")
    count = held_for_themselves([(TaskRef("app", "1"), hold), (TaskRef("other", "1"), hold)], "app")
    assert count == (held and kind not in everybody | never_told)


def task(task_id: str, *depends_on: str, priority: int = 0) -> Task:
    return Task(workspace="", id=task_id, title=task_id or "none", depends_on=depends_on, priority=priority)


@pytest.mark.parametrize(
    ("offered", "order"),
    [
        pytest.param([task("a"), task("b")], "a b", id="as offered"),
        pytest.param([task("a"), task("b", priority=1)], "b a", id="by priority"),
        pytest.param([task("a", "c"), task("b"), task("c")], "c a b", id="what it needs goes before"),
        pytest.param([task("a", "b"), task("b", "c"), task("c")], "c b a", id="all the way"),
        pytest.param([task("a", "b"), task("b", "a")], "b a", id="a ring loses nobody"),
        pytest.param([task("a", "nowhere")], "a", id="what nobody offers is no matter"),
        pytest.param([task("", "b"), task(""), task("b")], "b none none", id="no ids"),
        pytest.param([task("a"), task("a")], "a a", id="one id twice"),
    ],
)
def test_the_order_in_which_offers_are_taken(offered: list[Task], order: str) -> None:
    assert " ".join(each.id or "none" for each in in_turn(offered)) == order


def events(*told: tuple[float, str, object]) -> list[Event]:
    """Make events of a time, a name, and a task's id or numbers."""
    return [
        Event(time=at, event=name, workspace="app", data=what)
        if isinstance(what, dict)
        else Event(time=at, event=name, workspace="app", task=str(what))
        for at, name, what in told
    ]


def said(ready: int, slots: int = 2, running: int = 0) -> dict[str, int]:
    return {"ready": ready, "slots": slots, "running": running}


@pytest.mark.parametrize(
    ("told", "idle", "total"),
    [
        pytest.param([], 0, 0, id="nothing is known"),
        pytest.param([(0, "slots.wanted", said(0))], 0, 200, id="free, and nothing waits"),
        pytest.param([(0, "slots.wanted", said(1))], 100, 200, id="one waits for nothing but a slot"),
        pytest.param([(0, "slots.wanted", said(9))], 200, 200, id="no more is idle than there is"),
        pytest.param([(0, "slots.wanted", said(9)), (40, "task.claimed", 1)], 140, 200, id="one slot is taken at last"),
        pytest.param([(0, "slots.wanted", said(2, running=2))], 0, 200, id="they run since before"),
        pytest.param(
            [(0, "slots.wanted", said(2, running=2)), (60, "task.landed", 7)], 40, 200, id="one of those ends"
        ),
        pytest.param(
            [(0, "task.claimed", 1), (0, "slots.wanted", said(2, running=1)), (50, "task.landed", 1)],
            150,
            200,
            id="its end frees its slot once",
        ),
        pytest.param([(0, "slots.wanted", said(2)), (30, "slots.wanted", said(0))], 60, 200, id="then something binds"),
        pytest.param([(0, "slots.wanted", said(2)), (30, "core.stopped", {})], 60, 60, id="nobody dispatches"),
        pytest.param(
            [(0, "slots.wanted", said(2)), (30, "task.claimed", 1), (80, "core.started", {})],
            60,
            60,
            id="it was killed after its last word",
        ),
        pytest.param(
            [(0, "slots.wanted", said(2)), (150, "slots.wanted", said(0))], 200, 200, id="the future is no matter"
        ),
        pytest.param([(0, "slots.wanted", {"ready": "two", "slots": None})], 0, 0, id="spoilt"),
    ],
)
def test_how_idle_the_slots_were(told: list[tuple[float, str, object]], idle: float, total: float) -> None:
    assert idleness(events(*told), 100.0) == Idleness(idle=idle, total=total)


def test_the_share_of_nothing_is_none() -> None:
    assert Idleness().share == 0
    assert Idleness(idle=1, total=200).share == 0.005
