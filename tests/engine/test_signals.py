"""What agents write to their events file, however wrong, and what they leave running: judged right, and all gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from omni_tui.engine.clock import SystemClock
from omni_tui.model.task import Status
from omni_tui.narration import narrate
from tests.support.fleets import AGENT, QUICK, TestFleet, make_fleet
from tests.support.leftovers import nothing_left
from tests.support.running import dispatching, until_idle

WORK = 'echo x > x.txt; commit "work"\n'
SETTINGS = QUICK.replace("0.05", "0.1")

LANDS = {
    "garbage": 'head -c 100000 /dev/urandom >> "$OMNI_EVENTS"; echo >> "$OMNI_EVENTS"; say accepted\n'
    + WORK
    + "say finished\nsleep 60\n",
    "huge line": 'say accepted\nhead -c 5000000 /dev/zero | tr "\\0" x >> "$OMNI_EVENTS"; echo >> "$OMNI_EVENTS"\n'
    + WORK
    + "say finished\nsleep 60\n",
    "wrong JSON": 'echo \'[1,{}]\' >> "$OMNI_EVENTS"; echo \'{"event":7}\' >> "$OMNI_EVENTS"; say accepted\n'
    + WORK
    + "say finished\nsleep 60\n",
    "accepted twice": "say accepted\nsay accepted\n" + WORK + "say finished\nsleep 60\n",
    "finished before accepted": "say finished\nsay accepted\n" + WORK + "exit 0\n",
    "more after the finish": "say accepted\n"
    + WORK
    + 'printf \'{"event":"finished"}\\n{"event":"activity"}\\n{"event":"waiting"}\\n\' >> "$OMNI_EVENTS"\nsleep 60\n',
    "file replaced": 'say accepted\nsleep 0.3\nmv "$OMNI_EVENTS" "$OMNI_EVENTS.old"\n'
    + WORK
    + "say finished\nsleep 60\n",
    "file deleted": 'say accepted\nsleep 0.3\nrm "$OMNI_EVENTS"\n' + WORK + "exit 0\n",
    "a pipe instead": 'say accepted\nsleep 0.3\nrm "$OMNI_EVENTS"; mkfifo "$OMNI_EVENTS"\n' + WORK + "exit 0\n",
    "a directory instead": 'say accepted\nsleep 0.3\nrm "$OMNI_EVENTS"; mkdir "$OMNI_EVENTS"\n' + WORK + "exit 0\n",
    "a link to an endless file": 'say accepted\nsleep 0.3\nln -sf /dev/zero "$OMNI_EVENTS"\n' + WORK + "exit 0\n",
    "no last newline": "say accepted\n" + WORK + 'printf \'{"event":"activity"\' >> "$OMNI_EVENTS"\nexit 0\n',
    "a flood": 'say accepted\nyes \'{"event":"activity"}\' | head -n 60000 >> "$OMNI_EVENTS"\n'
    + WORK
    + "say finished\nsleep 60\n",
    "children in other sessions": "say accepted\n"
    + WORK
    + "setsid sleep 300 &\n(setsid setsid sleep 300 &)\nsay finished\nexit 0\n",
    "deaf to polite words": "trap '' TERM HUP INT\nsay accepted\n" + WORK + "say finished\nwhile :; do sleep 1; done\n",
}


@pytest.fixture
async def fleet(tmp_path: Path) -> TestFleet:
    return await make_fleet(tmp_path, settings=SETTINGS)


@pytest.mark.parametrize("script", LANDS.values(), ids=LANDS.keys())
async def test_lands_whatever_it_writes(fleet: TestFleet, script: str) -> None:
    fleet.agent(AGENT + script)
    task = fleet.add("Odd")
    record = await until_idle(fleet)
    assert fleet.landed() == ["Odd"], fleet.queue.note(task.id)
    assert len(record.named("attempt.started")) == 1
    assert record.named("core.fault") == []
    await nothing_left(fleet)


async def test_waiting_for_ever_is_told_as_such(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=QUICK + "attempts = 1\n")
    fleet.agent(
        AGENT + 'say accepted\nprintf \'{"event":"waiting","detail":"may I?"}\\n\' >> "$OMNI_EVENTS"\nsleep 100\n'
    )
    task = fleet.add("Asks", priority=1)
    record = await until_idle(fleet)
    assert {event.data["kind"] for event in record.named("attempt.failed")} == {"waiting"}
    assert "nobody answered" in fleet.queue.note(task.id)
    assert "may I?" in fleet.queue.note(task.id)
    assert fleet.queue.find(task.id)[0] is Status.BLOCKED  # type: ignore[index]


async def test_detail_stays_one_clean_line(fleet: TestFleet) -> None:
    evil = r"one\ntwo\u001b]52;c;x\u0007\u202e" + "y" * 20_000
    fleet.agent(
        AGENT
        + f'printf \'%s\\n\' \'{{"event":"accepted","detail":"{evil}"}}\' >> "$OMNI_EVENTS"\n'
        + WORK
        + "say finished\n"
    )
    fleet.add("Title \x1b[31m red\x9b \u202e turned " + "long " * 50)
    record = await until_idle(fleet)
    for event in record.events:
        line = narrate(event)
        assert line.isprintable(), line
    for file in fleet.fleet.paths.journal.iterdir():
        for entry in file.read_bytes().split(b"\n"):
            assert len(entry) < 8000
            assert b"\x1b" not in entry
    assert len(fleet.landed()) == 1


class JumpingClock(SystemClock):
    """A wall clock that somebody sets, forward or back, once the agent is at work."""

    jump = 0.0

    def now(self) -> float:
        return super().now() + self.jump


@pytest.mark.parametrize("jump", [-7200.0, 7200.0], ids=["back", "forward"])
async def test_a_wall_clock_that_is_set_ends_nobody(fleet: TestFleet, jump: float) -> None:
    clock = JumpingClock()
    fleet.fleet.clock = clock
    fleet.agent(AGENT + "say accepted\nsleep 1\nsay activity\nsleep 1\n" + WORK + "say finished\nsleep 60\n")
    fleet.add("Patient")
    async with dispatching(fleet) as (_, record):
        await record.wait(lambda event: event.data.get("phase") == "watch")
        clock.jump = jump
        await record.wait(lambda event: event.event == "task.landed")
        assert record.named("attempt.failed") == []
