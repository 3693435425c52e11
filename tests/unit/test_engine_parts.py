"""The engine's small parts: the tail of a growing file, the task guard, wake-ups, durable steps, narration."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from omni_tui.engine.clock import SystemClock
from omni_tui.engine.guard import Guard
from omni_tui.engine.steps import AttemptFailedError, LocalEngine
from omni_tui.engine.tail import LINE_LIMIT, READ_LIMIT, Tail
from omni_tui.engine.wakeups import Wakeups
from omni_tui.errors import LeaseLostError
from omni_tui.model.attempt import AttemptId
from omni_tui.model.event import EVENTS, Event
from omni_tui.model.failure import Failure, FailureKind
from omni_tui.model.task import TaskRef
from omni_tui.narration import SENTENCES, narrate
from omni_tui.store.lease import Lease
from omni_tui.store.runs import Run
from omni_tui.store.watch import TreeWatch


class TestTail:
    """Complete lines, each once."""

    def test_lines_come_once_and_whole(self, tmp_path: Path) -> None:
        path = tmp_path / "events.jsonl"
        tail = Tail(path)
        assert tail.lines() == []
        path.write_bytes(b"one\ntw")
        assert tail.lines() == [b"one"]
        with path.open("ab") as file:
            file.write(b"o\n\nthree\n")
        assert tail.lines() == [b"two", b"three"]
        assert tail.lines() == []

    def test_replaced_or_cut_file_is_read_from_the_start(self, tmp_path: Path) -> None:
        path = tmp_path / "events.jsonl"
        tail = Tail(path)
        path.write_bytes(b"long first line\n")
        assert tail.lines() == [b"long first line"]
        path.write_bytes(b"cut\n")
        assert tail.lines() == [b"cut"]

    def test_endless_line_is_cut_once_and_the_next_one_is_whole(self, tmp_path: Path) -> None:
        path = tmp_path / "events.jsonl"
        path.write_bytes(b"x" * (3 * READ_LIMIT) + b"\nnext\n")
        tail = Tail(path)
        lines = tail.lines()
        while tail.behind:
            lines += tail.lines()
        assert [len(line) for line in lines] == [LINE_LIMIT, len(b"next")]

    def test_its_own_limit_of_a_line(self, tmp_path: Path) -> None:
        path = tmp_path / "session"
        path.write_bytes(b"x" * (LINE_LIMIT + 9) + b"\n")
        tail = Tail(path, line_limit=1 << 20)
        assert [len(line) for line in tail.lines()] == [LINE_LIMIT + 9]
        assert tail.taken == LINE_LIMIT + 10

    @pytest.mark.parametrize("name", ["nul\0", "x" * 5000, "gone/session", ".", "pipe"])
    def test_what_is_no_file_is_silent(self, tmp_path: Path, name: str) -> None:
        os.mkfifo(tmp_path / "pipe")
        tail = Tail(tmp_path / name)
        assert tail.lines() == []
        assert tail.modified_at() is None or name in (".", "pipe")


async def test_guard_hands_on_what_a_task_raises() -> None:
    seen: list[tuple[str, str]] = []
    guard = Guard(lambda name, error: seen.append((name, str(error))))

    async def fail() -> None:
        raise ValueError("no")

    await guard.spawn("a task", fail())
    assert seen == [("a task", "no")]
    forever = guard.spawn("forever", asyncio.sleep(1000))
    await guard.close()
    assert forever.cancelled()


async def test_wakeups_reach_those_who_asked(tmp_path: Path) -> None:
    wakeups = Wakeups(TreeWatch())
    running = asyncio.ensure_future(wakeups.run())
    of_file, of_directory = asyncio.Event(), asyncio.Event()
    wakeups.add(of_directory, tmp_path)
    with wakeups.on(of_file, tmp_path, tmp_path / "mine"):
        (tmp_path / "other").write_text("x")
        await asyncio.wait_for(of_directory.wait(), 5)
        assert not of_file.is_set()
        (tmp_path / "mine").write_text("x")
        await asyncio.wait_for(of_file.wait(), 5)
    running.cancel()


class TestSteps:
    """Done once, replayed ever after."""

    def engine(self, directory: Path, fence: Callable[[], None] = lambda: None) -> LocalEngine:
        directory.mkdir(exist_ok=True)
        run = Run(directory, AttemptId(TaskRef("app", "1"), 1))
        return LocalEngine(run, SystemClock(), "1", fence)

    async def test_finished_step_is_replayed_not_done_again(self, tmp_path: Path) -> None:
        done: list[int] = []

        async def work() -> list[int]:
            done.append(1)
            return [7]

        assert await self.engine(tmp_path / "run").step("one", list[int], work) == [7]
        assert await self.engine(tmp_path / "run").step("one", list[int], work) == [7]
        assert done == [1]

    async def test_failure_is_replayed_too(self, tmp_path: Path) -> None:
        async def work() -> None:
            raise AttemptFailedError(Failure(kind=FailureKind.STALLED, message="silent"))

        async def never() -> None:
            raise AssertionError("done again")

        with pytest.raises(AttemptFailedError, match="silent"):
            await self.engine(tmp_path / "run").step("one", type(None), work)
        with pytest.raises(AttemptFailedError, match="silent"):
            await self.engine(tmp_path / "run").step("one", type(None), never)

    async def test_interrupted_step_leaves_no_record(self, tmp_path: Path) -> None:
        async def interrupted() -> None:
            raise asyncio.CancelledError

        with pytest.raises(asyncio.CancelledError):
            await self.engine(tmp_path / "run").step("one", type(None), interrupted)
        assert Run(tmp_path / "run", AttemptId(TaskRef("app", "1"), 1)).steps() == []

    async def test_stale_owner_begins_no_step(self, tmp_path: Path) -> None:
        async def never() -> None:
            raise AssertionError("begun")

        lease = Lease.acquire(tmp_path / "lease", "headless", time.time)
        successor = Lease.acquire(tmp_path / "lease", "headless", time.time, take_over=True)
        with pytest.raises(LeaseLostError):
            await self.engine(tmp_path / "run", lease.check).step("one", type(None), never)
        successor.release()


def test_every_sentence_is_of_an_event() -> None:
    assert set(SENTENCES) <= set(EVENTS)


def test_narration_says_what_and_where() -> None:
    event = Event(time=0.0, event="task.landed", workspace="app", task="7", data={"commit": "a" * 40, "release": "r"})
    assert narrate(event).endswith("app/7 landed on r as aaaaaaaaaa")
    assert narrate(Event(time=0.0, event="attempt.phase", data={"phase": "watch"})) == ""
