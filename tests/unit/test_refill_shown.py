"""What a person is shown of sources and idle slots: in list, cockpit, workspace list, plugins, report and hand-off."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from omni_tui.cli import run
from omni_tui.cockpit.widgets.standing import _refilling
from omni_tui.commands.listing import _holding
from omni_tui.commands.report import lines_of
from omni_tui.handoff import Handoff, render
from omni_tui.model.event import Event
from omni_tui.model.sourced import SourceNote
from omni_tui.model.task import Status, TaskRef
from omni_tui.model.view import FleetView, Owner, TaskRow
from omni_tui.policy.night import look_back
from omni_tui.store.layout import create_fleet, create_workspace

NOTE = SourceNote(
    source="folder /srv/specs", workspaces=("app",), said="it offers nothing", at=60.0, waits="it changes"
)
OWNER = Owner(pid=1, host="here", boot_id="b", process_started=0.0, epoch="1", since=0.0, mode="headless")


def view(*statuses: Status, workspace: str = "app", owner: Owner | None = OWNER) -> FleetView:
    rows = tuple(TaskRow(ref=TaskRef(workspace, "1"), title="t", status=status, path="/t") for status in statuses)
    return FleetView(root="/fleet", taken_at=100.0, rows=rows, owner=owner, sources=(NOTE,))


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        pytest.param(view(), True, id="an empty queue"),
        pytest.param(view(Status.DOING, Status.DONE, Status.BLOCKED), True, id="nothing waits"),
        pytest.param(view(Status.TODO), False, id="something waits"),
        pytest.param(view(Status.TODO, workspace="other"), True, id="elsewhere"),
        pytest.param(view(owner=None), False, id="nobody dispatches"),
    ],
)
def test_a_workspace_in_which_nothing_waits_says_what_its_sources_said(seen: FleetView, told: bool) -> None:
    words = "app from folder /srv/specs: it offers nothing"
    assert any(line.startswith(f"refill: {words}") for line in _holding(seen, 100.0)) is told
    shown = ["".join(text for text, _ in paragraph) for paragraph in _refilling(seen)]
    assert any(line.startswith(f"refill · {words}") for line in shown) is told


def test_the_report_and_the_hand_off_tell_how_idle_the_slots_were() -> None:
    events = [
        Event(time=0.0, event="slots.wanted", data={"ready": 1, "slots": 2, "running": 0}),
        Event(time=5.0, event="slots.wanted", data={"ready": 0, "slots": 2, "running": 0}),
    ]
    night = look_back(events, view(), since=0.0)
    assert night.idle_share == 0.025
    assert lines_of(night)[0].endswith("slots idle 2.5%")
    assert "slots idle 2.5%" in render(Handoff(root="/fleet", reason="", night=night))
    assert look_back([], view(), since=0.0).idle_share is None
    assert "idle" not in lines_of(look_back([], view(), since=0.0))[0]


def test_a_refused_offer_and_a_failing_source_are_worth_knowing_until_it_answers() -> None:
    failed = Event(time=1.0, event="source.failed", workspace="app", data={"source": "github x", "error": "no token"})
    refused = Event(time=2.0, event="offer.refused", workspace="app", data={"key": "x#1", "error": "no title"})
    answered = Event(time=3.0, event="source.answered", workspace="app", data={"source": "github x"})
    assert look_back([failed, refused], view(), since=0.0).troubles == (
        "github x, a source of app, failed: no token",
        "x#1 makes no task in app: no title",
    )
    assert look_back([failed, answered], view(), since=0.0).troubles == ()


def test_workspaces_name_their_sources_and_plugins_the_kinds_that_are_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = create_fleet(tmp_path / "fleet", "")
    for name, kind in (("app", "folder"), ("bad", "carrier-pigeon")):
        create_workspace(paths.workspace(name), f'[[sources]]\nkind = "{kind}"\npath = "specs"\n')

    def told(*words: str) -> list[dict[str, object]]:
        assert run(["--fleet", str(paths.root), *words, "--json"]) == 0
        rows: list[dict[str, object]] = json.loads(capsys.readouterr().out)["result"]
        return rows

    app, bad = told("workspace", "list")
    assert app["sources"] == [f"folder {paths.workspace('app').root}/specs"]
    assert "workspace.toml:2: `sources.kind` is" in str(bad["fault"])
    kinds = {row["name"]: (row["chosen"], row["fault"]) for row in told("plugins") if row["slot"] == "source"}
    assert kinds["folder"] == (True, "")
    assert kinds["carrier-pigeon"] == (True, "chosen, but not installed")
