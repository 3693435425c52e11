"""The contract of a notifier: every implementation, and the fake of the simulated world."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from omni_tui.plugins.notifier import log
from omni_tui.plugins.notifier.log import LogNotifier
from omni_tui.plugins.notifier.protocol import Notice, Notifier, NotifierSpec, Urgency
from omni_tui.simulation.notifier import MemoryNotifier


@dataclass
class Subject:
    """A notifier, how to see what it delivered, and how to shut and open its way."""

    notifier: Notifier
    delivered: Callable[[], list[str]]
    shut: Callable[[], None]
    open: Callable[[], None]


def log_subject(root: Path) -> Subject:
    directory = root / "logs"

    def read() -> list[str]:
        path = directory / "notices.log"
        return path.read_text().splitlines() if path.is_file() else []

    return Subject(LogNotifier(NotifierSpec(root=root)), read, shut=directory.touch, open=directory.unlink)


def memory_subject(root: Path) -> Subject:
    notifier = MemoryNotifier(NotifierSpec(root=root))

    def read() -> list[str]:
        return [f"{one.urgency.upper()} {one.task} {one.title} {one.text}" for one in notifier.delivered]

    def set_shut(shut: bool) -> None:
        notifier.shut = shut

    return Subject(notifier, read, shut=lambda: set_shut(True), open=lambda: set_shut(False))


@pytest.fixture(params=[log_subject, memory_subject], ids=["log", "memory"])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Subject:
    made: Subject = request.param(tmp_path)
    return made


def notice(
    title: str = "w/t1 is blocked", text: str = "the check failed", urgency: Urgency = Urgency.ATTENTION
) -> Notice:
    return Notice(urgency=urgency, title=title, text=text, task="w/t1", at=1_700_000_000.0)


@pytest.mark.parametrize("urgency", list(Urgency))
async def test_a_notice_is_delivered_whole(subject: Subject, urgency: Urgency) -> None:
    await subject.notifier.notify(notice(urgency=urgency))
    (line,) = subject.delivered()
    assert f"{urgency.value.upper()} w/t1 w/t1 is blocked the check failed" in line


async def test_notices_keep_their_order(subject: Subject) -> None:
    for number in range(5):
        await subject.notifier.notify(notice(title=f"number {number}"))
    assert [line.split("number ")[1][0] for line in subject.delivered()] == list("01234")


async def test_notices_at_once_are_all_delivered(subject: Subject) -> None:
    await asyncio.gather(*(subject.notifier.notify(notice(title=f"<{number}>")) for number in range(20)))
    assert sorted(line.split("<")[1].split(">")[0] for line in subject.delivered()) == sorted(map(str, range(20)))


async def test_hostile_words_are_one_harmless_line(subject: Subject) -> None:
    await subject.notifier.notify(notice(title="a\x1b]52;c;eA==\x07b\u202ec", text="one\ntwo\x9b2J \ud800"))
    (line,) = subject.delivered()
    assert line.replace("\ud800", "?").isprintable()
    assert "abc one two" in line


async def test_a_shut_way_raises_nothing_and_opens_again(subject: Subject) -> None:
    subject.shut()
    await subject.notifier.notify(notice())
    assert subject.delivered() == []
    subject.open()
    await subject.notifier.notify(notice())
    assert len(subject.delivered()) == 1


async def test_log_says_what_it_could_not_write(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "logs").touch()
    with caplog.at_level(logging.WARNING):
        await LogNotifier(NotifierSpec(root=tmp_path)).notify(notice())
    assert "the check failed" in caplog.text
    assert "logs/notices.log" in caplog.text


async def test_log_cannot_write_its_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The file opens and the write fails, as on a full disk."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "notices.log").symlink_to("/dev/full")
    await LogNotifier(NotifierSpec(root=tmp_path)).notify(notice())
    assert "No space left on device" in caplog.text


async def test_log_is_put_aside_when_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "MAX_BYTES", 400)
    notifier = LogNotifier(NotifierSpec(root=tmp_path))
    for number in range(40):
        await notifier.notify(notice(title=f"number {number}"))
    names = sorted(path.name for path in (tmp_path / "logs").iterdir())
    assert names == ["notices.log", "notices.log.1", "notices.log.2", "notices.log.3"]
    assert all(path.stat().st_size <= 400 for path in (tmp_path / "logs").iterdir())
    assert "number 39" in (tmp_path / "logs" / "notices.log").read_text()


async def test_log_line_begins_with_the_notice_own_time(tmp_path: Path) -> None:
    await LogNotifier(NotifierSpec(root=tmp_path)).notify(notice())
    assert (tmp_path / "logs" / "notices.log").read_text().startswith("2023-11-14T22:13:20+00:00 ATTENTION")
