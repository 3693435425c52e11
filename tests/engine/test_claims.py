"""A disk that fails while a task is claimed or put away: nothing is done twice, and the others go on."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from omni_tui.engine import doing
from omni_tui.fleet import Fleet
from omni_tui.model.task import Status
from tests.support.disks import UnsureDisk
from tests.support.fleets import AGENT, GOOD, QUICK, make_fleet
from tests.support.leftovers import nothing_left
from tests.support.running import until_idle


@pytest.mark.parametrize("renames", [True, False], ids=["after the rename", "at the rename"])
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
async def test_failed_claim_is_told_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int, renames: bool
) -> None:
    monkeypatch.setattr(doing, "AGAIN_SECONDS", 0.5)
    fleet = await make_fleet(tmp_path)
    fleet.fleet = Fleet(fleet.root, disk=UnsureDisk(fleet.paths.queue(Status.DOING), error, renames=renames))
    first, second = fleet.add("First"), fleet.add("Second")
    record = await until_idle(fleet)
    [fault] = record.named("core.fault")
    assert fault.data["where"] == f"taking up {first.id}-first.md"
    assert sorted(event.task for event in record.named("attempt.started")) == [first.id, second.id]
    assert sorted(fleet.landed()) == ["First", "Second"]
    assert record.named("core.stopped")[0].data["reason"] == "idle: nothing runs and nothing can start"
    await nothing_left(fleet)


@pytest.mark.parametrize("agent", [GOOD, AGENT], ids=["landed", "blocked"])
async def test_what_was_put_away_before_its_disk_failed_counts_as_that(tmp_path: Path, agent: str) -> None:
    landed = agent == GOOD
    fleet = await make_fleet(tmp_path, settings=QUICK + "attempts = 1\n")
    fleet.agent(agent)
    status = Status.DONE if landed else Status.BLOCKED
    disk = UnsureDisk(fleet.paths.queue(status), errno.EIO, renames=True)
    fleet.fleet = Fleet(fleet.root, disk=disk)
    task = fleet.add("Once")
    record = await until_idle(fleet)
    found = fleet.queue.find(task.id)
    assert found is not None
    assert found[0] is status
    assert len(record.named(f"task.{'landed' if landed else 'blocked'}")) == 1
    assert not record.named(f"task.{'blocked' if landed else 'landed'}") + record.named("task.withdrawn")
    [fault] = record.named("core.fault")
    assert fault.data["where"] == f"moving {task.ref} to {status}/"
