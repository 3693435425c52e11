"""Freezes and throttles of the fleet and its parts: what they hold, and the places that have to ask."""

from __future__ import annotations

import ast
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
        throttles=(Throttle(scope=CLAUDE, most=3),),
    )
    release_files(tmp_path, "freeze", APP)
    assert {path.name for path in tmp_path.iterdir()} == {"freeze", "throttle.provider.claude", "throttle.request.json"}


def test_a_file_that_cannot_be_read_brakes_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "freeze").symlink_to("/etc/passwd")
    (tmp_path / "throttle").write_text("many")
    assert read_brakes(tmp_path).frozen
    assert read_brakes(tmp_path).throttled == 1


def test_a_state_survives_and_one_from_before_scopes_is_still_read(tmp_path: Path) -> None:
    state = FleetState(brakes=Brakes(freezes=(Freeze(scope=APP, reason="so", hard=True),)))
    write_state(tmp_path, state)
    assert read_state(tmp_path) == state
    (tmp_path / "state.json").write_bytes(b'{"frozen":true,"throttled":true,"message":"m"}')
    read = read_state(tmp_path)
    assert read.brakes == Brakes(freezes=(Freeze(),), throttles=(Throttle(),))
    assert read.message == "m"


DOORS = {
    "runtime.start": {"engine/launching.py": "Launcher.start", "engine/check.py": "Check.start"},
    "scm.land": {"engine/landing.py": "Landing.land"},
    "queue.claim": {"engine/scheduler.py": "Scheduler._claim"},
}
"""All that starts or merges anything, and where. What a claim and a launch ask is below; a check is part of a merge."""

ASKS = {
    "engine/attempt.py": ("Attempt.launch", "_gate.opened"),
    "engine/landing.py": ("Landing.land", "_gate.hold"),
    "engine/provision.py": ("Provision.may_go_on", "may_go_on"),
    "engine/supply.py": ("Supply._freeze", "frozen_by"),
    "engine/scheduler.py": ("Scheduler._plan", "plan"),
}
"""What leads there, and what it asks before."""


def calls() -> dict[str, dict[str, set[str]]]:
    """Return the calls in the engine, by file and function, as the ends of their dotted names."""
    found: dict[str, dict[str, set[str]]] = {}
    root = Path(omni_tui.__file__).parent
    for path in sorted((*(root / "engine").glob("*.py"), root / "fleet.py", root / "leader.py", root / "undo.py")):
        inside: dict[str, set[str]] = {}
        for kind in ast.walk(ast.parse(path.read_text())):
            if isinstance(kind, ast.ClassDef):
                for function in kind.body:
                    if isinstance(function, (ast.AsyncFunctionDef, ast.FunctionDef)):
                        made = (node.func for node in ast.walk(function) if isinstance(node, ast.Call))
                        inside[f"{kind.name}.{function.name}"] = {ast.unparse(call) for call in made}
        found[path.relative_to(root).as_posix()] = inside
    return found


def who_calls(there: dict[str, dict[str, set[str]]], name: str) -> list[tuple[str, str]]:
    """Return the functions in which something is called whose dotted name ends so."""
    return [
        (file, function)
        for file, functions in there.items()
        for function, made in functions.items()
        if any(call.endswith(name) for call in made)
    ]


def test_every_path_to_a_start_or_a_merge_is_known_and_asks() -> None:
    """A new call that starts or merges something fails here until it asks as well."""
    there = calls()
    for door, known in DOORS.items():
        found = {
            file: name
            for file, functions in there.items()
            for name, made in functions.items()
            if any(call == door or call.endswith("." + door) for call in made)
        }
        assert found == known, door
    for file, (name, asked) in ASKS.items():
        assert any(call.endswith(asked) for call in there[file][name]), f"{file}: {name} does not ask {asked}"
    assert who_calls(there, "_launcher.launch") == [("engine/attempt.py", "Attempt.launch")]
    assert who_calls(there, "_launcher.start") == [("engine/preflight.py", "Preflight.run")]
    assert who_calls(there, "self._begin") == [
        *(("engine/supply.py", f"Supply.{name}") for name in ("prove", "check")),
    ]


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
