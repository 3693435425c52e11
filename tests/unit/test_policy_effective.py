"""The effective limit: the lowest of all there are, and what binds it."""

from __future__ import annotations

import msgspec
import pytest

from omni_tui.model.course import Course
from omni_tui.model.effective import Bound, Effective
from omni_tui.model.load import Sample
from omni_tui.model.provider import Standing
from omni_tui.model.settings import LoadSettings
from omni_tui.model.task import Task, TaskRef
from omni_tui.policy.backlog import Backlog, Capacity
from omni_tui.policy.effective import effective
from omni_tui.policy.load import follow
from omni_tui.policy.scheduling import plan

BUSY = follow(None, Sample(cpu_pressure=99.0), 0.0, LoadSettings())
SHORT_OF_MEMORY = follow(None, Sample(memory_mb=100.0), 0.0, LoadSettings())
CAPACITY = Capacity(slots=4, now=100.0, stagger_seconds=30.0)


def backlog(running: int, **more: object) -> Backlog:
    refs = [TaskRef("w", f"r{number}") for number in range(running)]
    return msgspec.structs.replace(Backlog(waiting=(), status_of={}, running=refs), **more)


def standings(*found: Standing) -> dict[str, object]:
    return {"standings": {each.name: each for each in found}}


@pytest.mark.parametrize(
    ("running", "capacity", "facts", "slots", "bound", "words"),
    [
        pytest.param(0, {}, {}, 4, Bound.SLOTS, "", id="the setting"),
        pytest.param(4, {}, {}, 4, Bound.SLOTS, "", id="all slots taken"),
        pytest.param(1, {"throttled": 2}, {}, 2, Bound.THROTTLED, "2 at a time", id="throttle"),
        pytest.param(1, {"throttled": 9}, {}, 4, Bound.SLOTS, "", id="a throttle beyond the slots"),
        pytest.param(2, {"load": BUSY}, {}, 2, Bound.LOAD, "CPU pressure is 99 %", id="load"),
        pytest.param(0, {"load": BUSY}, {}, 4, Bound.SLOTS, "", id="one at a time always goes on"),
        pytest.param(0, {"load": SHORT_OF_MEMORY}, {}, 0, Bound.LOAD, "100 MB", id="no memory for one"),
        pytest.param(4, {"load": BUSY}, {}, 4, Bound.SLOTS, "", id="load where all slots are taken"),
        pytest.param(2, {"load": BUSY, "throttled": 1}, {}, 1, Bound.THROTTLED, "one at a time", id="the lower"),
        pytest.param(2, {"short": "0 GB free"}, {}, 2, Bound.DISK, "0 GB free", id="disk"),
        pytest.param(2, {"frozen": True, "why_frozen": "tea"}, {}, 0, Bound.FROZEN, "tea", id="freeze"),
        pytest.param(1, {}, {"course": Course(stopped="ten failures")}, 0, Bound.STOPPED, "ten", id="stopped"),
        pytest.param(1, {"last_start": 90.0}, {}, 4, Bound.STAGGER, "spread out", id="stagger"),
        pytest.param(0, {"last_start": 90.0}, {}, 4, Bound.SLOTS, "", id="nothing runs that a start could slow"),
        pytest.param(1, {"last_start": 60.0}, {}, 4, Bound.SLOTS, "", id="its moment has come"),
        pytest.param(
            1, {}, standings(Standing(name="a", slots=1), Standing(name="b", slots=2)), 3, Bound.PROVIDERS,
            "a serves 1, b serves 2", id="providers",
        ),
        pytest.param(
            0, {}, standings(Standing(name="a", slots=1), Standing(name="b")), 4, Bound.SLOTS, "", id="one serves any"
        ),
        pytest.param(
            0, {}, standings(Standing(name="a", slots=3, state="open", reason="its limit")), 0, Bound.PROVIDERS,
            "a serves 0 (its limit)", id="parked",
        ),
        pytest.param(
            0, {}, standings(Standing(name="a", slots=3, state="half-open", reason="429")), 1, Bound.PROVIDERS,
            "a serves 1 (429)", id="one attempt tries",
        ),
        pytest.param(
            2, {}, standings(Standing(name="a", spent="its money", used=2)), 2, Bound.PROVIDERS,
            "a serves 2 (its money)", id="a spent budget lets go on what runs",
        ),
    ],
)  # fmt: skip
def test_the_lowest_limit_binds(
    running: int, capacity: dict[str, object], facts: dict[str, object], slots: int, bound: Bound, words: str
) -> None:
    found = effective(backlog(running, **facts), msgspec.structs.replace(CAPACITY, **capacity))
    assert (found.slots, found.of, found.bound) == (slots, 4, bound)
    assert words in found.reason
    assert bool(found.reason) is found.lowered is (bound is not Bound.SLOTS)


def test_a_plan_tells_the_limit_after_what_it_starts() -> None:
    waiting = [Task(workspace="w", id=name, title=name) for name in "abc"]
    decided = plan(Backlog(waiting=waiting, status_of={}), msgspec.structs.replace(CAPACITY, load=BUSY))
    assert len(decided.start) == 1
    assert (decided.effective.slots, decided.effective.bound) == (1, Bound.LOAD)


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (Effective(slots=4, of=4), "4"),
        (Effective(slots=1, of=4, bound=Bound.DISK, reason="0 GB free"), "1 of 4 (disk: 0 GB free)"),
        (Effective(slots=4, of=4, bound=Bound.STAGGER, reason="spread out"), "4 (stagger: spread out)"),
    ],
)
def test_it_says_itself_in_words(limit: Effective, words: str) -> None:
    assert str(limit) == words
