"""What ends an attempt and what does not: silence, work without a word, circles, floods, a full disk; real agents."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from omni_tui.engine import loadkeeper, supervisor, warden
from omni_tui.engine.attempt import Attempt
from omni_tui.engine.launching import Launched
from omni_tui.engine.salvage import Salvage
from omni_tui.engine.tail import Tail
from omni_tui.model.load import Sample
from omni_tui.model.request import RequestKind
from omni_tui.model.signal import Health, Signal
from omni_tui.model.space import Space
from omni_tui.model.task import Status
from omni_tui.plugins.agent.command import CommandAgent
from omni_tui.plugins.agent.protocol import Assignment
from omni_tui.plugins.workspace.protocol import Worktree
from tests.support.fleets import AGENT, GOOD, make_fleet
from tests.support.leftovers import nothing_left
from tests.support.running import PATIENCE, Record, ask, dispatching, reasons, until_idle
from tests.support.waiting import wait_for_async

ONCE = "[limits]\nattempts = 1\nkill_grace_seconds = 0.2\nwall_minutes = 1\n"
IMPATIENT = ONCE + "stall_minutes = 0.02\n"
"""1.2 s of silence, and a second opinion that takes 0.12 s."""


def failure(record: Record) -> tuple[str, str]:
    [event] = record.named("attempt.failed")
    return event.data["kind"], event.data["message"]


async def test_silence_ends_an_agent_whose_processes_rest(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=IMPATIENT)
    fleet.agent(AGENT + "say accepted\nsleep 50\n")
    fleet.add("Sleeps")
    kind, message = failure(await until_idle(fleet))
    assert kind == "stalled"
    assert "its last signal was thinking, and its processes used 0.0 s of CPU" in message
    assert "its screen stood still" in message
    await nothing_left(fleet)


@pytest.mark.parametrize(
    "work",
    [
        pytest.param("timeout 3 sh -c 'while :; do :; done'", id="computes"),
        pytest.param("for i in $(seq 60); do echo $i; sleep 0.05; done", id="prints"),
        pytest.param("setsid timeout 3 sh -c 'while :; do :; done' & wait", id="computes in another session"),
    ],
)
@pytest.mark.parametrize("runtime", ["tmux", "process"])
async def test_silence_does_not_end_an_agent_that_works(tmp_path: Path, work: str, runtime: str) -> None:
    fleet = await make_fleet(tmp_path, settings=IMPATIENT, runtime=runtime)
    fleet.agent(AGENT + f"say accepted\n{work}\necho x > x.txt; commit work\nsay finished\n")
    fleet.add("Works without a word")
    record = await until_idle(fleet)
    assert record.named("attempt.failed") == []
    assert fleet.landed() == ["Works without a word"]


async def test_work_without_a_word_is_borne_for_tool_minutes_and_no_more(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=IMPATIENT + "tool_minutes = 0.03\n")
    fleet.agent(AGENT + "say accepted\nwhile :; do :; done\n")
    fleet.add("Spins")
    record = await until_idle(fleet)
    kind, message = failure(record)
    assert kind == "stalled"
    assert "its processes used" in message
    told = [event.time for event in (*record.named("attempt.started"), *record.named("attempt.failed"))]
    assert told[1] - told[0] >= 3.0, "1.2 s of silence, and 1.8 s for which its work was a sign of life"


async def test_reminders_of_a_question_do_not_make_it_younger(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=IMPATIENT)
    fleet.agent(AGENT + "say accepted\nwhile :; do say waiting; sleep 0.3; done\n")
    fleet.add("Asks and asks")
    kind, message = failure(await until_idle(fleet))
    assert kind == "waiting"
    assert "nobody answered within 0.02 minutes" in message


async def test_a_question_that_is_answered_is_none_any_more(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=IMPATIENT)
    asks = "for i in 1 2 3; do say waiting; sleep 0.8; say activity; sleep 0.1; done\n"
    fleet.agent(AGENT + "say accepted\n" + asks + "echo x > x.txt; commit work\nsay finished\n")
    fleet.add("Asks three times")
    assert (await until_idle(fleet)).named("attempt.failed") == []


async def test_small_commits_to_the_same_file_without_end_are_a_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "COMMIT_LOOK_SECONDS", 0.2)
    fleet = await make_fleet(tmp_path, settings=ONCE + "loop_commits = 6\n")
    odder = 'while :; do echo "test $i" >> test.txt; commit "Test the odd case $i"; say activity; i=$((i+1)); done\n'
    fleet.agent(AGENT + "say accepted\ni=0\n" + odder)
    task = fleet.add("Never satisfied")
    record = await until_idle(fleet)
    kind, message = failure(record)
    assert kind == "loop:commit"
    assert "its last 6 commits are small ones to the same files (test.txt), the last of them: Test the odd" in message
    assert record.named("attempt.failed")[0].attempt == 1
    assert fleet.queue.find(task.id)[0] is Status.BLOCKED  # type: ignore[index]


async def test_commits_that_get_somewhere_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "COMMIT_LOOK_SECONDS", 0.05)
    fleet = await make_fleet(tmp_path, settings=ONCE + "loop_commits = 3\n")
    steps = 'for i in 1 2 3 4 5 6; do echo x > "$i.txt"; commit "Step $i"; say activity; sleep 0.1; done\n'
    fleet.agent(AGENT + "say accepted\n" + steps + "say finished\n")
    fleet.add("Step by step")
    record = await until_idle(fleet)
    assert record.named("attempt.failed") == []
    assert fleet.landed() == ["Step by step"]


async def test_a_flood_of_signals_is_ended(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=ONCE + "output_mb = 3\n")
    fleet.agent(AGENT + 'say accepted\nyes \'{"event": "activity"}\' >> "$OMNI_EVENTS"\n')
    fleet.add("Floods")
    kind, message = failure(await until_idle(fleet))
    assert (kind, message) == ("flood", "it wrote more output than the 3 MB that it may")
    await nothing_left(fleet)


@pytest.mark.parametrize("runtime", ["process", "tmux"])
async def test_a_flood_on_the_terminal_is_ended_at_the_next_round(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime: str
) -> None:
    monkeypatch.setattr(warden, "ROUND_SECONDS", 0.3)
    fleet = await make_fleet(tmp_path, settings=ONCE + "output_mb = 3\n", runtime=runtime)
    fleet.agent(AGENT + "say accepted\nyes\n")
    fleet.add("Floods")
    kind, _ = failure(await until_idle(fleet))
    assert kind == "flood"
    await nothing_left(fleet)


async def test_the_budget_is_the_task_s_over_all_its_attempts(tmp_path: Path) -> None:
    """The first attempt ends by itself within it, without a change; what it used counts against the second."""
    fleet = await make_fleet(tmp_path, settings=ONCE.replace("attempts = 1", "attempts = 9") + "usd = 1.0\n")
    spends = 'printf \'{"event":"activity","usd":0.6,"tokens":50}\\n\' >> "$OMNI_EVENTS"\n'
    fleet.agent(AGENT + "say accepted\n" + spends + '[ "$OMNI_ATTEMPT" = 2 ] && sleep 50\nexit 0\n')
    task = fleet.add("Expensive")
    record = await until_idle(fleet)
    assert [event.data["kind"] for event in record.named("attempt.failed")] == ["gate:no_commit", "budget"]
    assert (
        record.named("attempt.failed")[1].data["message"]
        == "the task has used 1.20 USD; 1.00 are allowed by limits.usd in config.toml"
    )
    used = [(event.data["turns"], event.data["tokens"], event.data["usd"]) for event in record.named("attempt.usage")]
    assert used == [(0, 50, 0.6)] * 2
    assert fleet.queue.find(task.id)[0] is Status.BLOCKED  # type: ignore[index]


async def test_a_night_s_budget_counts_what_is_spent_by_who_still_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "USE_SECONDS", 0.0)
    fleet = await make_fleet(tmp_path, settings=ONCE + "[night]\nusd = 1.0\n[scheduler]\nslots = 1\n")
    spends = 'printf \'{"event":"activity","usd":1.6}\\n\' >> "$OMNI_EVENTS"\n'
    fleet.agent(AGENT + "say accepted\n" + spends + "sleep 50\n")
    fleet.add("Expensive")
    fleet.add("Waits")
    async with dispatching(fleet) as (_, record):
        stopped = await record.wait(lambda event: event.event == "fleet.stopped")
        assert stopped.data["reason"] == "the budget is spent: 1.60 of 1 US dollars"
        assert not record.named("attempt.failed")


async def test_reading_what_a_flood_of_events_left_does_not_hold_up_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn, reads, lines = 0, Counter[int](), Tail.lines

    def noted(tail: Tail) -> list[bytes]:
        reads[turn] += tail.path.name == "events.jsonl"
        return lines(tail)

    async def count() -> None:
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    monkeypatch.setattr(Tail, "lines", noted)
    fleet = await make_fleet(tmp_path, settings=ONCE)
    flood = "head -c 8000000 /dev/zero | tr '\\0' x | fold -w 1000"
    fleet.agent(AGENT + f'{flood} > flood; say accepted; cat flood >> "$OMNI_EVENTS"; rm flood\n')
    fleet.add("Floods")
    counting = asyncio.ensure_future(count())
    await until_idle(fleet)
    counting.cancel()
    assert reads.total() > 7
    assert max(reads.values()) <= 2, "reads in one turn of the loop"


async def test_nothing_starts_on_a_full_disk_and_all_does_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loadkeeper, "SAMPLE_SECONDS", 0.05)
    monkeypatch.setattr("omni_tui.policy.room.DISK_SECONDS", 0.1)
    fleet = await make_fleet(tmp_path, settings=ONCE)
    fleet.agent(GOOD)
    task = fleet.add("Waits for room")
    free = Space(free_bytes=999, free_inodes_percent=50.0)
    fleet.fleet.load = lambda: Sample(space=free)  # type: ignore[method-assign]
    async with dispatching(fleet) as (core, record):
        low = await record.wait(lambda event: event.event == "disk.low")
        assert "0.00 GB free" in low.data["reason"]
        async with asyncio.timeout(PATIENCE):
            while reasons(core.scheduler.state).get(str(task.ref)) != low.data["reason"]:
                await asyncio.sleep(0.01)
        assert not core.scheduler.idle.is_set(), "or a run until idle would take it for done"
        free = Space(free_bytes=10**12, free_inodes_percent=50.0)
        await ask(fleet, record, RequestKind.THROTTLE)
        await record.wait(lambda event: event.event == "task.landed")
    assert len(record.named("disk.low")) == len(record.named("disk.enough")) == 1


async def test_a_disk_that_fills_up_while_agents_run_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loadkeeper, "SAMPLE_SECONDS", 0.1)
    fleet = await make_fleet(tmp_path, settings=ONCE)
    fleet.agent(AGENT + "say accepted\nwhile [ ! -e go ]; do sleep 0.05; done\necho x > x.txt; rm go; commit x\n")
    fleet.add("Works on")
    free = Space(free_bytes=10**12, free_inodes_percent=50.0)
    fleet.fleet.load = lambda: Sample(space=free)  # type: ignore[method-assign]
    async with dispatching(fleet) as (_, record):
        await record.wait(lambda event: event.event == "attempt.phase" and event.data["phase"] == "watch")
        free = Space(free_bytes=10**12, free_inodes_percent=0.5)
        low = await record.wait(lambda event: event.event == "disk.low")
        assert "0.5 % of its inodes" in low.data["reason"]
        [checkout] = fleet.paths.worktrees.glob("*-1")
        (checkout / "go").touch()
        await record.wait(lambda event: event.event == "task.landed")


async def test_the_warden_rests_while_nothing_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warden, "ROUND_SECONDS", 0.01)
    fleet = await make_fleet(tmp_path, settings=ONCE)
    fleet.add("Short")

    def on_duty() -> bool:
        return any(task.get_name() == "warden" for task in asyncio.all_tasks())

    async with dispatching(fleet) as (_, record):
        await record.wait(lambda event: event.event == "task.claimed")
        assert on_duty()
        await record.wait(lambda event: event.event == "fleet.idle")
        await wait_for_async(lambda: not on_duty(), "its last round")


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the harness `command` name a record of its session, as Claude Code does: `$OMNI_EVENTS.session`."""
    own = CommandAgent.read

    def read(self: CommandAgent, line: bytes, at: float) -> Signal | None:
        if line.startswith(b"session "):
            path = line.removeprefix(b"session ").decode()
            return Signal(health=Health.THINKING, source="events", at=at, detail="named it", session=path)
        if line.startswith(b"used "):
            return Signal(health=Health.IDLE, source="transcript", at=at, tokens=int(line.split()[1]))
        return own(self, line, at)

    monkeypatch.setattr(CommandAgent, "read", read)


NAMES_IT = AGENT + 'say accepted\necho "session $OMNI_EVENTS.session" >> "$OMNI_EVENTS"\n'


@pytest.mark.usefixtures("session")
async def test_a_session_that_grows_is_life(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=IMPATIENT)
    grows = 'for i in 1 2 3 4 5 6; do echo "used $i" >> "$OMNI_EVENTS.session"; sleep 0.6; done\n'
    fleet.agent(NAMES_IT + grows + "echo x > x.txt; commit work\nsay finished\n")
    fleet.add("Talks to its model for long")
    record = await until_idle(fleet)
    assert record.named("attempt.failed") == []
    assert fleet.landed() == ["Talks to its model for long"]
    [used] = record.named("attempt.usage")
    assert used.data["tokens"] == 6
    assert "idle" not in {event.data["health"] for event in record.named("attempt.signal")}, (
        "its events say what it does"
    )


@pytest.mark.usefixtures("session")
async def test_a_session_that_stands_still_agrees_with_silence(tmp_path: Path) -> None:
    """A spinner on the screen is no sign of life where there is a better witness."""
    fleet = await make_fleet(tmp_path, settings=IMPATIENT)
    fleet.agent(NAMES_IT + 'echo "used 1" >> "$OMNI_EVENTS.session"\nwhile :; do echo "Thinking…"; sleep 0.1; done\n')
    fleet.add("Spins")
    kind, message = failure(await until_idle(fleet))
    assert kind == "stalled"
    assert "its last signal was thinking, and the record of its session stood still: named it" in message


@pytest.mark.usefixtures("session")
async def test_every_session_counts_however_many_there_are(tmp_path: Path) -> None:
    """Sub-agents keep records of their own; those that were read along first make room for the later ones."""
    fleet = await make_fleet(tmp_path, settings=ONCE)
    first = 'echo "used 999" > "$OMNI_EVENTS.0"\n'
    names = "".join(f"session $OMNI_EVENTS.{number}\n" for number in range(supervisor.MOST_SESSIONS + 2))
    fleet.agent(AGENT + f'say accepted\n{first}echo "{names}" >> "$OMNI_EVENTS"\nsay finished\n')
    fleet.add("Delegates")
    [used] = (await until_idle(fleet)).named("attempt.usage")
    assert used.data["tokens"] == 999


@pytest.mark.usefixtures("session")
async def test_no_record_of_a_session_leads_to_another(tmp_path: Path) -> None:
    """It is the agent's to write, so it could lead from one to the next for ever."""
    fleet = await make_fleet(tmp_path, settings=ONCE)
    leads = 'printf "session $OMNI_EVENTS.2\nused 1\n" > "$OMNI_EVENTS.session"\n'
    leads += 'echo "used 999" > "$OMNI_EVENTS.2"\nsay accepted\n'
    fleet.agent(AGENT + leads + 'echo "session $OMNI_EVENTS.session" >> "$OMNI_EVENTS"\nsay finished\n')
    fleet.add("Leads on")
    [used] = (await until_idle(fleet)).named("attempt.usage")
    assert used.data["tokens"] == 1


@pytest.mark.usefixtures("session")
async def test_what_was_used_is_known_when_the_records_of_it_are_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash right after what an attempt kept was removed has its salvage done once more."""

    def forget(self: CommandAgent, assignment: Assignment) -> None:
        Path(f"{assignment.events}.session").unlink(missing_ok=True)
        assignment.events.write_bytes(b"")

    own = Attempt.salvage

    async def salvage(self: Attempt, worktree: Worktree, launched: Launched | None) -> Salvage:
        await own(self, worktree, launched)
        self._supervisor = None  # as a new process has none
        return await own(self, worktree, launched)

    monkeypatch.setattr(CommandAgent, "forget", forget)
    monkeypatch.setattr(Attempt, "salvage", salvage)
    fleet = await make_fleet(tmp_path, settings=ONCE)
    fleet.agent(NAMES_IT + 'echo "used 7" >> "$OMNI_EVENTS.session"\nsay finished\n')
    fleet.add("Is salvaged twice")
    used = (await until_idle(fleet)).named("attempt.usage")
    assert [event.data["tokens"] for event in used] == [7, 7]
