"""The queue: exactly one folder, exactly one claim, never an overwritten file."""

from __future__ import annotations

import multiprocessing
import os
from collections import Counter
from collections.abc import Callable, Iterator
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from threading import Barrier
from typing import Any

import msgspec
import pytest

from omni_tui.errors import OmniError, TaskFileError, TaskNotFoundError
from omni_tui.model.lifecycle import Occasion
from omni_tui.model.task import Status, Task
from omni_tui.store.layout import create_workspace
from omni_tui.store.paths import WorkspacePaths
from omni_tui.store.queue import Queue
from tests.support.disks import FullDisk, RecordingDisk

Results = SimpleQueue[list[str]]

NOW = 1_800_000_000.0


@pytest.fixture
def paths(tmp_path: Path) -> WorkspacePaths:
    paths = WorkspacePaths(tmp_path / "shop", "shop")
    create_workspace(paths)
    return paths


@pytest.fixture
def queue(paths: WorkspacePaths) -> Queue:
    return make_queue(paths)


def make_queue(paths: WorkspacePaths) -> Queue:
    return Queue(paths, lambda: NOW)


def draft(title: str = "A thing", task_id: str = "", **fields: Any) -> Task:  # noqa: ANN401
    return Task(workspace="", id=task_id, title=title, **fields)


def names(paths: WorkspacePaths, status: Status) -> list[str]:
    return sorted(path.name for path in paths.queue(status).iterdir())


# -- adding ------------------------------------------------------------------------------------------------------------


def test_of_several_tasks_all_are_added_or_none(queue: Queue, paths: WorkspacePaths) -> None:
    queue.add(draft(task_id="mine"))
    for wrong in (draft(task_id="mine"), draft(" "), draft(depends_on=("../up",))):
        with pytest.raises(TaskFileError):
            queue.add_all([draft("Good"), wrong])
    assert names(paths, Status.TODO) == ["mine-a-thing.md"]
    assert [path.name for path in paths.runs.iterdir()] == ["mine"]
    assert [task.title for task in queue.add_all([draft("One"), draft("Two")])] == ["One", "Two"]


def test_add_numbers_and_names_by_id(queue: Queue, paths: WorkspacePaths) -> None:
    first = queue.add(draft("Add: a/b ../ Thing", body="Do it.", priority=2))
    second = queue.add(draft())
    assert (first.id, second.id, first.workspace) == ("0001", "0002", "shop")
    assert names(paths, Status.TODO) == ["0001-add-a-b-thing.md", "0002-a-thing.md"]
    read = queue.read(paths.queue(Status.TODO) / "0001-add-a-b-thing.md")
    assert msgspec.structs.replace(read, created_at=first.created_at) == first
    assert (first.body, first.priority) == ("Do it.", 2)
    assert first.created_at > 0


def test_numbers_go_on_after_what_is_there(paths: WorkspacePaths) -> None:
    (paths.queue(Status.DONE) / "0041-dropped.md").write_text("# x")
    (paths.runs / "0007").mkdir()
    assert make_queue(paths).add(draft()).id == "0042"


def test_a_named_id_is_kept_and_given_once(queue: Queue, paths: WorkspacePaths) -> None:
    assert queue.add(draft(task_id="login")).id == "login"
    with pytest.raises(TaskFileError, match="taken by todo/login"):
        queue.add(draft("Another", task_id="login"))
    for path in queue.files(Status.TODO):
        path.unlink()
    with pytest.raises(TaskFileError, match="used before"):
        queue.add(draft("Another", task_id="login"))


def test_a_dropped_file_holds_its_id_too(queue: Queue, paths: WorkspacePaths) -> None:
    (paths.queue(Status.BLOCKED) / "whatever.md").write_text('+++\nid = "login"\n+++\n# x')
    with pytest.raises(TaskFileError, match=r"taken by blocked/whatever\.md"):
        queue.add(draft(task_id="login"))


def test_an_add_that_fails_gives_its_id_back(paths: WorkspacePaths) -> None:
    with pytest.raises(OSError, match="No space"):
        Queue(paths, lambda: NOW, FullDisk(3)).add(draft(task_id="login"))
    assert names(paths, Status.TODO) == []
    assert make_queue(paths).add(draft(task_id="login")).id == "login"


def test_add_is_durable_before_it_returns(paths: WorkspacePaths) -> None:
    disk = RecordingDisk(paths.root)
    Queue(paths, lambda: NOW, disk).add(draft())
    assert disk.operations == [
        ("sync", "runs"),
        ("write", "*"),
        ("sync", "*"),
        ("rename", "queue/todo/0001-a-thing.md"),
        ("sync", "queue/todo"),
    ]


# -- claiming and moving -----------------------------------------------------------------------------------------------


def test_claim_is_one_rename_and_two_syncs(paths: WorkspacePaths) -> None:
    task = make_queue(paths).add(draft())
    disk = RecordingDisk(paths.root)
    queue = Queue(paths, lambda: NOW, disk)
    assert queue.claim(task)
    assert disk.operations == [
        ("rename", "queue/doing/0001-a-thing.md"),
        ("sync", "queue/doing"),
        ("sync", "queue/todo"),
    ]
    assert not queue.claim(task)
    assert queue.find(task.id) == (Status.DOING, paths.queue(Status.DOING) / "0001-a-thing.md")


def test_claim_finds_the_file_by_what_it_holds(queue: Queue, paths: WorkspacePaths) -> None:
    (paths.queue(Status.TODO) / "whatever.md").write_text('+++\nid = "x7"\n+++\n# A')
    (paths.queue(Status.TODO) / "x7-not-me.md").write_text("# B")
    task = queue.read(paths.queue(Status.TODO) / "whatever.md")
    (paths.queue(Status.TODO) / "whatever.md").rename(paths.queue(Status.TODO) / "renamed.md")
    assert queue.claim(task)
    assert names(paths, Status.DOING) == ["renamed.md"]
    assert names(paths, Status.TODO) == ["x7-not-me.md"]


def test_an_id_edited_in_place_is_noticed(queue: Queue, paths: WorkspacePaths) -> None:
    path = paths.queue(Status.TODO) / "a.md"
    path.write_text('+++\nid = "old"\n+++\n# A')
    assert queue.find("old") is not None
    path.write_text('+++\nid = "new"\n+++\n# A')
    assert queue.find("old") is None


def test_a_life(queue: Queue, paths: WorkspacePaths) -> None:
    task = queue.add(draft())
    queue.claim(task)
    queue.move("0001", Status.DOING, Occasion.BLOCKED, note="The check fails.\n\nSee the log.")
    assert names(paths, Status.BLOCKED) == ["0001-a-thing.md", "0001-a-thing.note.md"]
    assert queue.note("0001").startswith("The check fails.\n\nSee the log.\n\n(2027-01-15 08:00 UTC)")
    queue.move("0001", Status.BLOCKED, Occasion.REQUEUED)
    assert names(paths, Status.BLOCKED) == []
    assert names(paths, Status.TODO) == ["0001-a-thing.md"]
    assert queue.note("0001") == ""
    queue.claim(task)
    done = queue.move("0001", Status.DOING, Occasion.LANDED)
    assert done == paths.queue(Status.DONE) / "0001-a-thing.md"
    assert queue.read(done).ref == task.ref


def test_moving_again_changes_nothing(queue: Queue, paths: WorkspacePaths) -> None:
    queue.claim(queue.add(draft()))
    first = queue.move("0001", Status.DOING, Occasion.BLOCKED, note="why")
    assert queue.move("0001", Status.DOING, Occasion.BLOCKED, note="why") == first
    assert names(paths, Status.BLOCKED) == ["0001-a-thing.md", "0001-a-thing.note.md"]


def test_what_may_not_be(queue: Queue, paths: WorkspacePaths) -> None:
    queue.add(draft())
    with pytest.raises(OmniError, match="cannot be landed"):
        queue.move("0001", Status.TODO, Occasion.LANDED)
    with pytest.raises(TaskNotFoundError):
        queue.move("0009", Status.DOING, Occasion.LANDED)
    assert names(paths, Status.TODO) == ["0001-a-thing.md"]


def test_a_name_that_is_taken_is_not_overwritten(queue: Queue, paths: WorkspacePaths) -> None:
    task = queue.add(draft())
    other = paths.queue(Status.DOING) / "0001-a-thing.md"
    other.write_text('+++\nid = "other"\n+++\n# Other')
    with pytest.raises(TaskFileError, match="is there already"):
        queue.claim(task)
    assert "Other" in other.read_text()
    assert names(paths, Status.TODO) == ["0001-a-thing.md"]


def test_block(queue: Queue, paths: WorkspacePaths) -> None:
    queue.add(draft())
    path = queue.block("0001", "by hand")
    assert queue.block("0001", "by hand, again") == path
    assert queue.note("0001").startswith("by hand, again")
    with pytest.raises(TaskNotFoundError):
        queue.block("none", "x")


def test_the_reason_is_there_before_the_task(paths: WorkspacePaths) -> None:
    make_queue(paths).add(draft())
    disk = RecordingDisk(paths.root)
    Queue(paths, lambda: NOW, disk).block("0001", "why")
    renames = [name for verb, name in disk.operations if verb == "rename"]
    assert renames == ["queue/blocked/0001-a-thing.note.md", "queue/blocked/0001-a-thing.md"]


def test_remarks_are_made_once(queue: Queue, paths: WorkspacePaths) -> None:
    queue.add(draft())
    queue.block("0001", "The check fails.")
    queue.remark("0001", "The check fails.")
    assert queue.note("0001").count("The check fails.") == 1
    for _ in range(2):
        queue.remark("0001", "Landed.")
    assert queue.note("0001").startswith("The check fails.")
    assert queue.note("0001").count("Landed.") == 1
    queue.remark("gone", "x")


# -- refusing ----------------------------------------------------------------------------------------------------------


def test_what_is_refused_keeps_its_bytes_under_a_free_name(queue: Queue, paths: WorkspacePaths) -> None:
    for content in (b"\xff one", b"\xff two"):
        path = paths.queue(Status.TODO) / "bad.md"
        path.write_bytes(content)
        assert queue.refuse(path, "not UTF-8") is not None
    assert names(paths, Status.BLOCKED) == ["bad.2.md", "bad.2.note.md", "bad.md", "bad.note.md"]
    assert (paths.queue(Status.BLOCKED) / "bad.md").read_bytes() == b"\xff one"
    assert (paths.queue(Status.BLOCKED) / "bad.2.md").read_bytes() == b"\xff two"
    assert (paths.queue(Status.BLOCKED) / "bad.2.note.md").read_text().startswith("not UTF-8")


def test_anything_can_be_refused(queue: Queue, paths: WorkspacePaths, tmp_path: Path) -> None:
    todo = paths.queue(Status.TODO)
    os.mkfifo(todo / "pipe.md")
    (todo / "folder.md").mkdir()
    (todo / "folder.md" / "inner.md").write_text("# kept")
    (todo / "link.md").symlink_to(tmp_path / "outside.md")
    (todo / "notes.txt").write_text("x")
    for path in sorted(todo.iterdir()):
        with pytest.raises(TaskFileError):
            queue.read(path)
        assert queue.refuse(path, f"{path.name} is no task") is not None
    blocked = paths.queue(Status.BLOCKED)
    assert names(paths, Status.TODO) == []
    assert (blocked / "folder.md" / "inner.md").read_text() == "# kept"
    assert (blocked / "link.md").is_symlink()
    assert (blocked / "pipe.md").is_fifo()
    assert (blocked / "notes.txt.note.md").read_text().startswith("notes.txt is no task")


@pytest.mark.parametrize("stays", [Status.DOING, Status.DONE, Status.BLOCKED])
def test_a_move_that_a_power_loss_left_half_done_is_finished(
    queue: Queue, paths: WorkspacePaths, stays: Status
) -> None:
    for title in ("Half moved", "Not moved"):
        queue.add(draft(title))
    half, whole = queue.files(Status.TODO)
    (paths.queue(stays) / half.name).hardlink_to(half)
    disk = RecordingDisk(paths.root)
    Queue(paths, lambda: NOW, disk).finish_moves()
    assert names(paths, stays) == [half.name]
    assert names(paths, Status.TODO) == [whole.name]
    assert disk.operations == [("sync", "queue/todo")], "else the next power loss brings it back"


def test_a_move_by_hand_is_made_to_last(queue: Queue, paths: WorkspacePaths) -> None:
    queue.add(draft())
    [path] = queue.files(Status.TODO)
    disk = RecordingDisk(paths.root)
    moved = path.rename(paths.queue(Status.DOING) / path.name)
    Queue(paths, lambda: NOW, disk).settle(moved)
    assert disk.operations == [("sync", "queue/doing"), ("sync", "queue/todo")], "first where it arrived"


def test_a_copy_in_another_folder_is_no_half_done_move(queue: Queue, paths: WorkspacePaths) -> None:
    queue.add(draft())
    [path] = queue.files(Status.TODO)
    (paths.queue(Status.DONE) / path.name).write_bytes(path.read_bytes())
    queue.finish_moves()
    assert names(paths, Status.DONE) == names(paths, Status.TODO) == [path.name]


def test_what_has_gone_is_not_refused(queue: Queue, paths: WorkspacePaths) -> None:
    assert queue.refuse(paths.queue(Status.TODO) / "gone.md", "x") is None
    assert names(paths, Status.BLOCKED) == []


def test_a_file_that_may_not_be_read(queue: Queue, paths: WorkspacePaths, monkeypatch: pytest.MonkeyPatch) -> None:
    path = paths.queue(Status.TODO) / "secret.md"
    path.write_text("# x")

    def deny(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("omni_tui.store.taskread.os.open", deny)  # root may read everything
    with pytest.raises(TaskFileError, match="Permission denied"):
        queue.read(path)


def test_a_file_with_a_writer_is_not_read(queue: Queue, paths: WorkspacePaths) -> None:
    path = paths.queue(Status.TODO) / "slow.md"
    with path.open("w") as file:
        file.write("# Half")
        file.flush()
        assert queue.read_finished(path) is None
        assert queue.read(path).title == "Half"
    task = queue.read_finished(path)
    assert task is not None
    assert task.title == "Half"


# -- many at once ------------------------------------------------------------------------------------------------------


def _claim_all(paths: WorkspacePaths, start: Barrier, results: Results) -> None:
    queue = make_queue(paths)
    tasks = [queue.read(path) for path in queue.files(Status.TODO)]
    start.wait()
    results.put([task.id for task in tasks if queue.claim(task)])


def _add_many(paths: WorkspacePaths, start: Barrier, results: Results) -> None:
    queue = make_queue(paths)
    start.wait()
    results.put([queue.add(draft("The same")).id for _ in range(30)])


def _race(
    target: Callable[[WorkspacePaths, Barrier, Results], None], paths: WorkspacePaths, racers: int
) -> Iterator[list[str]]:
    context = multiprocessing.get_context("spawn")
    start, results = context.Barrier(racers), context.SimpleQueue()
    processes = [context.Process(target=target, args=(paths, start, results)) for _ in range(racers)]
    for process in processes:
        process.start()
    for _ in processes:
        yield results.get()
    for process in processes:
        process.join(30)
        assert process.exitcode == 0


def test_racers_claim_each_task_exactly_once(queue: Queue, paths: WorkspacePaths) -> None:
    ids = [queue.add(draft()).id for _ in range(120)]
    claims = Counter(task_id for won in _race(_claim_all, paths, 4) for task_id in won)
    assert claims == Counter(ids)
    assert queue.ids(Status.DOING) == set(ids)
    assert queue.files(Status.TODO) == []


def test_racers_add_under_different_ids(queue: Queue, paths: WorkspacePaths) -> None:
    ids = [task_id for added in _race(_add_many, paths, 4) for task_id in added]
    assert len(set(ids)) == len(ids) == 120
    assert queue.ids(Status.TODO) == set(ids)
