"""What starts next, and the one reason that binds what does not."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest

from omni_tui.model.task import Status, Task, TaskRef
from omni_tui.policy.backlog import Backlog, Capacity
from omni_tui.policy.dependencies import parse_ref
from omni_tui.policy.holds import HoldKind
from omni_tui.policy.scheduling import Plan, explain, plan

NOW = 1000.0


def task(task_id: str, workspace: str = "w", **head: Any) -> Task:  # noqa: ANN401 - any key of a head
    return Task(workspace=workspace, id=task_id, title=task_id, **head)


def ref(text: str) -> TaskRef:
    return parse_ref(text, "w")


def decide(*waiting: Task, **given: Any) -> Plan:  # noqa: ANN401 - of both structs
    names = ("status_of", "running", "not_before")
    backlog: dict[str, Any] = {key: given.pop(key) for key in names if key in given}
    capacity = Capacity(**({"slots": 1, "now": NOW} | given))
    return plan(Backlog(waiting=waiting, **({"status_of": {}} | backlog)), capacity)


def started(decided: Plan) -> list[str]:
    return [task.id for task in decided.start]


@pytest.mark.parametrize(
    ("waiting", "slots", "expected"),
    [
        pytest.param([], 1, [], id="nothing waits"),
        pytest.param([task("a")], 1, ["a"], id="one"),
        pytest.param([task("a", priority=1), task("b", priority=5)], 1, ["b"], id="priority first"),
        pytest.param([task("a", created_at=9), task("b", created_at=2)], 1, ["b"], id="then age"),
        pytest.param([task("b", created_at=2), task("a", created_at=2)], 1, ["a"], id="then id"),
        pytest.param([task("a", workspace="z"), task("a", workspace="b")], 2, ["a", "a"], id="same id twice"),
        pytest.param([task("a"), task("b"), task("c")], 2, ["a", "b"], id="as many as slots"),
        pytest.param([task("a", priority=-1), task("b")], 2, ["b", "a"], id="negative priority last"),
        pytest.param([task("a", priority=9, depends_on=("b",)), task("b")], 1, ["b"], id="a hold gives its place away"),
    ],
)
def test_order(waiting: list[Task], slots: int, expected: list[str]) -> None:
    assert started(decide(*waiting, slots=slots)) == expected


@pytest.mark.parametrize(
    ("needs", "status_of", "kind", "words"),
    [
        pytest.param(["d"], {"d": Status.DONE}, None, "", id="done"),
        pytest.param(["d"], {"d": Status.DOING}, HoldKind.DEPENDENCY, "waits for w/d", id="running"),
        pytest.param(["d"], {"d": Status.BLOCKED}, HoldKind.DEPENDENCY_BLOCKED, "w/d, which is blocked", id="blocked"),
        pytest.param(["d"], {}, HoldKind.DEPENDENCY_MISSING, "w/d, which is not there", id="missing"),
        pytest.param(["d", "e"], {}, HoldKind.DEPENDENCY_MISSING, "w/d, w/e, which are not there", id="two missing"),
        pytest.param(["x/d"], {"x/d": Status.DONE}, None, "", id="done in another workspace"),
        pytest.param(
            ["x/d"], {"d": Status.DONE}, HoldKind.DEPENDENCY_MISSING, "x/d", id="not the one of this workspace"
        ),
        pytest.param(
            ["d", "e"],
            {"d": Status.DOING, "e": Status.BLOCKED},
            HoldKind.DEPENDENCY_BLOCKED,
            "w/e",
            id="hopeless first",
        ),
        pytest.param(["d", "d"], {"d": Status.DOING}, HoldKind.DEPENDENCY, "waits for w/d", id="named twice"),
    ],
)
def test_dependency(needs: list[str], status_of: dict[str, Status], kind: HoldKind | None, words: str) -> None:
    waiting = task("a", depends_on=tuple(needs))
    decided = decide(waiting, status_of={ref(name): status for name, status in status_of.items()})
    assert started(decided) == ([] if kind else ["a"])
    if kind:
        hold = decided.holds[waiting.ref]
        assert hold.kind is kind
        assert words in hold.message


def test_waiting_dependency_goes_first() -> None:
    decided = decide(task("a", depends_on=("b",)), task("b", created_at=5), slots=2)
    assert started(decided) == ["b"]
    assert decided.holds[ref("a")].message == "waits for w/b"


@pytest.mark.parametrize(
    ("edges", "circles", "open_"),
    [
        pytest.param({"a": "a"}, {"a": "w/a → w/a"}, "", id="on itself"),
        pytest.param({"a": "b", "b": "a"}, {"a": "w/a → w/b → w/a", "b": "w/b → w/a → w/b"}, "", id="two"),
        pytest.param(
            {"a": "b", "b": "c", "c": "a"},
            {"a": "w/a → w/b → w/c → w/a", "b": "w/b → w/c → w/a → w/b", "c": "w/c → w/a → w/b → w/c"},
            "",
            id="three",
        ),
        pytest.param(
            {"a": "b", "b": "a", "c": "a", "d": "c"},
            {"a": "w/a → w/b → w/a", "b": "w/b → w/a → w/b"},
            "cd",
            id="what waits for a circle is not in it",
        ),
        pytest.param(
            {"a": "b", "b": "a", "c": "da", "d": "c"},
            {"a": "w/a → w/b → w/a", "b": "w/b → w/a → w/b", "c": "w/c → w/d → w/c", "d": "w/d → w/c → w/d"},
            "",
            id="two circles",
        ),
        pytest.param({"a": "b", "b": "ac", "c": "b"}, {"a": "w/a → w/b → w/a", "b": ""}, "c", id="overlapping circles"),
        pytest.param({"a": "b", "b": "c", "c": ""}, {}, "ab", id="a chain is none"),
        pytest.param({"a": "bc", "b": "d", "c": "d", "d": ""}, {}, "abc", id="a diamond is none"),
    ],
)
def test_cycles(edges: dict[str, str], circles: dict[str, str], open_: str) -> None:
    decided = decide(*(task(name, depends_on=tuple(needs)) for name, needs in edges.items()), slots=9)
    held = {name.id: hold for name, hold in decided.holds.items()}
    assert {name for name, hold in held.items() if hold.kind is HoldKind.CYCLE} == set(circles)
    assert {name for name, hold in held.items() if hold.kind is HoldKind.DEPENDENCY} == set(open_)
    assert all(circle in held[name].message for name, circle in circles.items())


@pytest.mark.parametrize(("length", "cut"), [pytest.param(6, False, id="named whole"), pytest.param(7, True, id="cut")])
def test_a_long_circle_is_named_in_part(length: int, cut: bool) -> None:
    waiting = [task(f"t{number}", depends_on=(f"t{(number + 1) % length}",)) for number in range(length)]
    assert ("…" in decide(*waiting).holds[ref("t0")].message) is cut


def test_ten_thousand_tasks_in_one_circle_are_decided_at_once() -> None:
    """Everything is linear: what was once quadratic here took 50 s. The measured value is 0.2 s."""
    count = 10_000
    waiting = [task(f"t{number}", depends_on=(f"t{(number + 1) % count}",)) for number in range(count)]
    began = time.perf_counter()
    decided = decide(*waiting)
    assert time.perf_counter() - began < 5
    assert "w/t9999 → w/t0 → w/t1 → w/t2 → w/t3 → w/t4 → … → w/t9999" in decided.holds[ref("t9999")].message


@pytest.mark.parametrize(
    ("given", "kind", "until"),
    [
        pytest.param({"frozen": True}, HoldKind.FROZEN, None, id="frozen"),
        pytest.param({"slots": 2, "running": [ref("x"), ref("y")]}, HoldKind.SLOTS, None, id="slots taken"),
        pytest.param({"slots": 2, "running": [ref("x")], "throttled": True}, HoldKind.THROTTLED, None, id="throttled"),
        pytest.param(
            {"slots": 1, "running": [ref("x")], "throttled": True}, HoldKind.SLOTS, None, id="slots bind first"
        ),
        pytest.param({"not_before": {ref("a"): NOW + 7}}, HoldKind.DELAYED, NOW + 7, id="delayed"),
        pytest.param(
            {"frozen": True, "not_before": {ref("a"): NOW + 7}}, HoldKind.DELAYED, NOW + 7, id="its own first"
        ),
        pytest.param({"running": [ref("a")], "slots": 5}, HoldKind.RUNNING, None, id="never twice"),
        pytest.param(
            {"slots": 2, "running": [ref("x")], "stagger_seconds": 30.0, "last_start": NOW - 10},
            HoldKind.STAGGER,
            NOW + 20,
            id="staggered",
        ),
        pytest.param({"not_before": {ref("a"): NOW}}, None, None, id="delay is over"),
        pytest.param({"throttled": True, "slots": 4}, None, None, id="throttled lets one go"),
        pytest.param({"stagger_seconds": 30.0, "last_start": NOW - 1}, None, None, id="no stagger while nothing runs"),
        pytest.param(
            {"slots": 2, "running": [ref("x")], "stagger_seconds": 30.0, "last_start": NOW - 30},
            None,
            None,
            id="spread",
        ),
    ],
)
def test_capacity(given: dict[str, Any], kind: HoldKind | None, until: float | None) -> None:
    decided = decide(task("a"), **given)
    if kind is None:
        assert started(decided) == ["a"]
        assert not decided.holds
    else:
        assert not decided.start
        assert (decided.holds[ref("a")].kind, decided.holds[ref("a")].until) == (kind, until)


def test_throttled_starts_one_of_many() -> None:
    decided = decide(task("a"), task("b"), slots=4, throttled=True)
    assert started(decided) == ["a"]
    assert decided.holds[ref("b")].kind is HoldKind.THROTTLED


def test_stagger_starts_one_and_wakes_for_the_next() -> None:
    decided = decide(task("a"), task("b"), slots=4, stagger_seconds=30.0)
    assert started(decided) == ["a"]
    assert decided.wake_at == NOW + 30


@pytest.mark.parametrize(
    ("given", "wake_at"),
    [
        pytest.param({"not_before": {ref("a"): NOW + 9, ref("b"): NOW + 4}, "slots": 2}, NOW + 4, id="the earliest"),
        pytest.param({"not_before": {ref("a"): NOW + 9}, "slots": 1}, None, id="no slot is left for it"),
        pytest.param({"not_before": {ref("a"): NOW + 9}, "slots": 2, "frozen": True}, None, id="frozen"),
        pytest.param({"slots": 2}, None, id="nothing to wait for"),
    ],
)
def test_wake_only_when_time_alone_helps(given: dict[str, Any], wake_at: float | None) -> None:
    assert decide(task("a"), task("b"), **given).wake_at == wake_at


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        pytest.param("a", HoldKind.NEXT, id="starts next"),
        pytest.param("b", HoldKind.SLOTS, id="behind it"),
        pytest.param("d", HoldKind.NOT_WAITING, id="done already"),
        pytest.param("q", HoldKind.NOT_WAITING, id="unknown"),
    ],
)
def test_explain(name: str, kind: HoldKind) -> None:
    backlog = Backlog(waiting=[task("a"), task("b")], status_of={ref("d"): Status.DONE})
    assert explain(ref(name), backlog, Capacity(slots=1, now=NOW)).hold.kind is kind


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param({"slots": 1}, "w/a goes first: then the only slot is taken", id="one slot"),
        pytest.param({"slots": 3}, "w/a and 2 more go first: then all 3 slots are taken", id="slots"),
        pytest.param(
            {"slots": 3, "throttled": 2},
            "w/a and 1 more go first: then the fleet is throttled: 2 at a time",
            id="brake",
        ),
        pytest.param(
            {"slots": 3, "stagger_seconds": 9.0}, "w/a goes first: then starts are spread out in time", id="stagger"
        ),
    ],
)
def test_explain_names_who_goes_first_while_they_do_not_run_yet(given: dict[str, Any], message: str) -> None:
    waiting = [task(name) for name in "abcd"]
    assert explain(ref("d"), Backlog(waiting=waiting, status_of={}), Capacity(now=NOW, **given)).hold.message == message


def test_explain_says_that_the_slots_are_taken_where_they_are() -> None:
    backlog = Backlog(waiting=[task("a"), task("b")], status_of={ref("r"): Status.DOING}, running={ref("r")})
    assert explain(ref("b"), backlog, Capacity(slots=1, now=NOW)).hold.message == "the only slot is taken"


def test_every_waiting_task_starts_or_has_one_reason() -> None:
    """Over random backlogs: start and holds part the waiting tasks, and never more run than there are slots."""
    chance = random.Random(7)
    for _ in range(300):
        names = [f"t{number}" for number in range(chance.randint(0, 12))]
        waiting = [
            task(
                name,
                priority=chance.randint(0, 2),
                depends_on=tuple(chance.sample([*names, "z"], min(chance.choice([0, 0, 1, 2]), len(names) + 1))),
            )
            for name in names
        ]
        slots, running = chance.randint(1, 4), [ref(f"r{number}") for number in range(chance.randint(0, 3))]
        decided = decide(*waiting, slots=slots, running=running, throttled=chance.random() < 0.3)
        assert {one.ref for one in decided.start} | decided.holds.keys() == {one.ref for one in waiting}
        assert not {one.ref for one in decided.start} & decided.holds.keys()
        assert len(decided.start) <= max(0, slots - len(running))
        assert all(one.depends_on == () for one in decided.start), "nothing was done, so nothing with needs may start"
