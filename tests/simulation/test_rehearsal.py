"""Rehearsals: a backlog lived through one after the other, blindly side by side, and in waves; and its command."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from omni_tui.cli import run
from omni_tui.model.settings import Settings
from omni_tui.model.task import Status, Task
from omni_tui.model.touch import PointKind, TouchPoint
from omni_tui.simulation.night import Night
from omni_tui.simulation.rehearsal import Backlog, Rehearsed, Way, rehearse, ways
from tests.support.fleets import make_fleet

IN_TURN, BLINDLY, IN_WAVES = ways(3)


def task(task_id: str, **head: object) -> Task:
    return Task(workspace="shop", id=task_id, title=task_id, **head)  # type: ignore[arg-type]


def backlog(*touching: tuple[Task, PointKind, str], **flags: str) -> Backlog:
    points = {each.ref: (TouchPoint(kind, name, "a test says so"),) for each, kind, name in touching if name}
    return Backlog(tasks=[each for each, _, _ in touching], landed=frozenset(), points=points, flags=flags)


def lived(given: Backlog, way: Way) -> Rehearsed:
    told = rehearse(given, way, Night(seed=1, settings=Settings()))
    assert told.violations == ()
    return told


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (PointKind.PATH, ("shop/cart.py", "shop/cart.py", "shop/cart.py")),
        (PointKind.PATH, ("shop/cart.py", "shop/*.py", "shop")),
        (PointKind.MIGRATION, ("db/migrations",) * 3),
    ],
)
def test_what_shares_a_point_conflicts_only_blindly(kind: PointKind, names: tuple[str, ...]) -> None:
    given = backlog(*((task(f"t{number}"), kind, name) for number, name in enumerate(names)))
    assert lived(given, BLINDLY).conflicts > 0
    for way in (IN_TURN, IN_WAVES):
        told = lived(given, way)
        assert (told.landed, told.conflicts, told.attempts) == (3, 0, 3)


def test_what_is_independent_is_quicker_side_by_side() -> None:
    given = backlog(*((task(f"t{number}"), PointKind.PATH, f"shop/{number}.py") for number in range(6)))
    in_turn, in_waves = lived(given, IN_TURN), lived(given, IN_WAVES)
    assert in_waves.hours < 0.6 * in_turn.hours
    assert in_waves.busy > 0.5
    assert (in_waves.landed, in_waves.conflicts) == (6, 0)


def test_what_nobody_knows_anything_of_runs_alone_in_waves() -> None:
    given = backlog(*((task(f"t{number}"), PointKind.PATH, "") for number in range(3)))
    assert lived(given, IN_WAVES).hours == pytest.approx(lived(given, IN_TURN).hours, rel=0.2)


def test_flags_and_dependencies_hold_in_a_rehearsal_as_they_do_outside() -> None:
    held = task("behind", requires_flags=("search=on",))
    after = task("after", depends_on=("behind",))
    old = task("old", depends_on=("landed-long-ago",))
    given = backlog(*((each, PointKind.PATH, f"{each.id}.py") for each in (held, after, old)), search="off")
    told = lived(given, IN_WAVES)
    assert (told.landed, told.waiting) == (0, 3)  # `landed-long-ago` is not there
    done = Backlog(
        tasks=given.tasks,
        landed=frozenset({task("landed-long-ago").ref}),
        points=given.points,
        flags={"search": "on"},
    )
    assert lived(done, IN_WAVES).landed == 3


def test_the_command_compares_what_waits_in_a_workspace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fleet = asyncio.run(make_fleet(tmp_path, settings=""))
    words = ["--fleet", str(fleet.root), "simulate", "--backlog", "app"]
    assert run(words) == 2
    assert "nothing waits in `app`" in capsys.readouterr().err
    for name in "abc":
        fleet.add(f"Change {name}", body="Change `src/app.py`.")
    assert run([*words, "--agents", "3", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["result"]["ways"]
    assert [way["way"]["slots"] for way in told] == [1, 3, "auto"]
    assert [bool(way["conflicts"]) for way in told] == [False, True, False]
    assert [way["attempts"] > 3 for way in told] == [False, True, False]
    assert run(words) == 0
    assert "4 at once, blindly" in capsys.readouterr().out
    assert run([*words, "--nights", "2"]) == 2
    assert "leave --nights" in capsys.readouterr().err
    assert len(fleet.queue.files(Status.TODO)) == 3  # nothing of the fleet is touched
