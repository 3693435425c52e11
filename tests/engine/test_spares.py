"""Spares under a running core: one a slot, made again while agents work, moved with the tip, given up when told to."""

from __future__ import annotations

from pathlib import Path

from omni_tui.plugins.checkouts import read_record
from tests.support.fleets import AGENT, QUICK, TestFleet, git, make_fleet
from tests.support.running import dispatching
from tests.support.waiting import wait_for_async

TWO_SLOTS = "[scheduler]\nslots = 2\n"


def bases(fleet: TestFleet) -> list[str]:
    """Return the commits that the complete spares are at."""
    records = (read_record(path) for path in fleet.paths.worktrees.glob(".spare-*"))
    return [record.base for record in records if record is not None]


def tip(fleet: TestFleet) -> str:
    return git(fleet.paths.repo, "rev-parse", "release/omni")


async def test_each_slot_has_a_spare_again_while_an_agent_works(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=f"{TWO_SLOTS}\n[limits]\nkill_grace_seconds = 0.2\n")
    fleet.agent(AGENT + "say accepted\nsleep 60\n")
    async with dispatching(fleet) as (_, record):
        await wait_for_async(lambda: len(bases(fleet)) == 2, "two spares")
        made = {path.stat().st_ino for path in fleet.paths.worktrees.glob(".spare-*")}
        fleet.add("Long")
        await record.wait(lambda event: event.event == "attempt.started")
        [checkout] = [path for path in fleet.paths.worktrees.iterdir() if not path.name.startswith(".")]
        assert checkout.stat().st_ino in made, "the start took a spare"
        await wait_for_async(lambda: len(bases(fleet)) == 2, "two spares again, while the agent works")


async def test_spares_follow_the_tip_and_the_settings(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=QUICK + TWO_SLOTS)
    async with dispatching(fleet) as (_, record):
        first = git(fleet.paths.repo, "rev-parse", "main")
        fleet.add("Move on")
        await record.wait(lambda event: event.event == "task.landed")
        assert tip(fleet) != first
        await wait_for_async(lambda: bases(fleet) == [tip(fleet)] * 2, "both are at the new tip")
        (fleet.root / "config.toml").write_text(f"{QUICK}\n[scheduler]\nslots = 1\n")
        await wait_for_async(lambda: len(bases(fleet)) == 1, "one slot needs one")
        (fleet.root / "config.toml").write_text(f"{QUICK}\n[scheduler]\nspares = false\n")
        await wait_for_async(lambda: bases(fleet) == [], "none are wanted")
