"""Footprints: what looks at a tree come to, which are worth a write, and how they are said."""

from __future__ import annotations

import msgspec
import pytest

from omni_tui.model.attempt import AttemptStatus, Phase
from omni_tui.model.footprint import Footprint, TreeUse
from omni_tui.policy.footprint import at_rest, is_news, weigh
from omni_tui.policy.night import heaviest
from omni_tui.words import taken, taking

KNOWN = Footprint(cpu_percent=50.0, cpu_seconds=100.0, memory_mb=400.0, peak_mb=500.0, processes=7)


def use(cpu: float, memory: float, **more: int) -> TreeUse:
    return msgspec.structs.replace(TreeUse(cpu_seconds=cpu, memory_mb=memory, processes=3), **more)


def test_two_looks_tell_the_cpu_in_percent_and_the_peak_is_kept() -> None:
    first = weigh(Footprint(), [(10.0, use(1.0, 300.0))])
    assert (first.cpu_percent, first.cpu_seconds, first.memory_mb, first.peak_mb) == (0.0, 1.0, 300.0, 300.0)
    second = weigh(first, [(10.0, use(1.0, 300.0)), (20.0, use(6.0, 200.0))])
    assert (second.cpu_percent, second.cpu_seconds, second.memory_mb, second.peak_mb) == (50.0, 6.0, 200.0, 300.0)


def test_what_was_known_before_a_restart_is_never_less() -> None:
    found = weigh(KNOWN, [(10.0, use(3.0, 20.0))])
    assert (found.cpu_seconds, found.peak_mb, found.cpu_percent) == (100.0, 500.0, 50.0)


def test_a_clock_that_stands_divides_by_nothing() -> None:
    assert weigh(KNOWN, [(10.0, use(3.0, 20.0)), (10.0, use(4.0, 20.0))]).cpu_percent == 50.0


def test_an_ended_tree_takes_nothing_and_has_taken_what_it_took() -> None:
    rest = at_rest(KNOWN)
    assert (taking(rest), taken(rest)) == ("", "1m 40s of CPU, 500 MB at its peak")
    assert taking(KNOWN) == "50 % CPU, 400 MB, 7 processes"
    assert (taking(Footprint()), taken(Footprint())) == ("", "")


@pytest.mark.parametrize(
    ("change", "news"),
    [
        ({}, False),
        ({"cpu_percent": 54.0}, False),
        ({"cpu_percent": 56.0}, True),
        ({"cpu_seconds": 900.0}, False),
        ({"memory_mb": 439.0}, False),
        ({"memory_mb": 441.0}, True),
        ({"memory_mb": 359.0}, True),
        ({"processes": 8}, True),
        ({"killed": 1}, True),
        ({"uncapped": True}, True),
    ],
)
def test_only_what_differs_is_written(change: dict[str, float], news: bool) -> None:
    assert is_news(KNOWN, msgspec.structs.replace(KNOWN, **change)) is news


def test_small_trees_are_told_by_the_megabyte() -> None:
    small = Footprint(memory_mb=10.0, processes=2)
    assert not is_news(small, msgspec.structs.replace(small, memory_mb=13.0))
    assert is_news(small, msgspec.structs.replace(small, memory_mb=16.0))


def test_the_heaviest_are_told_by_memory_and_the_busiest_beside_them() -> None:
    def status(task: str, peak: float, cpu: float) -> AttemptStatus:
        footprint = Footprint(peak_mb=peak, cpu_seconds=cpu)
        return AttemptStatus(task=task, workspace="w", attempt=1, phase=Phase.DONE, agent="a", footprint=footprint)

    found = heaviest(
        [status("a", 5, 1), status("b", 50, 1), status("c", 40, 9), status("d", 30, 1), status("e", 2, 99)]
    )
    assert [each.attempt for each in found] == ["w/b#1", "w/c#1", "w/d#1", "w/e#1"]
    assert heaviest([status("a", 0, 0), status("b", 0.4, 0.1)]) == ()
