"""The read model: what the files say is what is shown, and only what has changed is read again."""

from __future__ import annotations

from pathlib import Path

import pytest

from omni_tui.model.attempt import Phase
from omni_tui.model.brakes import Brakes, Freeze
from omni_tui.model.event import Event
from omni_tui.model.signal import Health
from omni_tui.model.state import FleetState, PublishedHold
from omni_tui.model.task import Status, Task, TaskRef
from omni_tui.model.view import TaskRow
from omni_tui.store.journal import Journal
from omni_tui.store.layout import create_workspace
from omni_tui.store.reader import FleetReader
from omni_tui.store.state import STATE_FILE, write_state
from omni_tui.store.taskread import read_task
from tests.support.cockpit_ports import Clock
from tests.support.fleet_tree import NOW, FleetTree, hold_lease, large_tree

NEEDS = PublishedHold(kind="dependency", message="needs shop-14", until=NOW + 60)
TAKEN = PublishedHold(kind="slots", message="the only slot is taken")
SHOP_16 = TaskRef("shop", "shop-16")


@pytest.fixture
def reader(tree: FleetTree) -> FleetReader:
    return FleetReader(tree.paths, Clock())


def row(reader: FleetReader, ref: TaskRef) -> TaskRow:
    return next(each for each in reader.update(()).rows if each.ref == ref)


def test_shows_running_first_then_blocked_then_waiting_as_they_start_then_landed(reader: FleetReader) -> None:
    view = reader.read()

    order = [each.status for each in view.rows]
    assert order == sorted(order, key=[Status.DOING, Status.BLOCKED, Status.TODO, Status.DONE].index)
    assert [each.ref.id for each in view.rows if each.status is Status.TODO][:3] == ["shop-16", "shop-17", "shop-18"]
    landed = [each.run.updated_at for each in view.rows if each.status is Status.DONE and each.run]
    assert landed == sorted(landed, reverse=True)
    assert len(view.rows) == 20


def test_a_row_tells_the_latest_attempt_and_why_it_is_blocked(reader: FleetReader) -> None:
    reader.read()

    blocked = row(reader, TaskRef("shop", "shop-9"))

    assert (blocked.attempt, blocked.agent, blocked.phase) == (2, "lin", "inspect")
    assert blocked.reason.startswith("Removes `Basket.total`")


def test_nothing_new_gives_the_same_view(reader: FleetReader) -> None:
    view = reader.read()

    assert reader.update([reader.paths.control / "r1.request.json"]) is view
    assert reader.check_owner() is view
    assert reader.read() is view


def test_a_move_between_folders_is_seen_from_the_two_paths_alone(tree: FleetTree, reader: FleetReader) -> None:
    before = {each.ref: each for each in reader.read().rows}
    source = tree.find(SHOP_16)
    target = tree.move(SHOP_16, Status.DOING)

    after = {each.ref: each for each in reader.update([source, target]).rows}

    assert after[SHOP_16].status is Status.DOING
    assert all(after[ref] is before[ref] for ref in before if ref != SHOP_16)


def test_a_status_that_is_written_again_changes_its_row_alone(tree: FleetTree, reader: FleetReader) -> None:
    before = {each.ref: each for each in reader.read().rows}
    ref = TaskRef("shop", "shop-14")
    run = tree.run(ref, 1, Phase.WATCH, agent="ada", health=Health.LIMITED, reason="until 02:00")

    after = {each.ref: each for each in reader.update([run.dir / "status.json"]).rows}

    assert after[ref].reason == "until 02:00"
    assert [name for name in before if after[name] is not before[name]] == [ref]


def test_a_note_that_comes_later_becomes_the_reason(tree: FleetTree, reader: FleetReader) -> None:
    tree.move(SHOP_16, Status.BLOCKED)
    reader.read()
    note = tree.find(SHOP_16).with_suffix(".note.md")
    note.write_text("\n# Out of money\n\nmore\n", encoding="utf-8")

    reader.update([note])

    assert row(reader, SHOP_16).reason == "Out of money"


def test_holds_and_standing_state_come_from_the_state_file(tree: FleetTree, reader: FleetReader) -> None:
    reader.read()
    write_state(
        tree.paths.root,
        FleetState(brakes=Brakes(freezes=(Freeze(),)), message="hello", holds={str(SHOP_16): NEEDS}),
    )

    view = reader.update([tree.paths.root / STATE_FILE])

    assert (view.frozen, view.throttled, view.message) == (True, False, "hello")
    assert row(reader, SHOP_16).reason == "needs shop-14"
    assert row(reader, SHOP_16).hold == NEEDS


def test_the_state_of_an_earlier_version_keeps_its_brakes(tree: FleetTree, reader: FleetReader) -> None:
    state = b'{"frozen": true, "holds": {"shop/shop-16": "needs shop-14"}}'
    (tree.paths.root / STATE_FILE).write_bytes(state)
    view = reader.read()
    assert view.frozen
    assert row(reader, SHOP_16).hold is None


def test_a_file_that_is_no_task_is_shown_by_its_name_with_its_note(tree: FleetTree, reader: FleetReader) -> None:
    blocked = tree.paths.workspace("shop").queue(Status.BLOCKED)
    (blocked / "odd.md").write_bytes(b"\xff\xfe no")
    (blocked / "odd.note.md").write_text("not UTF-8: save the file as UTF-8", encoding="utf-8")
    (blocked / "link.md").symlink_to(tree.paths.config)

    reader.read()

    assert row(reader, TaskRef("shop", "odd")).reason == "not UTF-8: save the file as UTF-8"
    assert row(reader, TaskRef("shop", "link")).title == "link.md"


def test_a_workspace_that_appears_is_read_and_one_that_goes_is_not(tree: FleetTree, reader: FleetReader) -> None:
    reader.read()
    paths = tree.paths.workspace("new")
    create_workspace(paths)
    tree.task(Task(workspace="new", id="n-1", title="First"), Status.TODO)

    assert any(each.ref.id == "n-1" for each in reader.update([paths.root]).rows)

    paths.root.rename(tree.paths.root / "elsewhere")
    assert not any(each.ref.id == "n-1" for each in reader.update([paths.root]).rows)


def test_sees_who_dispatches_and_that_nobody_does_any_more(tmp_path: Path) -> None:
    tree = FleetTree(tmp_path / "fleet", "shop")
    reader = FleetReader(tree.paths, Clock())
    with hold_lease(tree):
        owner = reader.read().owner
        assert owner is not None
        assert owner.pid == 4242

    assert reader.check_owner().owner is None


def test_what_held_a_task_is_over_with_the_one_who_said_it(tmp_path: Path) -> None:
    tree = FleetTree(tmp_path / "fleet", "shop")
    reader = FleetReader(tree.paths, Clock())
    task = Task(workspace="shop", id="shop-1", title="A task")
    tree.task(task, Status.TODO)
    write_state(tree.paths.root, FleetState(holds={str(task.ref): TAKEN}))
    with hold_lease(tree):
        assert [each.reason for each in reader.read().rows] == ["the only slot is taken"]

    assert [each.reason for each in reader.check_owner().rows] == [""]


def test_a_refused_configuration_stands_until_one_is_taken(tree: FleetTree, reader: FleetReader) -> None:
    journal = Journal(tree.paths.journal, Clock())
    reader.read()

    journal.write(Event(time=NOW, event="config.refused", data={"error": "line 3: unknown key"}))
    assert "line 3: unknown key" in reader.update([next(tree.paths.journal.iterdir())]).message

    journal.write(Event(time=NOW, event="config.taken", data={"file": "config.toml"}))
    assert reader.update([next(tree.paths.journal.iterdir())]).message == ""


def test_watches_the_folders_and_the_runs_of_running_tasks_only(tree: FleetTree, reader: FleetReader) -> None:
    reader.read()
    shop = tree.paths.workspace("shop")

    watched = reader.watched()

    assert {shop.queue(status) for status in Status} <= watched
    assert {tree.paths.root, tree.paths.control, tree.paths.journal, tree.paths.workspaces} <= watched
    assert shop.runs / "shop-14" / "1" in watched
    assert shop.runs / "shop-9" not in watched


def test_keeps_texts_only_where_they_are_asked_for_and_tells_tasks_from_what_is_none(tmp_path: Path) -> None:
    tree = FleetTree(tmp_path / "fleet", "shop")
    path = tree.task(
        Task(workspace="shop", id="shop-1", title="A task", body="Do it.", extra={"theirs": 1}), Status.TODO
    )
    path.with_name("empty.md").write_bytes(b"")
    heads, whole = FleetReader(tree.paths, Clock()), FleetReader(tree.paths, Clock(), whole=True)

    assert (
        {each.title for each in heads.read().rows}
        == {each.title for each in whole.read().rows}
        == {"A task", "empty.md"}
    )
    assert [(task.body, task.extra) for task in heads.tasks(Status.TODO).values()] == [("", {})]
    assert [(task.body, task.extra) for task in whole.tasks(Status.TODO).values()] == [("Do it.", {"theirs": 1})]
    assert list(whole.tasks(Status.TODO)) == [str(path)]


def test_one_change_among_thousands_reads_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = large_tree(tmp_path / "fleet", 3_000)
    reader = FleetReader(tree.paths, Clock())
    assert len(reader.read().rows) == 3_000
    read: list[Path] = []

    def counted(path: Path, workspace: str) -> Task:
        read.append(path)
        return read_task(path, workspace)

    monkeypatch.setattr("omni_tui.store.folder.read_task", counted)
    added = tree.task(Task(workspace="bulk", id="urgent", title="Now", priority=9), Status.TODO)

    view = reader.update([added])

    assert view.rows[0].ref.id == "urgent"
    assert read == [added]
    assert len(reader.read().rows) == 3_001
    assert read == [added]


def test_details_tell_note_steps_verdict_and_text(reader: FleetReader) -> None:
    reader.read()

    detail = reader.detail(row(reader, TaskRef("shop", "shop-9")))

    assert "What was tried" in detail.note
    assert [step.key for step in detail.steps] == ["prepare", "launch", "confirm", "watch", "inspect"]
    assert detail.verdict is not None
    assert detail.verdict.grade == "F"
    assert "never retry" in detail.body
