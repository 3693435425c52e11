"""Who lets whom land first, of changes in flight that would conflict."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni_tui.model.failure import Failure, FailureKind
from omni_tui.model.task import TaskRef
from omni_tui.model.touch import PointKind
from omni_tui.policy.radar import (
    MOST_FILES,
    Clash,
    InFlight,
    Wait,
    changed_points,
    overtaken,
    overtaken_in_a_row,
    waits,
)


def ref(name: str) -> TaskRef:
    return TaskRef("w", name)


def flights(text: str) -> list[InFlight]:
    """Read `a b* c! d+`, oldest first: `*` has finished, `!` stands still, `+` was overtaken."""
    return [
        InFlight(
            ref=ref(word.rstrip("*!+")),
            since=float(age),
            ready="*" in word,
            overtaken="+" in word,
            going="!" not in word,
        )
        for age, word in enumerate(text.split())
    ]


def clashes(text: str) -> list[Clash]:
    """Read `ab bc`: who conflicts with whom."""
    return [Clash(ref(pair[0]), ref(pair[1]), (f"{pair}.py",)) for pair in text.split()]


@pytest.mark.parametrize(
    ("there", "conflicts", "expected"),
    [
        pytest.param("a* b*", "", {}, id="nothing conflicts"),
        pytest.param("a* b*", "ab", {"b": "a"}, id="the younger waits for the older that has finished"),
        pytest.param("a* b*", "ba", {"b": "a"}, id="however the pair is named"),
        pytest.param("a b*", "ab", {}, id="nobody waits for one at work"),
        pytest.param("a* b", "ab", {}, id="the older does not wait"),
        pytest.param("a b", "ab", {}, id="work never waits"),
        pytest.param("a+ b", "ab", {}, id="for nobody"),
        pytest.param("a+ b*", "ab", {"b": "a"}, id="but for one at work that was overtaken"),
        pytest.param("a* b+", "ab", {"a": "b"}, id="though it is the younger"),
        pytest.param("a* b*+", "ab", {"a": "b"}, id="and has finished"),
        pytest.param("a+ b*+", "ab", {"b": "a"}, id="of two that were overtaken the younger waits"),
        pytest.param("a*+ b+", "ab", {}, id="and the older does not"),
        pytest.param("a*! b*", "ab", {}, id="nobody waits for one that is frozen at its landing"),
        pytest.param("a+! b*", "ab", {}, id="nor for one at work that stands still"),
        pytest.param("a* b* c*", "ab bc", {"b": "a"}, id="nor for one that waits"),
        pytest.param("a+ b*+ c*", "ab bc", {"b": "a"}, id="nor where that was overtaken"),
        pytest.param("a* b* c*", "ab ac bc", {"b": "a", "c": "a"}, id="a row"),
        pytest.param("a*! b* c*", "ab bc", {"c": "b"}, id="a chain whose head stands still"),
        pytest.param("a* b* c*", "ac bc", {"c": "a"}, id="the oldest is told"),
        pytest.param("a* b+ c*", "ac bc", {"c": "b"}, id="or the one that was overtaken"),
        pytest.param("a*! b* c*", "ac bc", {"c": "b"}, id="the oldest that goes on"),
        pytest.param("a* b* c*", "ac", {"c": "a"}, id="who meets nobody lands"),
        pytest.param("b*", "ab", {}, id="the older has gone"),
    ],
)
def test_waits(there: str, conflicts: str, expected: Mapping[str, str]) -> None:
    found = waits(flights(there), clashes(conflicts))
    assert {waiter.id: wait.on.id for waiter, wait in found.items()} == expected


def test_equal_ages_are_told_apart() -> None:
    both = [InFlight(ref=ref(name), since=1.0, ready=True) for name in "ba"]
    assert waits(both, clashes("ab")) == {ref("b"): Wait(ref("a"), ("ab.py",))}


NAMES = "abcde"
PAIRS = [one + other for one in NAMES for other in NAMES if one < other]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.booleans(), st.booleans()), min_size=5, max_size=5),
    st.sets(st.sampled_from(PAIRS)),
)
def test_who_is_waited_for_goes_on_and_waits_for_nobody(
    kinds: list[tuple[int, bool, bool, bool]], pairs: set[str]
) -> None:
    there = {
        ref(name): InFlight(ref=ref(name), since=float(since), ready=ready, going=going, overtaken=overtaken)
        for name, (since, ready, going, overtaken) in zip(NAMES, kinds, strict=True)
    }
    found = waits(there.values(), clashes(" ".join(pairs)))
    for waiter, wait in found.items():
        assert there[waiter].ready
        assert there[wait.on].going
        assert there[wait.on].ready or there[wait.on].overtaken
        assert wait.on not in found, "so that there is no cycle"
        if there[waiter].overtaken:
            assert there[wait.on].overtaken, "nobody else goes first then"
    going = [flight for flight in there.values() if flight.going]
    assert not going or any(flight.ref not in found for flight in going)


def test_the_words_of_a_wait() -> None:
    assert str(Wait(ref("a"), ("x.py",))) == "waits for w/a to land: both change x.py"
    many = Wait(ref("a"), tuple(f"{number}.py" for number in range(5)))
    assert str(many) == "waits for w/a to land: both change 0.py, 1.py, 2.py and 2 more"


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [("", 0), ("overtaken", 1), ("overtaken check", 0), ("check overtaken overtaken", 2)],
)
def test_overtaken_in_a_row(kinds: str, expected: int) -> None:
    assert overtaken_in_a_row([Failure(kind=FailureKind(kind), message="") for kind in kinds.split()]) == expected


def test_an_overtaken_change_is_told_by_whom_and_where() -> None:
    failure = overtaken("release/omni", ["w/a", "w/b"], ["x.py"])
    assert failure.kind is FailureKind.OVERTAKEN
    assert failure.message == (
        "does not merge onto release/omni any more: `w/a` and `w/b` landed meanwhile, and both change `x.py`"
    )


def test_changed_files_are_touch_points_and_so_is_what_they_migrate() -> None:
    points = changed_points(["db/migrate/2_more.rb", "src/a.py"])
    assert [(point.kind, point.name) for point in points] == [
        (PointKind.PATH, "db/migrate/2_more.rb"),
        (PointKind.MIGRATION, "db/migrate"),
        (PointKind.PATH, "src/a.py"),
    ]
    assert len(changed_points(f"{number}.py" for number in range(MOST_FILES + 1))) == MOST_FILES
