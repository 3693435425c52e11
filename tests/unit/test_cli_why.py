"""`why`, where nobody dispatches: every reason that can hold a task, brought about by the means that a person has."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from omni_tui import fleet as opened
from omni_tui.cli import run
from omni_tui.model.attempt import AttemptId
from omni_tui.model.brakes import Brakes, Freeze
from omni_tui.model.event import Event
from omni_tui.model.failure import Move, MoveKind
from omni_tui.model.state import PublishedHold
from omni_tui.model.step import StepRecord
from omni_tui.model.task import Status, TaskRef
from omni_tui.model.view import FleetView, Owner, TaskRow
from omni_tui.plugins.agent.claude import ClaudeAgent
from omni_tui.policy.holds import HoldKind
from omni_tui.store.journal import Journal
from omni_tui.store.paths import FleetPaths
from omni_tui.store.runs import Runs
from omni_tui.whynot import why
from tests.support.fleets import make_repository

ONLY_LIVE = {HoldKind.RUNNING, HoldKind.STAGGER, HoldKind.NEXT}
"""What only a dispatcher knows; `tests/engine/test_why_live.py` asks while one runs."""


class Fleet:
    """A fleet with one workspace `app`, made and changed by commands and files; nobody dispatches it."""

    def __init__(self, directory: Path) -> None:
        self.root = directory / "fleet"
        origin = make_repository(directory / "origin", {"src/app.py": "def run():\n    return 1\n"})
        self("init", str(self.root))
        self("workspace", "add", "app", "--repo", str(origin), "--check", "true")
        self.app = FleetPaths(self.root).workspace("app")
        (self.app.agents / "worker").mkdir(parents=True)
        (self.app.agents / "worker" / "agent.toml").write_text('harness = "command"\ncommand = ["true"]\n')
        self.settings()

    def __call__(self, *words: str) -> None:
        assert run(["--fleet", str(self.root), *words]) == 0

    def settings(self, text: str = "", slots: int | str = 4) -> None:
        quiet = "[limits]\nreserve_gb = 0\n[load]\ncpu_pressure = 0\nload_per_core = 0\nmemory_mb = 0\n"
        (self.root / "config.toml").write_text(f"[scheduler]\nslots = {json.dumps(slots)}\n{text or quiet}")

    def task(self, name: str, head: str = "", body: str = "Change `README.md`.", folder: str = "todo") -> None:
        text = f'+++\nid = "{name}"\ntitle = "{name}"\n{head}\n+++\n\n{body}\n'
        (self.app.root / "queue" / folder / f"{name}.md").write_text(text)

    def happened(self, event: str, workspace: str = "", task: str = "", attempt: int = 0, **data: object) -> None:
        now = time.time()
        Journal(self.root / "journal", time.time).write(
            Event(time=now, event=event, workspace=workspace, task=task, attempt=attempt, data=data)
        )


def provider(fleet: Fleet, text: str) -> None:
    (fleet.root / "providers" / "door.toml").write_text(f'harness = "command"\n{text}')


def dependency(fleet: Fleet) -> None:
    fleet.task("t", 'depends_on = ["first"]')
    fleet.task("first")


def dependency_blocked(fleet: Fleet) -> None:
    dependency(fleet)
    fleet("block", "first", "--reason", "not now")


def dependency_missing(fleet: Fleet) -> None:
    fleet.task("t", 'depends_on = ["nowhere"]')


def cycle(fleet: Fleet) -> None:
    fleet.task("t", 'depends_on = ["first"]')
    fleet.task("first", 'depends_on = ["t"]')


def flag(fleet: Fleet) -> None:
    fleet("flag", "set", "search", "off", "--by", "kari")
    fleet.task("t", 'requires_flags = ["search"]')


def lint(fleet: Fleet) -> None:
    fleet.settings('[lint]\nendless = "refuse"\n')
    fleet.task("t", body="More coverage.")


def plan(fleet: Fleet) -> None:
    fleet.task("first")
    fleet.task("t")
    fleet.app.plan.write_text('waves = [["first"], ["t"]]\n')


def touch(fleet: Fleet) -> None:
    fleet.task("first", body="Change `run()`.", folder="doing")
    fleet.task("t", body="Change `src/app.py`.")


def proven(fleet: Fleet) -> None:
    fleet.settings(slots="auto")
    fleet.task("first", folder="doing")
    fleet.task("t", body="Make it right.")


def delayed(fleet: Fleet) -> None:
    fleet.task("t")
    steps = Runs(fleet.app).open(AttemptId(TaskRef("app", "t"), 1))
    move = Move(kind=MoveKind.RETRY, reason="again", delay=600.0)
    steps.append_step(StepRecord(key="conclude", at=time.time(), result=msgspec.to_builtins(move)))


def parked(fleet: Fleet) -> None:
    fleet.task("t")
    fleet.happened("provider.parked", provider="worker", reason="it does not accept our login", until=None, row=1)


def provider_slots(fleet: Fleet) -> None:
    provider(fleet, "slots = 1\npreflight = false\n")
    fleet.task("first", body="Change `src/app.py`.", folder="doing")
    fleet.happened("attempt.started", "app", "first", 1, agent="worker", harness="command", provider="door")
    fleet.task("t")


def preflight(fleet: Fleet) -> None:
    provider(fleet, "")
    fleet.task("t")


def budget(fleet: Fleet) -> None:
    provider(fleet, "preflight = false\n[night]\nattempts = 1\n")
    fleet.happened("attempt.started", "app", "old", 1, agent="worker", harness="command", provider="door")
    fleet.task("t")


def paused(fleet: Fleet) -> None:
    fleet.task("t")
    fleet.happened("workspace.broken", "app", reason="its check fails as it is")


def stopped(fleet: Fleet) -> None:
    fleet.task("t")
    fleet.happened("fleet.stopped", reason="8 attempts failed in a row")


def frozen(fleet: Fleet) -> None:
    fleet.task("t")
    fleet("freeze", "--workspace", "app", "--reason", "a demo")


def throttled(fleet: Fleet) -> None:
    fleet.task("first", body="Change `src/app.py`.", folder="doing")
    fleet.task("t")
    fleet("throttle", "1")


def disk(fleet: Fleet) -> None:
    fleet.task("t")
    fleet.settings("[limits]\nreserve_gb = 900_000\n")


def load(fleet: Fleet) -> None:
    fleet.task("t")
    fleet.settings("[load]\nmemory_mb = 1_000_000_000\n")


def slots(fleet: Fleet) -> None:
    fleet.settings(slots=1)
    fleet.task("first", folder="doing")
    fleet.task("t")


def following(fleet: Fleet) -> None:
    fleet.task("t")


HOLDS: list[tuple[HoldKind, Callable[[Fleet], None], str]] = [
    (HoldKind.DEPENDENCY, dependency, "waits for app/first"),
    (HoldKind.DEPENDENCY_BLOCKED, dependency_blocked, "depends on app/first, which is blocked"),
    (HoldKind.DEPENDENCY_MISSING, dependency_missing, "depends on app/nowhere, which is not there"),
    (HoldKind.CYCLE, cycle, "depends on itself: app/t → app/first → app/t; by taking one of these out of `depends_on`"),
    (
        HoldKind.FLAG,
        flag,
        "the flag `search` to be on, it is off; kari flips it; by `omni-tui flag set search on --workspace app`",
    ),
    (HoldKind.LINT, lint, "refused as it is written: line 7: `More coverage` has no end"),
    (HoldKind.PLAN, plan, "wave 2 of the frozen plan, whose wave 1 is at hand: it waits for app/first"),
    (HoldKind.TOUCH, touch, "touches src/app.py (its text names it), as does app/first, which runs (it defines run"),
    (HoldKind.TOUCH, proven, "nothing tells what it will touch, so it does not run beside app/first"),
    (HoldKind.DELAYED, delayed, "waits before its next attempt"),
    (
        HoldKind.PARKED,
        parked,
        "worker: it does not accept our login; once its file, key or login has changed, or by `omni-tui thaw`",
    ),
    (HoldKind.PROVIDER_SLOTS, provider_slots, "door: it serves 1 at once, and does"),
    (HoldKind.PREFLIGHT, preflight, "door: a preflight tries first whether it serves"),
    (HoldKind.BUDGET, budget, "door: "),
    (HoldKind.PAUSED, paused, "its check fails as it is; by `omni-tui thaw`, once its cause is mended"),
    (
        HoldKind.STOPPED,
        stopped,
        "the run was stopped: 8 attempts failed in a row; by `omni-tui thaw`, once somebody has looked at the reason",
    ),
    (HoldKind.FROZEN, frozen, "the workspace app is frozen: a demo; by `omni-tui thaw --workspace app`"),
    (HoldKind.THROTTLED, throttled, "the fleet is throttled: one at a time"),
    (HoldKind.DISK, disk, "900000 GB are kept in reserve"),
    (HoldKind.LOAD, load, "memory"),
    (HoldKind.SLOTS, slots, "the only slot is taken"),
    (HoldKind.LEASE, following, "nobody dispatches this fleet; by starting `omni-tui`, or"),
]


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    monkeypatch.setattr(ClaudeAgent, "find", lambda: None)
    return Fleet(tmp_path)


@pytest.mark.parametrize(("kind", "bring", "words"), HOLDS, ids=[bring.__name__ for _, bring, _ in HOLDS])
def test_each_hold_is_shown_with_what_ends_it(
    fleet: Fleet, capsys: pytest.CaptureFixture[str], kind: HoldKind, bring: Callable[[Fleet], None], words: str
) -> None:
    bring(fleet)
    capsys.readouterr()
    assert run(["--fleet", str(fleet.root), "why", "t", "--json"]) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)["result"]
    said = "; ".join(filter(None, (told["message"], told["remedy"])))
    assert (told["hold"], words in said) == (kind, True), said
    assert kind is HoldKind.LEASE or "nobody dispatches" in told["also"]


def test_no_hold_is_forgotten_here() -> None:
    """`not_waiting` is what a task that is not in todo/ has; of that `why` tells more."""
    assert {kind for kind, _, _ in HOLDS} | ONLY_LIVE | {HoldKind.NOT_WAITING} == set(HoldKind)


def test_what_holds_everything_is_told_beside_what_ends_by_itself(
    fleet: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    provider_slots(fleet)
    fleet("freeze", "--reason", "lunch")
    capsys.readouterr()
    assert run(["--fleet", str(fleet.root), "why", "t"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("app/t: door: it serves 1 at once, and does\n")
    assert "\n  also     nobody dispatches this fleet; the fleet is frozen: lunch\n" in said


def test_of_a_task_that_does_not_wait_nothing_is_told_beside(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    fleet.task("t", folder="done")
    fleet("freeze")
    capsys.readouterr()
    assert run(["--fleet", str(fleet.root), "why", "t"]) == 0
    assert capsys.readouterr().out == "app/t: it has landed\n"


@pytest.mark.parametrize(
    ("kind", "also"),
    [
        (HoldKind.TOUCH, "the run was stopped: a storm of restarts; the fleet is frozen, and its agents are suspended"),
        (HoldKind.STOPPED, "the fleet is frozen, and its agents are suspended"),
        (HoldKind.FROZEN, "the run was stopped: a storm of restarts"),
    ],
)
def test_what_holds_everything_is_told_beside_what_a_dispatcher_says(fleet: Fleet, kind: HoldKind, also: str) -> None:
    row = TaskRow(
        ref=TaskRef("app", "t"),
        title="t",
        status=Status.TODO,
        path="t.md",
        hold=PublishedHold(kind=kind.value, message="so it is"),
    )
    owner = Owner(pid=1, host="h", boot_id="b", process_started=0.0, epoch="e", since=0.0, mode="headless")
    view = FleetView(
        root=str(fleet.root),
        taken_at=0,
        rows=(row,),
        owner=owner,
        brakes=Brakes(freezes=(Freeze(hard=True),)),
        stopped="a storm of restarts",
    )
    found = why(row, view, opened.Fleet(fleet.root))
    assert (found.hold.message, found.also) == ("so it is", also)
