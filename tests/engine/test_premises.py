"""Flags and texts while the core runs: what they hold, and that a change counts at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from omni_tui import flags
from omni_tui.model.task import Status
from omni_tui.store.state import read_state
from tests.support.fleets import AGENT, QUICK, TestFleet, make_fleet
from tests.support.running import dispatching, reasons, until_idle

OFF = '[snapshot_read]\nstate = "off"\nby = "kari"\n'


@pytest.fixture
async def fleet(tmp_path: Path) -> TestFleet:
    return await make_fleet(tmp_path, settings=QUICK.replace("0.05", "1"))


def holds(fleet: TestFleet) -> dict[str, str]:
    return reasons(read_state(fleet.root))


async def test_a_wave_behind_a_flag_waits_and_starts_the_moment_it_is_flipped(fleet: TestFleet) -> None:
    fleet.paths.flags.write_text(OFF)
    foundation = fleet.add("Foundation", provides_flags=("snapshot_read",))
    behind = fleet.add("Reader", requires_flags=("snapshot_read=on",), depends_on=(foundation.id,))
    after = fleet.add("After it", depends_on=(behind.id,))
    async with dispatching(fleet) as (_, record):
        await record.wait(lambda event: event.event == "task.landed" and event.task == foundation.id)
        await record.wait(lambda event: event.event == "fleet.idle")
        assert fleet.landed() == ["Foundation"]
        waits = holds(fleet)
        assert waits[str(behind.ref)].startswith("needs the flag `snapshot_read` to be on, it is off; kari flips it")
        assert f"in the end {behind.ref} needs the flag `snapshot_read`" in waits[str(after.ref)]
        flags.set_flag(fleet.paths.flags, "snapshot_read", "on", None, fleet.fleet.clock.now())
        taken = await record.wait(lambda event: event.event == "flags.taken")
        assert taken.data["changes"] == ["snapshot_read off → on"]
        await record.wait(lambda event: event.event == "task.landed" and event.task == after.id)
    assert fleet.landed() == ["After it", "Reader", "Foundation"]


async def test_a_task_that_stubs_the_flag_does_not_wait(fleet: TestFleet) -> None:
    fleet.paths.flags.write_text(OFF)
    fleet.add("Reader", requires_flags=("snapshot_read",), stubs_flags=("snapshot_read",))
    await until_idle(fleet)
    assert fleet.landed() == ["Reader"]


async def test_a_flag_flipped_back_while_its_task_runs_holds_the_next_attempt(fleet: TestFleet, tmp_path: Path) -> None:
    go = tmp_path / "go"
    fleet.agent(f"{AGENT}say accepted\nuntil [ -e {go} ]; do sleep 0.05; done\n")
    fleet.paths.flags.write_text('[search]\nstate = "on"\n')
    task = fleet.add("Searches", requires_flags=("search",))
    async with dispatching(fleet) as (_, record):
        await record.wait(lambda event: event.data.get("phase") == "watch")
        fleet.paths.flags.write_text('[search]\nstate = "off"\n')
        await record.wait(lambda event: event.event == "flags.taken")
        go.touch()
        await record.wait(lambda event: event.event == "task.requeued")
        await record.wait(lambda event: event.event == "fleet.idle")
        assert len(record.named("attempt.started")) == 1
        assert "`search` to be on, it is off" in holds(fleet)[str(task.ref)]


async def test_a_mistake_is_named_and_the_last_good_state_stays_in_force(fleet: TestFleet) -> None:
    fleet.paths.flags.write_text('[search]\nstate = "on"\n')
    async with dispatching(fleet) as (_, record):
        await record.wait(lambda event: event.event == "fleet.idle")
        fleet.paths.flags.write_text('[search]\nstat = "on"\n')
        refused = await record.wait(lambda event: event.event == "flags.refused")
        assert "flags.toml:1: `search.state` is missing" in refused.data["error"]
        assert "line 2: unknown key `search.stat`; the nearest is `search.state`" in refused.data["error"]
        assert "last good flags of app" in read_state(fleet.root).message
        task = fleet.add("Searches", requires_flags=("search",))
        other = fleet.add("Other", requires_flags=("other",))
        await record.wait(lambda event: event.event == "task.landed" and event.task == task.id)
        assert "its flags cannot be read" in holds(fleet)[str(other.ref)]
        fleet.paths.flags.write_text('[search]\nstate = "on"\n[other]\nstate = "on"\n')
        await record.wait(lambda event: event.event == "task.landed" and event.task == other.id)
        assert read_state(fleet.root).message == ""


async def test_a_text_with_a_secret_is_not_started_until_it_is_mended(fleet: TestFleet) -> None:
    task = fleet.add("Log in", body="Use\n\nAKIAIOSFODNN7EXAMPLE.")
    async with dispatching(fleet) as (_, record):
        await record.wait(lambda event: event.event == "fleet.idle")
        reason = holds(fleet)[str(task.ref)]
        assert reason.startswith("refused as it is written: line 8: holds a secret (AWS Access Key)")
        assert "AKIA" not in reason
        [file] = fleet.queue.files(Status.TODO)
        assert file.read_text().splitlines()[7].startswith("AKIA")
        file.write_text(file.read_text().replace("AKIAIOSFODNN7EXAMPLE", "$AWS_KEY"))
        await record.wait(lambda event: event.event == "task.landed")


async def test_settings_refuse_what_they_say_and_a_change_of_them_counts_at_once(tmp_path: Path) -> None:
    levels = '[lint]\nexists = "refuse"\nendless = "refuse"\nflag = "refuse"\n'
    fleet = await make_fleet(tmp_path, settings=QUICK.replace("0.05", "1") + levels)
    there = fleet.add("Add `run` to `src/app.py`")
    endless = fleet.add("More coverage")
    unknown = fleet.add("Fine", stubs_flags=("nowhere",))
    fleet.add("Plain")
    async with dispatching(fleet) as (_, record):
        await record.wait(lambda event: event.event == "fleet.idle")
        assert fleet.landed() == ["Plain"]
        assert '"add" of `run`, which is defined in src/app.py:1' in holds(fleet)[str(there.ref)]
        assert "`More coverage` has no end" in holds(fleet)[str(endless.ref)]
        assert "stubs_flags names `nowhere`" in holds(fleet)[str(unknown.ref)]
        config = fleet.root / "config.toml"
        config.write_text(config.read_text().replace(levels, '[lint]\nexists = "refuse"\n'))
        await record.wait(lambda event: event.event == "task.landed" and event.task == endless.id)
        await record.wait(lambda event: event.event == "task.landed" and event.task == unknown.id)
        flags.set_flag(fleet.paths.flags, "any", "on", None, fleet.fleet.clock.now())
        await record.wait(lambda event: event.event == "flags.taken")
        assert list(holds(fleet)) == [str(there.ref)]


async def test_what_landed_meanwhile_is_defined_from_then_on(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=QUICK.replace("0.05", "1") + '[lint]\nexists = "refuse"\n')
    fleet.agent(
        '#!/bin/sh\nset -e\nprintf \'{"event": "accepted"}\\n\' >> "$OMNI_EVENTS"\n'
        "printf 'def parse_date():\\n    pass\\n' > src/dates.py\ngit add -A\ngit commit -qm dates\n"
    )
    fleet.add("Add `parse_date` to `src/dates.py`")
    second = fleet.add("Add `parse_date` to `src/dates.py` again")
    await until_idle(fleet)
    assert fleet.landed() == ["Add `parse_date` to `src/dates.py`"]
    assert "which is defined in src/dates.py:1" in holds(fleet)[str(second.ref)]
    assert "which is defined in src/dates.py:1" in (fleet.root / "HANDOFF.md").read_text()
