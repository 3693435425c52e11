"""`omni-tui forecast`: what it says of a fleet's backlog, by its own journal."""

from __future__ import annotations

import itertools
import json
import time
from pathlib import Path

import pytest

from omni_tui.cli import run
from omni_tui.model.event import Event
from omni_tui.model.task import Task
from omni_tui.store.journal import Journal
from omni_tui.store.layout import create_fleet, create_workspace
from omni_tui.store.paths import FleetPaths
from omni_tui.store.queue import Queue


@pytest.fixture
def fleet(tmp_path: Path) -> FleetPaths:
    paths = create_fleet(tmp_path / "fleet", "")
    place = paths.workspace("app")
    create_workspace(place, "")
    for number in range(4):
        Queue(place, time.time).add(Task(workspace="app", id=f"new{number}", title="Do"))
    return paths


def tell(paths: FleetPaths, *stays: tuple[str, float, str]) -> None:
    """Write tasks into the journal that were claimed yesterday, took so many seconds, and ended so."""
    begun = time.time() - 86400
    for task, seconds, end in stays:
        for at, event in ((begun, "task.claimed"), (begun + seconds, end)):
            Journal(paths.journal, itertools.repeat(at).__next__).write(
                Event(time=at, event=event, workspace="app", task=task)
            )


def ask(capsys: pytest.CaptureFixture[str], paths: FleetPaths, *words: str, status: int = 0) -> str:
    assert run(["--fleet", str(paths.root), "forecast", *words]) == status
    captured = capsys.readouterr()
    return captured.err if status else captured.out


def test_hour_by_hour_as_far_as_is_asked(fleet: FleetPaths, capsys: pytest.CaptureFixture[str]) -> None:
    tell(fleet, *((f"old{number}", 3000.0, "task.landed") for number in range(6)))
    lines = ask(capsys, fleet, "--for", "2h").splitlines()
    assert lines[:2] == ["6 tasks done here lately: 6 landed, half within 50m 00s", "4 tasks of the backlog are open"]
    assert [line.split("  ")[-1] for line in lines if "landed (" in line] == ["1 landed (1 to 1)", "2 landed (2 to 2)"]
    assert lines[-2].endswith("about 2 of 4 will not have landed")
    assert lines[-1] == "what binds while tasks wait: slots 100%"
    assert max(map(len, lines)) <= 80
    assert "nothing is left that could start" in ask(capsys, fleet, "--for", "5h")


def test_a_program_gets_numbers(fleet: FleetPaths, capsys: pytest.CaptureFixture[str]) -> None:
    tell(fleet, ("old", 3000.0, "task.landed"), ("bad", 60.0, "task.blocked"))
    told = json.loads(ask(capsys, fleet, "--json", "--for", "3h"))["result"]
    assert (told["open"], told["stays"], len(told["hours"])) == (4, 2, 3)
    assert told["hours"][0]["low"] <= told["hours"][0]["middle"] <= told["hours"][0]["high"]


def test_a_fleet_without_a_past_is_told_so(fleet: FleetPaths, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no task has landed or been blocked here" in ask(capsys, fleet, status=1)
    tell(fleet, ("old", 60.0, "task.landed"))
    assert "little to go by" in ask(capsys, fleet)
