"""Every hold says what would lift it, and when it ends as far as that is known; and who is next in line."""

from __future__ import annotations

from typing import Any

import pytest

from omni_tui.commands.why import lines_of
from omni_tui.model.brakes import Brakes, Freeze, Scope, Throttle
from omni_tui.model.course import Course
from omni_tui.model.flag import Flag, Flags
from omni_tui.model.frozen import FrozenPlan
from omni_tui.model.load import Load, Sample
from omni_tui.model.provider import Standing
from omni_tui.model.settings import LoadSettings
from omni_tui.model.task import Status, Task, TaskRef
from omni_tui.model.touch import PointKind, TouchPoint
from omni_tui.model.view import Owner
from omni_tui.policy.backlog import Backlog, Capacity
from omni_tui.policy.holds import Hold, HoldKind
from omni_tui.policy.leasing import lease_hold
from omni_tui.policy.remedies import REMEDIES, ends_at, published, remedy, told
from omni_tui.policy.scheduling import explain, plan
from omni_tui.whynot import Why

NOW = 1000.0
A, B, R = TaskRef("w", "a"), TaskRef("w", "b"), TaskRef("w", "r")
BASKET = (TouchPoint(PointKind.PATH, "shop/basket.py", "its head declares it"),)
BUSY = Load(at=0.0, last=Sample(memory_mb=10.0), smooth=Sample(memory_mb=10.0), over=frozenset({"memory_mb"}))
Given = dict[str, Any]
ROOM: Given = {"slots": 1, "now": NOW}


def task(task_id: str, **head: Any) -> Task:  # noqa: ANN401 - any key of a head
    return Task(workspace="w", id=task_id, title=task_id, **head)


def standing(**how: Any) -> Given:  # noqa: ANN401 - any field of a standing
    return {"providers": {A: ("claude",)}, "standings": {"claude": Standing(name="claude", **how)}}


def braked(brake: Freeze | Throttle) -> Given:
    return {"brakes": Brakes((brake,), ()) if isinstance(brake, Freeze) else Brakes((), (brake,))}


ROWS: list[tuple[HoldKind, dict[str, Any], Given, Given, str, str]] = [
    (
        HoldKind.DEPENDENCY,
        {"depends_on": ("r",)},
        {"status_of": {R: Status.DOING}},
        {},
        "waits for w/r",
        "once w/r lands",
    ),
    (
        HoldKind.DEPENDENCY_BLOCKED,
        {"depends_on": ("d",)},
        {"status_of": {TaskRef("w", "d"): Status.BLOCKED}},
        {},
        "w/d, which is blocked",
        "by `omni-tui redispatch w/d`, and once that lands",
    ),
    (HoldKind.DEPENDENCY_MISSING, {"depends_on": ("x",)}, {}, {}, "w/x, which is not there", "taking it out of"),
    (HoldKind.CYCLE, {"depends_on": ("a",)}, {}, {}, "depends on itself", "out of `depends_on`"),
    (
        HoldKind.FLAG,
        {"requires_flags": ("new=on",)},
        {"flags": {"w": Flags(known={"new": Flag(state="off", by="kari")})}},
        {},
        "the flag `new` to be on, it is off; kari flips it",
        "by `omni-tui flag set new on --workspace w`",
    ),
    (HoldKind.LINT, {}, {"refused": {A: "no tests"}}, {}, "no tests", "omni-tui lint"),
    (
        HoldKind.PLAN,
        {},
        {"plans": {"w": FrozenPlan(waves=(("r",), ("a",)))}, "running": (R,)},
        {"slots": 2},
        "is in wave 2 of the frozen plan",
        "plan.toml",
    ),
    (
        HoldKind.TOUCH,
        {},
        {"running": (R,), "points": {A: BASKET, R: BASKET}},
        {"slots": 2},
        "touches shop/basket.py (its head declares it), as does w/r",
        "once w/r has ended",
    ),
    (HoldKind.DELAYED, {}, {"not_before": {A: NOW + 9}}, {}, "waits before its next attempt", "by itself"),
    (HoldKind.PARKED, {}, standing(state="open", reason="429", until=NOW + 60), {}, "claude: 429", "by itself"),
    (HoldKind.PARKED, {}, standing(state="open", reason="no login"), {}, "no login", "by `omni-tui thaw`"),
    (HoldKind.PROVIDER_SLOTS, {}, standing(slots=1, of=1, used=1), {}, "it serves 1 at once", "more `slots`"),
    (HoldKind.PREFLIGHT, {}, standing(unproven=True), {}, "a preflight tries first", "by itself"),
    (HoldKind.BUDGET, {}, standing(spent="2 of 2 USD"), {}, "2 of 2 USD", "a larger budget"),
    (HoldKind.PAUSED, {}, {"course": Course(broken={"w": "its check fails"})}, {}, "its check fails", "omni-tui thaw"),
    (HoldKind.STOPPED, {}, {"course": Course(stopped="8 failed")}, {}, "8 failed", "by `omni-tui thaw`"),
    (HoldKind.FROZEN, {}, {}, {"frozen": True, "why_frozen": "sleep"}, "frozen: sleep", "by `omni-tui thaw`"),
    (
        HoldKind.FROZEN,
        {},
        braked(Freeze(scope=Scope(workspace="w"), reason="audit")),
        {},
        "the workspace w is frozen: audit",
        "by `omni-tui thaw --workspace w`",
    ),
    (
        HoldKind.THROTTLED,
        {},
        {"running": (R,)},
        {"slots": 3, "throttled": 1},
        "throttled: one at a time",
        "omni-tui throttle off",
    ),
    (
        HoldKind.THROTTLED,
        {},
        {"running": (R,)} | braked(Throttle(scope=Scope(workspace="w"))),
        {"slots": 3},
        "the workspace w is throttled: one at a time",
        "by `omni-tui throttle off --workspace w`",
    ),
    (HoldKind.DISK, {}, {}, {"short": "0.1 GB free"}, "0.1 GB free", "making room"),
    (
        HoldKind.LOAD,
        {},
        {"running": (R,)},
        {"slots": 2, "load": BUSY, "load_limits": LoadSettings(memory_mb=100)},
        "10 MB of memory",
        "[load] in config.toml",
    ),
    (HoldKind.SLOTS, {}, {"running": (R,)}, {}, "the only slot is taken", "more `slots`"),
    (
        HoldKind.STAGGER,
        {},
        {"running": (R,)},
        {"slots": 2, "stagger_seconds": 9.0, "last_start": NOW},
        "spread out in time",
        "in a moment",
    ),
    (HoldKind.RUNNING, {}, {"running": (A,)}, {"slots": 2}, "still being ended", "by itself"),
    (HoldKind.NEXT, {}, {}, {}, "it starts next", "as soon as"),
    (
        HoldKind.NOT_WAITING,
        {"task_id": "other"},
        {"status_of": {A: Status.DONE}},
        {},
        "in done/",
        "omni-tui redispatch",
    ),
]
"""Kind, head, backlog, capacity, and what is said of the reason and of the remedy. All but the lease's."""
LEASES = (
    (None, "nobody dispatches", "`omni-tui --headless`"),
    (
        Owner(pid=7, host="nightbox", boot_id="b", process_started=1.0, epoch="1", since=NOW, mode="command"),
        "a command owns the fleet for a moment (pid 7 on nightbox)",
        "once that command has ended",
    ),
)


@pytest.mark.parametrize(
    ("kind", "head", "backlog", "capacity", "words", "lifted"), ROWS, ids=[f"{row[0]}: {row[5]}" for row in ROWS]
)
def test_each_hold_is_told_with_what_lifts_it(
    kind: HoldKind, head: dict[str, Any], backlog: Given, capacity: Given, words: str, lifted: str
) -> None:
    waiting = task(**({"task_id": "a"} | head))
    given: Given = {"waiting": (waiting,), "status_of": {}}
    found = explain(A, Backlog(**(given | backlog)), Capacity(**(ROOM | capacity)))
    assert found.hold.kind is kind
    _says(found.hold, words, lifted)


@pytest.mark.parametrize(("owner", "words", "lifted"), LEASES, ids=["nobody", "a command"])
def test_without_a_dispatcher_the_lease_holds(owner: Owner | None, words: str, lifted: str) -> None:
    hold = lease_hold(owner)
    assert hold is not None
    assert hold.kind is HoldKind.LEASE
    _says(hold, words, lifted)


def test_a_dispatcher_is_no_hold() -> None:
    for mode in ("cockpit", "headless"):
        owner = Owner(pid=7, host="n", boot_id="b", process_started=1.0, epoch="1", since=NOW, mode=mode)
        assert lease_hold(owner) is None


def test_every_kind_is_in_the_table_and_has_a_remedy() -> None:
    assert REMEDIES.keys() == set(HoldKind) == {row[0] for row in ROWS} | {HoldKind.LEASE}
    assert all(words.startswith(("by ", "once ")) for words in REMEDIES.values())


@pytest.mark.parametrize(("kind", "ends"), [(HoldKind.PARKED, NOW + 5), (HoldKind.LOAD, None), (HoldKind.DISK, None)])
def test_when_it_is_looked_at_again_is_not_when_it_ends(kind: HoldKind, ends: float | None) -> None:
    assert ends_at(Hold(kind=kind, message="m", until=NOW + 5)) == ends


def test_what_is_published_does_not_change_by_time_alone() -> None:
    """Or the state would be written again at each decision, and each writing wakes the scheduler."""
    backlog = Backlog(waiting=(task("a"), task("b")), running=(R,), status_of={}, not_before={B: NOW + 60})
    one, other = (
        published(plan(backlog, Capacity(slots=2, now=NOW + later, load=BUSY, load_limits=LIMIT, short="full")).holds)
        for later in (0.0, 7.0)
    )
    assert one == other
    assert one["w/b"].until == NOW + 60


LIMIT = LoadSettings(memory_mb=100)


def test_in_line_is_what_only_want_of_room_holds() -> None:
    waiting = (task("a", priority=3), task("b", priority=2, depends_on=("r",)), task("c", priority=1), task("d"))
    decided = plan(Backlog(waiting=waiting, running=(R,), status_of={}), Capacity(slots=1, now=NOW))
    assert [ref.id for ref in decided.line] == ["a", "c", "d"]
    found = explain(B, Backlog(waiting=waiting, status_of={R: Status.DOING}), Capacity(slots=1, now=NOW))
    assert [ref.id for ref in found.line] == ["a", "c", "d"], "what starts at once is first in line"


def test_in_line_is_also_what_waits_for_room_at_its_provider_but_not_what_is_tied() -> None:
    waiting = (task("a", priority=2), task("b", priority=1), task("c"))
    full = {"claude": Standing(name="claude", slots=1, of=1, used=1), "codex": Standing(name="codex", state="open")}
    backlog = Backlog(
        waiting=waiting,
        running=(R,),
        status_of={},
        points={A: BASKET, R: BASKET},
        standings=full,
        providers={A: ("claude",), B: ("claude",), TaskRef("w", "c"): ("codex",)},
    )
    decided = plan(backlog, Capacity(slots=4, now=NOW))
    assert {hold.kind for hold in decided.holds.values()} == {HoldKind.PROVIDER_SLOTS, HoldKind.PARKED}
    assert [ref.id for ref in decided.line] == ["b"]


def test_a_remedy_of_the_judge_goes_before_that_of_the_kind() -> None:
    hold = Hold(kind=HoldKind.FROZEN, message="m")
    assert remedy(hold) == REMEDIES[HoldKind.FROZEN]
    assert remedy(Hold(kind=HoldKind.FROZEN, message="m", remedy="by magic")) == "by magic"


def _says(hold: Hold, words: str, lifted: str) -> None:
    """Assert that `omni-tui why` tells reason, remedy, end and who is next."""
    why = Why(task=A, status=Status.TODO, hold=told(hold), line=("w/a", "w/b"))
    first, *rest = lines_of(why, NOW)
    assert words in first
    lines = {line[:11].strip(): line[11:] for line in rest}
    assert lifted in lines["lifted"]
    assert ("ends" in lines) is (ends_at(hold) is not None)
    assert lines["in line"] == "w/a, then w/b"
