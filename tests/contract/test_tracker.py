"""The contract of the tracker slot, for every tracker and its fake; then what the files tracker does besides."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from pathlib import Path

import pytest

from omni_tui.model.lifecycle import Occasion
from omni_tui.model.outcome import Outcome
from omni_tui.model.task import MAX_TASK_BYTES, Status, Task
from omni_tui.model.taskfile import render
from omni_tui.plugins.tracker.files import SETTLE_SECONDS, FilesTracker
from omni_tui.plugins.tracker.protocol import Intake, Tracker, TrackerSpec
from omni_tui.simulation.tracker import MemoryTracker
from omni_tui.store import queue as queue_module
from omni_tui.store.layout import create_workspace
from omni_tui.store.paths import WorkspacePaths
from omni_tui.store.queue import Queue


def task(task_id: str, title: str = "A thing", **fields: str) -> Task:
    return Task(workspace="shop", id=task_id, title=title, **fields)  # type: ignore[arg-type]


class Rig(ABC):
    """One tracker, and how things happen where its tasks come from."""

    tracker: Tracker

    def __init__(self) -> None:
        self.time = 1000.0

    async def fetch(self) -> Intake:
        """Fetch, and again when the tracker asks for it, as the engine does."""
        intake = await self.tracker.fetch()
        while intake.look_again_at is not None:
            assert intake.look_again_at > self.time
            self.time = intake.look_again_at
            intake = await self.tracker.fetch()
        return intake

    @abstractmethod
    def offer(self, name: str, item: Task) -> None: ...

    @abstractmethod
    def offer_bad(self, name: str) -> None: ...

    @abstractmethod
    def take(self, item: Task) -> None: ...

    @abstractmethod
    def told(self, item: Task) -> list[str]: ...


class FilesRig(Rig):
    """The real tracker over a real queue."""

    def __init__(self, tmp_path: Path) -> None:
        super().__init__()
        self.paths = WorkspacePaths(tmp_path / "shop", "shop")
        create_workspace(self.paths)
        self.todo = self.paths.queue(Status.TODO)
        self.queue = Queue(self.paths, lambda: self.time)
        self.reads: list[str] = []
        self.tracker: FilesTracker = FilesTracker(
            TrackerSpec(
                workspace="shop",
                todo=self.todo,
                read=self._read,
                taken=self.queue.taken,
                remark=self.queue.remark,
                now=lambda: self.time,
            )
        )

    def _read(self, path: Path) -> Task | None:
        self.reads.append(path.name)
        return self.queue.read_finished(path)

    def offer(self, name: str, item: Task) -> None:
        (self.todo / name).write_text(render(item))

    def offer_bad(self, name: str) -> None:
        (self.todo / name).write_bytes(b"\xff")

    def take(self, item: Task) -> None:
        assert self.queue.claim(item)

    def told(self, item: Task) -> list[str]:
        return [line for line in self.queue.note(item.id).splitlines() if line and not line.endswith("UTC)")]


class MemoryRig(Rig):
    """The fake."""

    def __init__(self, tmp_path: Path) -> None:
        super().__init__()
        self._taken: dict[str, Path] = {}
        self.tracker: MemoryTracker = MemoryTracker(
            TrackerSpec(
                workspace="shop",
                todo=tmp_path,
                read=lambda _: None,
                taken=self._which,
                remark=lambda *_: None,
                now=lambda: self.time,
            )
        )

    def _which(self, ids: Collection[str]) -> Mapping[str, Path]:
        return {task_id: path for task_id, path in self._taken.items() if task_id in ids}

    def offer(self, name: str, item: Task) -> None:
        self.tracker.offer(name, item)

    def offer_bad(self, name: str) -> None:
        self.tracker.offer(name, "not UTF-8")

    def take(self, item: Task) -> None:
        held = next(
            name for name, other in self.tracker.items.items() if isinstance(other, Task) and other.id == item.id
        )
        self.tracker.withdraw(held)
        self._taken[item.id] = Path("doing") / held

    def told(self, item: Task) -> list[str]:
        return [outcome.message for outcome in self.tracker.outcomes.get(item.id, [])]


@pytest.fixture(params=[FilesRig, MemoryRig], ids=["files", "memory"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Rig:
    made: Rig = request.param(tmp_path)
    return made


def by_id(intake: Intake) -> dict[str, Task]:
    return {item.id: item for item in intake.tasks}


async def test_what_waits_is_fetched_whole(rig: Rig) -> None:
    assert (await rig.fetch()).tasks == []
    rig.offer("a.md", task("a", "First", body="Do it."))
    rig.offer("b.md", task("b", agent="ada"))
    fetched = by_id(await rig.fetch())
    assert set(fetched) == {"a", "b"}
    assert (fetched["a"].title, fetched["a"].body, fetched["a"].workspace) == ("First", "Do it.", "shop")
    assert fetched["b"].agent == "ada"
    assert by_id(await rig.fetch()) == fetched


async def test_what_is_taken_waits_no_longer(rig: Rig) -> None:
    rig.offer("a.md", task("a"))
    rig.offer("b.md", task("b"))
    rig.take(by_id(await rig.fetch())["a"])
    intake = await rig.fetch()
    assert set(by_id(intake)) == {"b"}
    assert not intake.refused


async def test_a_bad_one_is_refused_and_stops_no_other(rig: Rig) -> None:
    rig.offer("a.md", task("a"))
    rig.offer_bad("b.md")
    rig.offer("c.md", task("c"))
    intake = await rig.fetch()
    assert set(by_id(intake)) == {"a", "c"}
    assert [(refusal.path.name, "UTF-8" in refusal.reason) for refusal in intake.refused] == [("b.md", True)]


async def test_of_two_with_one_id_the_first_stays(rig: Rig) -> None:
    rig.offer("one.md", task("same", "First"))
    await rig.fetch()
    rig.offer("another.md", task("same", "Second"))
    intake = await rig.fetch()
    assert [item.title for item in intake.tasks] == ["First"]
    assert [refusal.path.name for refusal in intake.refused] == ["another.md"]
    assert "id same" in intake.refused[0].reason


async def test_an_id_that_is_taken_is_refused(rig: Rig) -> None:
    rig.offer("one.md", task("same"))
    rig.take(by_id(await rig.fetch())["same"])
    rig.offer("another.md", task("same"))
    intake = await rig.fetch()
    assert not intake.tasks
    assert [refusal.path.name for refusal in intake.refused] == ["another.md"]


@pytest.mark.parametrize("landed", [True, False])
async def test_an_outcome_is_told_once(rig: Rig, landed: bool) -> None:
    rig.offer("a.md", task("a"))
    item = by_id(await rig.fetch())["a"]
    rig.take(item)
    assert rig.told(item) == []
    outcome = Outcome(landed=landed, message="how it ended", commit="c0ffee" if landed else "")
    for _ in range(2):
        await rig.tracker.tell(item, outcome)
    told = rig.told(item)
    assert len(told) == 1
    assert told[0].startswith("how it ended")


# -- the files tracker -------------------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path) -> FilesRig:
    return FilesRig(tmp_path)


async def test_only_what_changed_is_read_again(files: FilesRig) -> None:
    for number in range(20):
        files.offer(f"{number}.md", task(f"t{number}"))
    await files.tracker.fetch()
    files.reads.clear()
    files.offer("7.md", task("t7", "Another title"))
    (files.todo / "8.md").unlink()
    files.offer("new.md", task("new"))
    fetched = by_id(await files.tracker.fetch())
    assert sorted(files.reads) == ["7.md", "new.md"]
    assert fetched["t7"].title == "Another title"
    assert "t8" not in fetched


async def test_bad_files_of_every_kind_are_moved_aside(files: FilesRig, tmp_path: Path) -> None:
    outside = tmp_path / "outside.md"
    outside.write_text("# Secret")
    (files.todo / "link.md").symlink_to(outside)
    (files.todo / "dangling.md").symlink_to("nowhere")
    os.mkfifo(files.todo / "pipe.md")
    (files.todo / "folder.md").mkdir()
    (files.todo / "large.md").write_bytes(b"x" * (MAX_TASK_BYTES + 1))
    (files.todo / "binary.md").write_bytes(b"\xff\xfe")
    (files.todo / "toml.md").write_text("+++\ntitle =\n+++\n")
    (files.todo / "empty.md").touch()
    (files.todo / "notes.txt").write_text("Do it")
    bad = {path.name for path in files.todo.iterdir()}
    files.offer("good.md", task("good"))
    intake = await files.fetch()
    assert set(by_id(intake)) == {"good"}
    assert {refusal.path.name for refusal in intake.refused} == bad
    for refusal in intake.refused:
        assert files.queue.refuse(refusal.path, refusal.reason) is not None
    blocked = files.paths.queue(Status.BLOCKED)
    assert [path.name for path in files.todo.iterdir()] == ["good.md"]
    assert len(list(blocked.glob("*.note.md"))) == len(bad)
    assert (blocked / "toml.note.md").read_text().startswith("toml.md, line 2: bad TOML")
    assert outside.read_text() == "# Secret"
    assert not (await files.fetch()).refused


async def test_leftovers_of_editors_are_ignored(files: FilesRig) -> None:
    for name in (".a.md.swp", "a.md~", "#a.md#", ".#a.md", "a.md.tmp", "a.note.md", ".gitkeep"):
        (files.todo / name).write_bytes(b"\xff")
    intake = await files.fetch()
    assert (list(intake.tasks), list(intake.refused)) == ([], [])
    assert files.reads == []


async def test_a_bad_file_gets_a_moment_to_become_good(files: FilesRig) -> None:
    path = files.todo / "a.md"
    path.write_text("+++\ntitle = 'x'\n")
    intake = await files.tracker.fetch()
    assert (list(intake.refused), intake.look_again_at) == ([], files.time + SETTLE_SECONDS)
    files.time += SETTLE_SECONDS - 0.1
    path.write_text("+++\ntitle = 'x'\nlabels = 'y'\n")
    intake = await files.tracker.fetch()
    assert (list(intake.refused), intake.look_again_at) == ([], files.time + SETTLE_SECONDS)
    files.time += SETTLE_SECONDS - 0.1
    path.write_text("+++\ntitle = 'x'\n+++\n")
    intake = await files.tracker.fetch()
    assert [item.title for item in intake.tasks] == ["x"]
    assert intake.look_again_at is None


async def test_a_file_with_a_writer_waits_as_long_as_it_takes(files: FilesRig) -> None:
    path = files.todo / "slow.md"
    with path.open("w") as file:
        file.write("# Half of the tit")
        file.flush()
        for _ in range(5):
            intake = await files.tracker.fetch()
            assert (list(intake.tasks), list(intake.refused)) == ([], [])
            assert intake.look_again_at is not None
            files.time = intake.look_again_at
        file.write("le\n")
    assert [item.title for item in (await files.tracker.fetch()).tasks] == ["Half of the title"]


async def test_of_two_new_ones_the_older_stays(files: FilesRig) -> None:
    for name, at in (("a.md", 200), ("b.md", 100)):
        files.offer(name, task("same", f"Of {name}"))
        os.utime(files.todo / name, (at, at))
    intake = await files.fetch()
    assert [item.title for item in intake.tasks] == ["Of b.md"]
    assert intake.refused[0].reason.startswith("a.md: the id same is taken by todo/b.md")


async def test_a_blocked_note_is_not_said_twice(files: FilesRig) -> None:
    files.offer("a.md", task("a"))
    item = by_id(await files.fetch())["a"]
    files.take(item)
    files.queue.move("a", Status.DOING, Occasion.BLOCKED, note="The check fails.\n\nWhat was tried: nothing.")
    await files.tracker.tell(item, Outcome(landed=False, message="The check fails."))
    assert files.told(item) == ["The check fails.", "What was tried: nothing."]


async def test_a_file_that_goes_while_it_is_read(files: FilesRig, monkeypatch: pytest.MonkeyPatch) -> None:
    files.offer("a.md", task("a"))

    def gone(path: Path) -> bool:
        path.unlink()
        return False

    monkeypatch.setattr(queue_module, "is_being_written", gone)
    intake = await files.tracker.fetch()
    assert (list(intake.tasks), list(intake.refused), intake.look_again_at) == ([], [], None)
