"""What a task will touch, with its evidence; what ties two of them; and the waves that follow."""

from __future__ import annotations

from typing import Any

import pytest

from omni_tui.model.frozen import FrozenPlan
from omni_tui.model.task import Status, Task, TaskRef
from omni_tui.model.touch import Knowledge, Mention, PointKind, TouchPoint
from omni_tui.policy.backlog import Backlog, Capacity
from omni_tui.policy.defining import defining
from omni_tui.policy.history import companions
from omni_tui.policy.holds import HoldKind
from omni_tui.policy.radar import changed_points
from omni_tui.policy.scheduling import Plan, plan
from omni_tui.policy.ties import overlap, tie
from omni_tui.policy.touching import ByName, touch_points
from omni_tui.policy.waves import CycleError, waves

PATHS = frozenset(
    {"src/app.py", "src/dates.py", "tests/test_dates.py", "db/migrate/001_first.rb", "a/util.py", "b/util.py"}
)
HISTORY = [{"src/dates.py", "tests/test_dates.py"}] * 5 + [{"src/app.py"}] * 3
KNOWN = Knowledge(
    paths=PATHS,
    definitions={"parse_date": ("src/dates.py",), "helper": ("a/util.py", "b/util.py")},
    companions=companions(HISTORY, PATHS),
)


def task(task_id: str, body: str = "", **head: Any) -> Task:  # noqa: ANN401 - any key of a head
    return Task(workspace="w", id=task_id, title=task_id, body=body, **head)


def points(of: Task, known: Knowledge = KNOWN) -> tuple[TouchPoint, ...]:
    return touch_points(of, known, ByName(known.paths))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(task("t", touches=("./src/app.py",)), {"src/app.py"}, id="declared"),
        pytest.param(task("t", touches=("lib/**",)), {"lib/**"}, id="a pattern"),
        pytest.param(task("t", locks=("db",)), {"lock db"}, id="a lock"),
        pytest.param(task("t", "Mend src/app.py."), {"src/app.py"}, id="a path in prose"),
        pytest.param(task("t", "Mend `app.py:12`."), {"src/app.py"}, id="a file by its name"),
        pytest.param(task("t", "Mend `util.py`."), {"a/util.py", "b/util.py"}, id="one of a few"),
        pytest.param(task("t", "Write `docs/new.md`."), {"docs/new.md"}, id="a file that is not there yet"),
        pytest.param(
            task("t", "Let parse_date() take None."),
            {"symbol parse_date", "src/dates.py", "tests/test_dates.py"},
            id="a symbol, where it is defined, and what changes with that",
        ),
        pytest.param(
            task("t", "Mend `helper()`."), {"symbol helper", "a/util.py", "b/util.py"}, id="a symbol of two files"
        ),
        pytest.param(task("t", "Mend `helper()` in b/util.py."), {"b/util.py"}, id="the one in the file that it names"),
        pytest.param(task("t", "Add a migration for it."), {"migration db/migrate"}, id="says it adds a migration"),
        pytest.param(task("t", "Do not add a migration."), set(), id="says it adds none"),
        pytest.param(
            task("t", touches=("db/migrate/002_b.rb",)), {"db/migrate/002_b.rb", "migration db/migrate"}, id="migrates"
        ),
        pytest.param(
            task("t", touches=("migrations/shop/migrations/versions/1.py",)),
            {"migrations/shop/migrations/versions/1.py", "migration migrations/shop/migrations/versions"},
            id="migrates, in the innermost directory of them",
        ),
        pytest.param(task("t", touches=("src/migrations.py",)), {"src/migrations.py"}, id="a file only called so"),
        pytest.param(task("t", "Make it nicer, see https://example.com/a/b.py"), set(), id="nothing"),
    ],
)
def test_points(given: Task, expected: set[str]) -> None:
    assert {str(point) for point in points(given)} == expected


@pytest.mark.parametrize(
    ("mention", "found"),
    [
        pytest.param(Mention("a.py", 3, "def week():", ("week",)), {"week"}, id="a parser says so"),
        pytest.param(Mention("a.py", 3, "def week():", ()), set(), id="a parser says that it does not"),
        pytest.param(Mention("a.kt", 3, "fun week() {"), {"week"}, id="no parser, by its looks"),
        pytest.param(Mention("a.kt", 3, "x = week()"), set(), id="no parser, and it looks like none"),
        pytest.param(Mention("a.txt", 3, "def week():"), set(), id="no program"),
        pytest.param(Mention("a.py", 3, "def day():", ("day",)), set(), id="another name"),
    ],
)
def test_what_defines(mention: Mention, found: set[str]) -> None:
    assert set(defining([mention], {"week"})) == found


def test_each_point_says_why() -> None:
    found = {str(point): point.evidence for point in points(task("t", "Let parse_date() take None."))}
    assert found["src/dates.py"] == "it defines parse_date, which the text names"
    assert found["tests/test_dates.py"] == "5 of 5 commits that changed src/dates.py changed it"


def test_history_leaves_out_what_goes_with_everything_and_sweeps() -> None:
    often = [{f"f{number}", "CHANGELOG.md"} for number in range(5) for _ in range(4)]
    assert companions(often, {"CHANGELOG.md", *(f"f{number}" for number in range(5))}) == {}
    sweep = [{f"f{number}" for number in range(40)}] * 9
    assert companions(sweep, set().union(*sweep)) == {}


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ("src/a.py", "src/a.py", True),
        ("src", "src/a.py", True),
        ("src/**", "src/x/a.py", True),
        ("src/*.py", "src/x/a.py", False),
        ("src/a*", "src/*b", True),
        ("src/**", "lib/**", False),
        ("src/**/a.py", "src/x/*.py", True),
        ("**/*.md", "docs/**", True),
        ("src/a", "src/ab.py", False),
        ("src", "src/x/**", True),
    ],
)
def test_overlap(one: str, other: str, meet: bool) -> None:
    assert overlap(one, other) is overlap(other, one) is meet


def test_a_tie_names_the_clearest_point() -> None:
    one, other = task("a", locks=("db",), touches=("x.py",)), task("b", locks=("db",), touches=("x.py",))
    found = tie(points(one), points(other))
    assert found is not None
    assert found.mine.kind is PointKind.LOCK
    assert tie(points(one), points(task("c", touches=("y.py",)))) is None


def test_a_directory_with_a_dot_before_it_is_no_file() -> None:
    one, other = task("a", touches=(".github",)), task("b", touches=(".github/workflows/ci.yml",))
    assert tie(points(one), points(other)) is not None
    assert placed(one, other) == {"a": 0, "b": 1}


def placed(*tasks: Task, status_of: dict[TaskRef, Status] | None = None) -> dict[str, int]:
    found = waves(tasks, {each.ref: points(each) for each in tasks}, status_of or {})
    return {each.task.id: each.wave for each in found}


def test_waves() -> None:
    assert placed(
        task("a", touches=("src/app.py",)),
        task("b", touches=("src/app.py",)),
        task("c", touches=("src/**",)),
        task("d", touches=("lib/x.py",)),
        task("e", touches=("lib/y.py",), depends_on=("a",)),
        task("f", touches=("src/dates.py",)),
    ) == {"a": 0, "d": 0, "f": 0, "b": 1, "e": 1, "c": 2}


def test_no_wave_holds_two_that_are_tied() -> None:
    tasks = [
        task(f"t{n}", touches=(f"d{n % 3}/f{n % 5}.py", f"d{n % 2}/**" if n % 7 == 0 else f"x{n}.py"), priority=n % 4)
        for n in range(60)
    ]
    found = waves(tasks, {each.ref: points(each) for each in tasks}, {})
    for one in found:
        for other in found:
            if one.task is not other.task and one.wave == other.wave:
                assert tie(points(one.task), points(other.task)) is None, (one.task.id, other.task.id)


def mixed(count: int) -> list[Task]:
    """Return tasks on files, directories and patterns that overlap in many ways, some after others."""
    names = [
        *("src", "src/**", "src/*.py", "src/a*", "src/*b.py", "src/x/**", "**/*.md", "docs", "docs/*"),
        *("src/a.py", "src/ab.py", "src/x/a.py", "src/x/b.py", "docs/a.md", "a.md", "lib/c.py"),
    ]
    found = []
    for n in range(count):
        head: dict[str, Any] = {"touches": (names[n * 7 % len(names)], names[n * 5 % 11]), "priority": n * 3 % 4}
        if n % 5 == 0:
            head = {"locks": ("db",), "touches": (names[n % len(names)],)}
        if n % 4 == 3:
            head["depends_on"] = (f"t{n // 2}",)
        found.append(task(f"t{n}", **head))
    return found


@pytest.mark.parametrize("count", [3, 16, 48])
def test_every_tie_of_a_plan_is_told(count: int) -> None:
    tasks = mixed(count)
    touched = {each.ref: points(each) for each in tasks}
    found = waves(tasks, touched, {})
    before: dict[TaskRef, set[TaskRef]] = {}
    """For each task all that it comes after by its bonds, and theirs."""
    for at, mine in enumerate(found):
        direct = {bond.after for bond in mine.bonds}
        before[mine.task.ref] = direct.union(*(before[ref] for ref in direct))
        mine_points = touched[mine.task.ref]
        tied = [each for each in found[:at] if tie(mine_points, touched[each.task.ref])]
        assert {each.task.ref for each in tied} <= before[mine.task.ref], (
            "each is explained, at least by others between"
        )
        assert not tied or tied[-1].task.ref in direct, "the one right before it is named"
        assert direct <= {each.task.ref for each in tied if each.wave < mine.wave}
        for bond in mine.bonds:
            assert bond.tie.mine in mine_points
            assert bond.tie.theirs in touched[bond.after]
            assert overlap(bond.tie.mine.name, bond.tie.theirs.name)
        named = {bond.tie.mine for bond in mine.bonds}
        assert named == {point for point in mine_points for each in tied if tie([point], touched[each.task.ref])}


def test_a_bond_names_every_shared_point_and_who_is_before_in_the_plan() -> None:
    one = task("one", touches=("a.py", "b.py"))
    two = task("two", touches=("a.py", "b.py"), priority=9, depends_on=("last",))
    found = waves([one, two, task("last")], {each.ref: points(each) for each in (one, two)}, {})
    assert [each.task.id for each in found] == ["last", "one", "two"], "it takes the gap before the urgent one"
    assert [(bond.after.id, str(bond.tie)) for bond in found[2].bonds] == [("one", "a.py"), ("one", "b.py")]
    assert not found[1].bonds


def test_a_file_beside_its_own_pattern_hides_no_bond() -> None:
    tasks = [task("a", touches=("src/**",)), task("b", touches=("src/a.py", "src/**"))]
    found = waves(tasks, {each.ref: points(each) for each in tasks}, {})
    assert [str(bond.tie) for bond in found[1].bonds] == ["src/a.py, which is within src/**", "src/**"]


def test_who_names_a_pattern_comes_after_all_below_it_and_before_the_next() -> None:
    touches = {"a": "src/a.py", "b": "src/b.py", "c": "src/**", "d": "src/a.py", "e": "src"}
    tasks = [task(name, touches=(path,), priority=-at) for at, (name, path) in enumerate(touches.items())]
    found = {each.task.id: each for each in waves(tasks, {each.ref: points(each) for each in tasks}, {})}
    assert {name: each.wave for name, each in found.items()} == {"a": 0, "b": 0, "c": 1, "d": 2, "e": 3}
    assert {name: [f"{bond.after.id}: {bond.tie}" for bond in each.bonds] for name, each in found.items()} == {
        "a": [],
        "b": [],
        "c": ["a: src/**, which covers src/a.py", "b: src/**, which covers src/b.py"],
        "d": ["a: src/a.py", "c: src/a.py, which is within src/**"],
        "e": [
            *("a: src, which covers src/a.py", "b: src, which covers src/b.py", "d: src, which covers src/a.py"),
            "c: src, which covers src/**",
        ],
    }


def test_a_cycle_is_printed() -> None:
    with pytest.raises(CycleError, match=r"w/a → w/b → w/a"):
        placed(task("a", depends_on=("b",)), task("b", depends_on=("a",)))


def decide(*waiting: Task, running: tuple[Task, ...] = (), **capacity: Any) -> Plan:  # noqa: ANN401 - of both structs
    plans, changed = capacity.pop("plans", {}), capacity.pop("changed", {})
    backlog = Backlog(
        waiting=waiting,
        status_of={each.ref: Status.DOING for each in running},
        running={each.ref for each in running},
        points={each.ref: points(each) for each in (*waiting, *running)},
        changed={TaskRef("w", name): changed_points(files) for name, files in changed.items()},
        plans=plans,
    )
    return plan(backlog, Capacity(**({"slots": 4, "now": 1.0} | capacity)))


def test_what_shares_a_point_does_not_run_side_by_side() -> None:
    decided = decide(*(task(name, touches=("x.py",)) for name in "ab"), task("c", touches=("y.py",)))
    assert [each.id for each in decided.start] == ["a", "c"]
    hold = decided.holds[TaskRef("w", "b")]
    assert hold.kind is HoldKind.TOUCH
    assert "touches x.py" in hold.message
    assert "w/a" in hold.message


def test_what_a_running_task_has_changed_keeps_others_away_and_proves_nothing() -> None:
    changed = {"vague": ["src/x.py", "db/migrate/1.rb"]}
    running = (task("vague"),)
    meets, adds = task("meets", touches=("src/**",)), task("adds", body="Add a migration for the new column.")
    decided = decide(meets, adds, task("else", touches=("y.py",)), running=running, changed=changed)
    assert [each.id for each in decided.start] == ["else"]
    held = {ref.id: hold.message for ref, hold in decided.holds.items()}
    assert held["meets"].endswith("as does w/vague, which runs (it has changed it already)")
    proven = decide(task("else", touches=("y.py",)), running=running, changed=changed, proven=True)
    assert not proven.start, "what else it will touch nothing tells"


@pytest.mark.parametrize("proven", [False, True])
def test_only_auto_asks_for_proof(proven: bool) -> None:
    decided = decide(task("known", touches=("y.py",)), task("vague"), task("z", touches=("z.py",)), proven=proven)
    assert [each.id for each in decided.start] == (["known", "z"] if proven else ["known", "vague", "z"])
    beside = decide(task("known", touches=("y.py",)), running=(task("vague"),), proven=proven)
    assert bool(beside.start) is not proven


def test_a_frozen_plan_is_kept_to() -> None:
    plans = {"w": FrozenPlan(waves=(("b", "c"), ("a",)))}
    tasks = [task("a"), task("b", touches=("x.py",)), task("c", touches=("x.py",)), task("new")]
    decided = decide(*tasks, plans=plans)
    assert [each.id for each in decided.start] == ["b", "c"], "a person put them side by side"
    assert {ref.id: hold.kind for ref, hold in decided.holds.items()} == {"a": HoldKind.PLAN, "new": HoldKind.PLAN}
    assert [each.id for each in decide(task("a"), task("new"), plans=plans).start] == ["a"]


def test_a_plan_against_the_dependencies_stops_nothing() -> None:
    decided = decide(task("a", depends_on=("b",)), task("b"), plans={"w": FrozenPlan(waves=(("a",), ("b",)))})
    assert [each.id for each in decided.start] == ["b"]


def test_no_more_are_judged_than_told() -> None:
    decided = decide(*(task(f"t{number}") for number in range(500)), slots=1)
    assert len(decided.start) == 1
    assert len(decided.holds) + decided.unseen == 499
    assert decided.unseen > 300
