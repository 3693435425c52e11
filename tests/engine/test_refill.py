"""Refilling with the real core: queues that run low are filled from sources, each offer once, ever, and no further."""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections import Counter
from collections.abc import Sequence, ValuesView
from pathlib import Path

import pytest

from omni_tui.engine.offers import read_offers
from omni_tui.engine.taking import Taker
from omni_tui.errors import SourceError
from omni_tui.model.request import RequestKind
from omni_tui.model.task import Status, Task
from omni_tui.plugins.source.folder import FolderSource
from omni_tui.plugins.source.protocol import Offer, Source, SourceSpec
from omni_tui.simulation.source import MemoryRemote, MemorySource
from omni_tui.store.ledger import Stage
from omni_tui.store.paths import FleetPaths
from omni_tui.store.state import read_state
from tests.engine.test_crashes import dispatch
from tests.support.fleets import AGENT, GOOD, QUICK, TestFleet, make_fleet
from tests.support.running import Record, ask, dispatching, until_idle
from tests.support.taking import DyingDisk, make_taker

SETTINGS = QUICK.replace("0.05", "5") + "[scheduler]\nspares = false\n"
WAITS = AGENT + "say accepted\nexec sleep 100\n"
HURRY = "[refill]\nto = 3\nat = 2\nleast_minutes = 0.005\nmost_minutes = 0.01\n"
"""Polls more often than a person would have it."""


def folder_of(fleet: TestFleet) -> Path:
    return fleet.root.parent / "specs"


def put(fleet: TestFleet, *names: str, head: str = "") -> None:
    folder_of(fleet).mkdir(exist_ok=True)
    for name in names:
        (folder_of(fleet) / f"{name}.md").write_text(f"{head}# Do {name}\n")


async def fleet_with_specs(directory: Path, *names: str, refill: str = "[refill]\nto = 3\n") -> TestFleet:
    workspace = f'{refill}[[sources]]\nkind = "folder"\npath = "../../../specs"\n'
    fleet = await make_fleet(directory, settings=SETTINGS, workspace=workspace)
    if names:
        put(fleet, *names)
    return fleet


async def fleet_with_remote(directory: Path, *keys: str, refill: str = HURRY) -> tuple[TestFleet, MemoryRemote]:
    fleet = await make_fleet(directory, settings=SETTINGS, workspace=refill)
    remote = MemoryRemote()
    for key in keys:
        remote.put(Offer(key=key, title=f"Do {key}"))
    connect(fleet, remote)
    return fleet, remote


def connect(fleet: TestFleet, remote: MemoryRemote) -> None:
    """Have the fleet's workspaces refilled from a remote."""

    def sources(name: str) -> Sequence[Source]:
        paths = fleet.fleet.paths.workspace(name)
        now = fleet.fleet.clock.now
        return [MemorySource(SourceSpec(workspace=name, folder=paths.root, settings={}, variables={}, now=now), remote)]

    fleet.fleet.sources = sources  # type: ignore[method-assign]


def tasks(fleet: TestFleet) -> list[Task]:
    return [fleet.queue.read(path) for status in Status for path in fleet.queue.files(status)]


def most_waiting(fleet: TestFleet, record: Record) -> list[int]:
    """Count what waits at every event from now on."""
    counts: list[int] = []
    record.then = lambda _: counts.append(len(fleet.queue.files(Status.TODO)))
    return counts


# -- a folder of specs -------------------------------------------------------------------------------------------------


async def test_a_folder_of_specs_is_worked_off_and_never_more_than_so_many_wait(tmp_path: Path) -> None:
    fleet = await fleet_with_specs(tmp_path, *(f"s{number}" for number in range(7)))
    before = {path: path.read_text() for path in folder_of(fleet).iterdir()}
    record = Record()
    counts = most_waiting(fleet, record)
    core = fleet.fleet.lead("headless", record, until_idle=True)
    async with asyncio.timeout(60):
        await core.run()
    assert fleet.landed() == [f"Do s{number}" for number in reversed(range(7))]
    assert max(counts) == 3
    assert [event.task for event in record.named("task.offered")] == [f"s{number}" for number in range(7)]
    assert {path: path.read_text() for path in folder_of(fleet).iterdir()} == before


async def test_a_spec_dropped_while_the_queue_is_low_is_taken_at_once_and_one_that_is_changed_is_not_again(
    tmp_path: Path,
) -> None:
    fleet = await fleet_with_specs(tmp_path)
    async with dispatching(fleet) as (core, record):
        await record.wait(lambda event: event.event == "fleet.idle")
        assert record.named("source.failed")  # there is no folder yet
        assert "specs" in core.scheduler.state.sources[0].said
        put(fleet, "late")
        await record.wait(lambda event: event.event == "task.landed" and event.task == "late")
        assert len(record.named("source.answered")) == 1
        put(fleet, "late", head="")
        put(fleet, "later")
        await record.wait(lambda event: event.event == "task.landed" and event.task == "later")
    assert Counter(task.source for task in tasks(fleet)) == {
        f"folder:{folder_of(fleet)}/late.md": 1,
        f"folder:{folder_of(fleet)}/later.md": 1,
    }
    assert len(record.named("source.failed")) == 1


async def test_a_folder_that_comes_right_before_it_is_watched_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / "deep" / "specs"
    workspace = f'[[sources]]\nkind = "folder"\npath = "{deep}"\n'
    fleet = await make_fleet(tmp_path, settings=SETTINGS, workspace=workspace)
    asked: list[Sequence[Path]] = []
    watched = FolderSource.watched

    def watched_late(self: FolderSource) -> Sequence[Path]:
        if len(asked) == 1:
            deep.mkdir(parents=True)
            (deep / "one.md").write_text("# Do one\n")
        asked.append(watched(self))
        return asked[-1]

    monkeypatch.setattr(FolderSource, "watched", watched_late)
    async with dispatching(fleet) as (_, record):
        await record.wait(lambda event: event.event == "task.landed")
    assert asked[:2] == [[tmp_path], [deep]]


async def test_a_bad_spec_is_told_of_once_and_taken_once_it_is_mended(tmp_path: Path) -> None:
    fleet = await fleet_with_specs(tmp_path, "good")
    (folder_of(fleet) / "bad.md").write_text("+++\ntitle = \n+++\n")
    record = await until_idle(fleet)
    [refused] = record.named("offer.refused")
    assert refused.data["key"].endswith("specs/bad.md")
    assert "line 2: bad TOML" in refused.data["error"]
    assert "mend the head" in refused.data["error"]
    again = await until_idle(fleet)
    assert again.named("offer.refused") == []
    put(fleet, "bad")
    mended = await until_idle(fleet)
    assert [event.task for event in mended.named("task.landed")] == ["bad"]


async def test_an_id_that_is_taken_is_told_of_and_stops_nobody(tmp_path: Path) -> None:
    fleet = await fleet_with_specs(tmp_path, "one", "two")
    fleet.add("Mine", id="one")
    record = await until_idle(fleet)
    [refused] = record.named("offer.refused")
    assert "the id one is taken" in refused.data["error"]
    assert sorted(fleet.landed()) == ["Do two", "Mine"]


async def test_what_others_depend_on_comes_first_though_only_few_may_wait(tmp_path: Path) -> None:
    fleet = await fleet_with_specs(tmp_path, refill="[refill]\nto = 1\nat = 1\n")
    put(fleet, "a", head='+++\ndepends_on = ["z"]\npriority = 1\n+++\n')
    put(fleet, "b", "z")
    await until_idle(fleet)
    assert fleet.landed() == ["Do b", "Do a", "Do z"]  # the newest first


async def test_nothing_is_taken_while_the_fleet_is_frozen(tmp_path: Path) -> None:
    fleet = await fleet_with_specs(tmp_path, "one")
    (fleet.root / "control").mkdir(exist_ok=True)
    (fleet.root / "control" / "freeze").touch()
    record = await until_idle(fleet)
    assert record.named("task.offered") == []
    assert tasks(fleet) == []


async def test_a_workspace_with_a_wrong_source_says_what_is_wrong_and_where(tmp_path: Path) -> None:
    workspace = '[[sources]]\nkind = "folder"\npath = "a"\n[[sources]]\nkind = "folder"\npth = "b"\n'
    fleet = await make_fleet(tmp_path, settings=SETTINGS, workspace=workspace)
    async with dispatching(fleet) as (_, record):
        refused = await record.wait(lambda event: event.event == "workspace.refused")
    assert f"{fleet.paths.toml}:5: `sources.path` is missing" in refused.data["error"]
    assert "line 7: unknown key `sources.pth`; the nearest is `sources.path`" in refused.data["error"]


# -- a remote ----------------------------------------------------------------------------------------------------------


async def test_a_remote_is_told_how_each_task_ended(tmp_path: Path) -> None:
    fleet, remote = await fleet_with_remote(tmp_path, "r#1")
    await until_idle(fleet)
    [told] = remote.told["r#1"]
    assert told.landed
    assert told.message == "landed on release/omni"
    assert told.commit


async def test_a_remote_that_could_not_be_told_is_told_by_the_next_start(tmp_path: Path) -> None:
    fleet, remote = await fleet_with_remote(tmp_path, "r#1")
    fleet.agent(WAITS)
    async with dispatching(fleet) as (_, record):
        await record.wait(lambda event: event.event == "attempt.started")
        remote.failure = SourceError("it is gone", retry_after=3600.0)
        assert (await ask(fleet, record, RequestKind.KILL, "app/0001")).ok
        failed = await record.wait(
            lambda event: event.event == "source.failed" and "telling of r#1" in event.data["error"]
        )
        assert failed.data["until"] > failed.time + 3500
    assert remote.told == {}
    remote.failure = None
    await until_idle(fleet)
    assert [(told.landed, told.message) for told in remote.told["r#1"]] == [(False, "killed by a person")]
    fleet.agent(GOOD)
    async with dispatching(fleet) as (_, record):
        assert (await ask(fleet, record, RequestKind.REDISPATCH, "app/0001")).ok
        await record.wait(lambda event: event.event == "task.landed")
    await until_idle(fleet)
    assert [told.landed for told in remote.told["r#1"]] == [False, True]


async def test_two_workspaces_ask_one_remote_once_and_share_what_it_offers(tmp_path: Path) -> None:
    fleet, remote = await fleet_with_remote(
        tmp_path, "r#1", "r#2", refill=HURRY.replace("0.005", "60").replace("0.01", "60")
    )
    other = fleet.fleet.paths.workspace("other")
    shutil.copytree(fleet.paths.root, other.root)
    record = await until_idle(fleet)
    assert len(remote.polls) == 1
    offered = record.named("task.offered")
    assert sorted(event.data["key"] for event in offered) == ["r#1", "r#2"]


async def test_a_remote_is_left_alone_while_enough_waits(tmp_path: Path) -> None:
    fleet, remote = await fleet_with_remote(tmp_path, "r#1")
    fleet.agent(WAITS)
    for number in range(4):
        fleet.add(f"Mine {number}")
    async with dispatching(fleet) as (_, record):
        await record.wait(lambda event: event.event == "attempt.started")
        assert remote.polls == []


async def test_what_a_person_adds_meanwhile_counts(tmp_path: Path) -> None:
    fleet, remote = await fleet_with_remote(tmp_path, "r#1", "r#2", "r#3")
    fleet.agent(WAITS)
    offered = remote.offers

    class Slow(dict[str, Offer]):
        """While it answers, a person adds tasks."""

        def values(self) -> ValuesView[Offer]:  # type: ignore[override]
            for number in range(3):
                fleet.add(f"Mine {number}")
            return offered.values()

    remote.offers = Slow()
    async with dispatching(fleet) as (_, record):
        await record.wait(lambda event: event.event == "attempt.started")
        assert len(remote.polls) == 1
        assert record.named("task.offered") == []


async def test_a_restart_asks_no_sooner_and_remembers_what_was_offered(tmp_path: Path) -> None:
    slow = HURRY.replace("0.005", "60").replace("0.01", "60").replace("to = 3", "to = 1").replace("at = 2", "at = 1")
    fleet, remote = await fleet_with_remote(tmp_path, "r#1", "r#2", refill=slow)
    fleet.agent(WAITS)
    async with dispatching(fleet) as (_, record):
        await record.wait(lambda event: event.event == "task.offered" and event.data["key"] == "r#2")
    fleet.agent(GOOD)
    remote.put(Offer(key="r#3", title="Do r#3"))
    record = await until_idle(fleet)
    assert len(remote.polls) == 1
    assert fleet.landed() == ["Do r#2", "Do r#1"]
    [note] = read_state(fleet.root).sources
    assert note.next_at is not None
    assert note.next_at > record.events[-1].time + 3000


async def test_an_error_that_only_a_person_can_mend_waits_for_one(tmp_path: Path) -> None:
    fleet, remote = await fleet_with_remote(tmp_path, "r#1")
    remote.failure = SourceError("the token is not taken", fix="make another", person=True)
    async with dispatching(fleet) as (core, record):
        failed = await record.wait(lambda event: event.event == "source.failed")
        assert failed.data["until"] is None
        await record.wait(lambda event: event.event == "fleet.idle")
        assert len(remote.polls) == 1
        [note] = core.scheduler.state.sources
        assert "the token is not taken (make another)" in note.said
        assert note.next_at is None
        remote.failure = None
        assert (await ask(fleet, record, RequestKind.THAW)).ok
        await record.wait(lambda event: event.event == "task.landed")


# -- once, ever --------------------------------------------------------------------------------------------------------


class KilledError(BaseException):
    """The process is no more."""


@pytest.mark.parametrize("stem", ["", "named"], ids=["numbered", "named"])
async def test_killed_at_any_operation_an_offer_is_taken_once(tmp_path: Path, stem: str) -> None:
    """Every durable operation, before it and after it; then what a restart does."""
    [offered] = read_offers([Offer(key="r#1", title="Do it", stem=stem)])
    for fuse in range(1000):
        fleet = tmp_path / str(fuse)
        disk = DyingDisk(fuse, KilledError)
        taker, place, ledger = make_taker(fleet, disk)
        try:
            if taker.is_free(offered):
                taker.take(offered, "memory", place)
        except KilledError:
            pass
        taker, place, ledger = make_taker(fleet)
        for entry in [entry for entry in ledger.entries.values() if entry.stage is Stage.TAKING]:
            taker.finish(entry, place)
        if taker.is_free(offered):
            assert taker.take(offered, "memory", place)
        files = [path for status in Status for path in place.queue.files(status)]
        assert [place.queue.read(path).source for path in files] == ["r#1"], fuse
        assert ledger.entries["r#1"].stage is Stage.TAKEN
        assert not taker.is_free(offered)
        if not disk.died:
            assert fuse > 10
            return
    raise AssertionError("it died every time")


async def test_killed_for_real_while_it_refills_it_goes_on_and_makes_no_second_file(tmp_path: Path) -> None:
    names = ("one", "two", "three")
    whole = dispatch(await fleet_with_specs(tmp_path / "whole", *names))
    assert whole.returncode == 0, whole.stderr
    points = whole.stdout.splitlines()
    taking = [number for number, point in enumerate(points, 1) if "taken.jsonl" in point or "-do-" in point]
    assert len(taking) > 10
    for point in taking[:: max(1, len(taking) // 4)]:
        fleet = await fleet_with_specs(tmp_path / str(point), *names)
        assert dispatch(fleet, str(point)).returncode == -signal.SIGKILL
        await until_idle(fleet)
        assert sorted(fleet.landed()) == ["Do one", "Do three", "Do two"], points[point - 1]
        assert sorted(task.source or "" for task in tasks(fleet)) == sorted(
            f"folder:{folder_of(fleet)}/{name}.md" for name in names
        )
        assert [path.name for path in FleetPaths(fleet.root).sources.iterdir()] == ["taken.jsonl"]


async def test_the_disk_fails_while_it_refills_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omni_tui.engine.refill.AGAIN_SECONDS", 0.2)
    failures = iter([OSError(28, "No space left on device")])
    finished = Taker._taken

    def fail_once(self: Taker, *arguments: object) -> None:
        for error in failures:
            raise error
        finished(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Taker, "_taken", fail_once)
    fleet = await fleet_with_specs(tmp_path, "one", "two")
    record = await until_idle(fleet)
    assert len([event for event in record.named("core.fault") if "refilling" in event.data["where"]]) == 1
    assert sorted(fleet.landed()) == ["Do one", "Do two"]
