"""A crash between a task's last move and the journal's line of it: the next start tells, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from omni_tui.model.event import Event
from omni_tui.narration import narrate
from omni_tui.policy.night import look_back
from omni_tui.store.journal import read_events
from omni_tui.store.reader import FleetReader
from tests.support.fleets import AGENT, TestFleet, git, make_fleet
from tests.support.running import until_idle


def forget_from(fleet: TestFleet, name: str) -> Event:
    """Let the journal end before the event of that name, as a crash does; return the event."""
    [path] = fleet.fleet.paths.journal.iterdir()
    lines = path.read_bytes().splitlines(keepends=True)
    [at] = [number for number, line in enumerate(lines) if f'"{name}"'.encode() in line]
    event = next(each for each in read_events(fleet.fleet.paths.journal) if each.event == name)
    path.write_bytes(b"".join(lines[:at]))
    return event


async def test_landing_is_told_by_the_next_start(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path)
    task = fleet.add("Landed")
    await until_idle(fleet)
    lost = forget_from(fleet, "task.landed")
    [found] = (await until_idle(fleet)).named("task.landed")
    assert (found.task, found.data["commit"]) == (task.id, lost.data["commit"])
    assert found.data["commit"] == git(fleet.paths.repo, "rev-parse", "release/omni")
    assert narrate(found).endswith("(before the last crash)")
    reader = FleetReader(fleet.fleet.paths, fleet.fleet.clock.now)
    [landed] = look_back(list(read_events(fleet.fleet.paths.journal)), reader.read(), since=0.0).landed
    assert landed.at <= lost.time, "when it landed, not when that was found"
    assert "Landed" in fleet.fleet.paths.handoff.read_text()
    assert (await until_idle(fleet)).named("task.landed") == []


async def test_block_is_told_by_the_next_start(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path)
    fleet.agent(AGENT + "say accepted; exit 3")
    fleet.add("Blocked")
    await until_idle(fleet)
    lost = forget_from(fleet, "task.blocked")
    [found] = (await until_idle(fleet)).named("task.blocked")
    assert found.data == {"reason": lost.data["reason"], "found_later": True}
    assert (await until_idle(fleet)).named("task.blocked") == []


@pytest.mark.parametrize("folder", ["done", "blocked"])
async def test_what_a_hand_has_put_away_meanwhile_is_not_told_as_ours(tmp_path: Path, folder: str) -> None:
    fleet = await make_fleet(tmp_path)
    fleet.agent(AGENT + "say accepted; exit 3")
    fleet.add("By hand")
    await until_idle(fleet)
    forget_from(fleet, "task.blocked")
    [file] = fleet.paths.root.glob("queue/blocked/0001*[!e].md")
    file.with_name(f"{file.stem}.note.md").unlink()
    file.rename(fleet.paths.root / "queue" / folder / file.name)
    events = (await until_idle(fleet)).events
    assert [event.event for event in events if event.event in ("task.landed", "task.blocked", "core.fault")] == []
