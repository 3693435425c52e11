"""What is known of the changes in flight, from one attempt to the next and over a restart."""

from __future__ import annotations

from typing import cast

from omni_tui.engine.board import Board
from omni_tui.engine.flights import FELL_OUT, Flight, Flights
from omni_tui.engine.order import OrderBox
from omni_tui.model.attempt import AttemptId
from omni_tui.model.task import TaskRef

TASK = TaskRef("w", "a")


def flight(number: int, head: str = "") -> Flight:
    return Flight(AttemptId(TASK, number), 1.0, "main", OrderBox(), cast("Board", None), head=head)


def test_who_goes_on_with_the_former_work_meets_whom_that_met() -> None:
    flights, former = Flights(), flight(1, "c1")
    flights.enter(former)
    former.seen, former.files = "c1", frozenset({"x.py"})
    next_one, other_work = flight(2, "c1"), flight(3)
    flights.enter(next_one)
    assert (next_one.seen, next_one.files) == ("c1", frozenset({"x.py"}))
    flights.enter(other_work)
    assert (other_work.seen, other_work.files) == ("", frozenset())


def test_an_attempt_that_was_over_before_a_crash_leaves_its_task_expected() -> None:
    flights, over, last = Flights(), flight(1), flight(2)
    flights.expect(TASK)
    flights.fall_out(over)
    assert set(flights.expected) == {TASK}
    flights.enter(last)
    assert (set(flights.expected), flights.there) == (set(), {TASK: last})
    flights.fall_out(over)
    assert (last.gone, flights.there) == ("", {TASK: last})
    flights.fall_out(last)
    assert (last.gone, flights.there) == (FELL_OUT, {})
