"""Freezes and throttles of the fleet and its parts: what they hold, and the places that have to ask."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import msgspec
import pytest

import omni_tui
from omni_tui.engine.course import CourseKeeper
from omni_tui.engine.provision import Provision
from omni_tui.model.attempt import AgentSpec
from omni_tui.model.brakes import Brakes, Freeze, Scope, Throttle
from omni_tui.model.course import Course
from omni_tui.model.settings import NightSettings
from omni_tui.model.state import FleetState
from omni_tui.model.task import Task, TaskRef
from omni_tui.policy.backlog import Backlog, Capacity
from omni_tui.policy.braking import frozen_by, is_suspended
from omni_tui.policy.holds import HoldKind
from omni_tui.policy.scheduling import Plan, may_go_on, plan
from omni_tui.store.brakes import read_brakes, release_files
from omni_tui.store.state import read_state, write_state

APP, SHOP, CLAUDE = Scope(workspace="app"), Scope(workspace="shop"), Scope(provider="claude")


def task(task_id: str, workspace: str = "app") -> Task:
    return Task(workspace=workspace, id=task_id, title=task_id)


def freezes(*scopes: Scope, hard: bool = False) -> Brakes:
    return Brakes(freezes=tuple(Freeze(scope=scope, hard=hard) for scope in scopes))


def decide(brakes: Brakes, *waiting: Task, running: tuple[str, ...] = (), served: str = "claude") -> Plan:
    refs = [TaskRef("app", name) for name in running]
    backlog = Backlog(
        waiting=waiting,
        status_of={},
        running=refs,
        brakes=brakes,
        course=Course(providers={f"{ref}#1": served for ref in refs}),
        providers={each.ref: (served,) for each in waiting},
    )
    return plan(backlog, Capacity(slots=9, now=1.0, frozen=brakes.frozen, throttled=brakes.throttled))


@pytest.mark.parametrize(
    ("brakes", "providers", "expected"),
    [
        pytest.param(Brakes(), ("claude",), None, id="nothing"),
        pytest.param(freezes(Scope()), (), "the fleet", id="the fleet"),
        pytest.param(freezes(APP), ("claude",), "the workspace app", id="its workspace"),
        pytest.param(freezes(SHOP), ("claude",), None, id="another workspace"),
        pytest.param(freezes(CLAUDE), ("claude",), "the provider claude", id="its only provider"),
        pytest.param(freezes(CLAUDE), ("claude", "codex"), None, id="one of two providers"),
        pytest.param(freezes(CLAUDE), (), None, id="nobody knows who serves it"),
    ],
)
def test_who_is_frozen(brakes: Brakes, providers: tuple[str, ...], expected: str | None) -> None:
    found = frozen_by(brakes, "app", providers)
    assert (str(found.scope) if found else None) == expected
    assert may_go_on(task("a"), Course(), providers, {}, brakes) is (expected is None)


def test_a_frozen_workspace_holds_its_own_tasks_alone_and_says_what_ends_that() -> None:
    decided = decide(freezes(APP), task("a"), task("b", "shop"))
    assert [each.id for each in decided.start] == ["b"]
    hold = decided.holds[TaskRef("app", "a")]
    assert hold.kind is HoldKind.FROZEN
    assert (hold.message, hold.remedy) == ("the workspace app is frozen", "by `omni-tui thaw --workspace app`")


@pytest.mark.parametrize("scope", [APP, CLAUDE, Scope()], ids=str)
@pytest.mark.parametrize(
    ("most", "running", "starts"), [(2, (), 2), (2, ("x",), 1), (1, ("x",), 0), (3, ("x", "y"), 1)]
)
def test_a_throttle_counts_what_runs_and_what_starts(
    scope: Scope, most: int, running: tuple[str, ...], starts: int
) -> None:
    brakes = Brakes(throttles=(Throttle(scope=scope, most=most),))
    decided = decide(brakes, task("a"), task("b"), task("c"), running=running)
    assert len(decided.start) == starts
    assert {hold.kind for hold in decided.holds.values()} == {HoldKind.THROTTLED}


def test_only_a_hard_freeze_suspends() -> None:
    assert not is_suspended(freezes(APP), "app", "claude")
    assert is_suspended(freezes(APP, hard=True), "app", "claude")
    assert not is_suspended(freezes(APP, hard=True), "shop", "claude")


def test_of_two_brakes_in_one_scope_the_tighter_one_counts() -> None:
    first = Brakes(freezes=(Freeze(reason="a"),), throttles=(Throttle(most=2),))
    second = Brakes(freezes=(Freeze(reason="b", hard=True),), throttles=(Throttle(most=3), Throttle(scope=APP)))
    both = first.and_those(second)
    assert both == second.and_those(first)
    assert both.freezes == (Freeze(reason="b", hard=True),)
    assert both.throttles == (Throttle(most=2), Throttle(scope=APP))


def test_files_in_control_are_brakes(tmp_path: Path) -> None:
    (tmp_path / "freeze").write_text("demo at ten\nnothing more\n")
    (tmp_path / "freeze-hard.workspace.app").touch()
    (tmp_path / "throttle.provider.claude").write_text("3\n")
    (tmp_path / "throttle.request.json").touch()
    assert read_brakes(tmp_path) == Brakes(
        freezes=(Freeze(reason="demo at ten"), Freeze(scope=APP, hard=True)),
        throttles=(Throttle(scope=CLAUDE, most=3, by="the file control/throttle.provider.claude"),),
    )
    release_files(tmp_path, "freeze", APP)
    assert {path.name for path in tmp_path.iterdir()} == {"freeze", "throttle.provider.claude", "throttle.request.json"}


def test_a_file_that_cannot_be_read_brakes_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "freeze").symlink_to("/etc/passwd")
    (tmp_path / "throttle").write_text("many")
    assert read_brakes(tmp_path).frozen
    assert read_brakes(tmp_path).throttled == 1
    (tmp_path / "throttle").unlink()
    (tmp_path / "throttle").symlink_to("/etc/passwd")
    assert "throttle cannot be read" in read_brakes(tmp_path).throttles[0].doubt


@pytest.mark.parametrize(
    ("text", "most", "doubt"),
    [
        pytest.param("", 1, "", id="empty"),
        pytest.param("2 for the demo\nmore", 2, "", id="a number"),
        pytest.param("zwei", 1, "where `zwei` is no number from 1 to 64", id="a word"),
        pytest.param("0", 1, "where `0` is no number from 1 to 64", id="too few"),
        pytest.param("65", 64, "where `65` is no number from 1 to 64", id="too many"),
        pytest.param("-2", 1, "where `-2` is no number from 1 to 64", id="less than none"),
        pytest.param("9" * 5000, 1, f"where `{'9' * 39}…` is no number from 1 to 64", id="endless"),
    ],
)
def test_a_throttles_file_that_holds_no_number_says_so(tmp_path: Path, text: str, most: int, doubt: str) -> None:
    (tmp_path / "throttle").write_text(text)
    (throttle,) = read_brakes(tmp_path).throttles
    assert (throttle.most, throttle.doubt) == (most, doubt)
    assert str(throttle).endswith(", by the file control/throttle" + (f", {doubt}" if doubt else ""))


def test_a_state_survives_and_one_from_before_scopes_is_still_read(tmp_path: Path) -> None:
    state = FleetState(brakes=Brakes(freezes=(Freeze(scope=APP, reason="so", hard=True),)))
    write_state(tmp_path, state)
    assert read_state(tmp_path) == state
    (tmp_path / "state.json").write_bytes(b'{"frozen":true,"throttled":true,"message":"m"}')
    read = read_state(tmp_path)
    assert read.brakes == Brakes(freezes=(Freeze(),), throttles=(Throttle(),))
    assert read.message == "m"


DOORS = {
    "runtime.start": {("engine/launching.py", "Launcher.start"), ("engine/check.py", "Check.start")},
    "scm.land": {("engine/landing.py", "Landing.land")},
    "queue.claim": {("engine/scheduler.py", "Scheduler._claim")},
    "deliveries.start": {("engine/scheduler.py", "Scheduler._start")},
    "launcher.launch": {("engine/attempt.py", "Attempt.launch")},
    "launcher.start": {("engine/preflight.py", "Preflight.run")},
    "landing.land": {("engine/deliver.py", "merge_in")},
    "landing.start_check": {("engine/deliver.py", "check")},
    "Preflight": {("engine/supply.py", "Supply._preflight")},
    "self._try": {("engine/supply.py", "Supply._begin")},
    "self._begin": {("engine/supply.py", "Supply.prove"), ("engine/supply.py", "Supply.check")},
}
"""All that starts or merges anything, and who calls it: nobody else in the whole program."""

ASKS = {
    ("engine/attempt.py", "Attempt.launch"): "_gate.opened",
    ("engine/deliver.py", "land_one"): "landing.cleared",
    ("engine/landing.py", "Landing.cleared"): "_gate.opened",
    ("engine/landing.py", "Landing.land"): "_gate.hold",
    ("engine/delivery.py", "Delivery.pause"): "may_go_on",
    ("engine/provision.py", "Provision.may_go_on"): "may_go_on",
    ("engine/supply.py", "Supply.prove"): "_freeze",
    ("engine/supply.py", "Supply.check"): "_freeze",
    ("engine/supply.py", "Supply._freeze"): "frozen_by",
    ("engine/thawing.py", "Gate.hold"): "frozen_hold",
    ("engine/scheduler.py", "Scheduler._plan"): "plan",
}
"""What they ask before. An adopted task, a second attempt and a repair go through `Attempt.launch` as a first one
does; what `undo --requeue` and `redispatch` do is to put a task into todo/, from where only a claim takes it. A check
is part of a merge, whose turn begins cleared. `tests/engine/test_brakes.py` goes each of these ways while frozen."""

Calls = dict[tuple[str, str], set[str]]


def calls() -> Calls:
    """Return the calls of the whole program by file and function; the plugins and what simulates them are the doors."""
    found: Calls = {}
    root = Path(omni_tui.__file__).parent
    for path in sorted(root.rglob("*.py")):
        file = path.relative_to(root).as_posix()
        if not file.startswith(("plugins/", "simulation/", "demo/")):
            collect(ast.parse(path.read_text()), file, "", found)
    return found


def collect(node: ast.AST, file: str, inside: str, found: Calls) -> None:
    """Take in the calls below a node; what stands in no function counts for the module."""
    for child in ast.iter_child_nodes(node):
        name = inside
        if isinstance(child, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            name = f"{inside}.{child.name}".lstrip(".")
        if isinstance(child, ast.Attribute | ast.Name):  # also one that is only handed on, as by `partial`
            found.setdefault((file, inside), set()).add(ast.unparse(child))
        collect(child, file, name, found)


def who_calls(there: Calls, door: str) -> set[tuple[str, str]]:
    """Return the functions that use something whose dotted name ends so, be it a private attribute or not."""
    pattern = re.compile(rf"(?:^|[._]){re.escape(door)}$")
    return {where for where, made in there.items() if any(pattern.search(call) for call in made)}


@pytest.mark.parametrize("door", DOORS)
def test_every_path_to_a_start_or_a_merge_is_known(door: str) -> None:
    """A new call that starts or merges something fails here until it asks as well."""
    found = who_calls(calls(), door)
    if door.startswith("self."):  # another class's own method of that name is another one
        found = {where for where in found if where[0] in {file for file, _ in DOORS[door]}}
    assert found == DOORS[door]


@pytest.mark.parametrize("where", ASKS, ids=str)
def test_every_path_to_a_start_or_a_merge_asks(where: tuple[str, str]) -> None:
    assert any(call.endswith(ASKS[where]) for call in calls()[where])


def test_brakes_are_written_as_they_are_read() -> None:
    brakes = Brakes(freezes=(Freeze(scope=CLAUDE, reason="limits"),), throttles=(Throttle(scope=SHOP, most=4),))
    assert msgspec.json.decode(msgspec.json.encode(brakes), type=Brakes) == brakes
    assert brakes.words == (
        "the provider claude is frozen: limits; `omni-tui thaw --provider claude` goes on",
        "the workspace shop is throttled: 4 at a time; `omni-tui throttle off --workspace shop` ends that",
    )


def test_a_provider_that_is_frozen_is_not_chosen() -> None:
    keeper = CourseKeeper(NightSettings, dict)
    agents = [AgentSpec(name="a", harness="claude"), AgentSpec(name="b", harness="codex")]
    keeper.brakes = freezes(CLAUDE)
    for turn in range(2):
        chosen = Provision(dict, keeper, lambda: 1.0).choose(task("a"), agents, turn)
        assert isinstance(chosen, AgentSpec)
        assert chosen.name == "b"
