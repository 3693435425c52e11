"""Work that no commit can take is not lost: its checkout stays, and a person is told where."""

from __future__ import annotations

import errno
from collections import Counter
from pathlib import Path

import pytest

from omni_tui.model.request import RequestKind
from omni_tui.model.task import Status
from omni_tui.plugins.scm import rescue as rescue_module
from omni_tui.plugins.scm.local import LocalScm
from omni_tui.plugins.scm.protocol import Rescue
from tests.support.fleets import AGENT, QUICK, TestFleet, git, make_fleet
from tests.support.running import ask, dispatching, until_idle

ONE_ATTEMPT = f"{QUICK}\nattempts = 1\n"


def checkouts(fleet: TestFleet) -> list[Path]:
    return [path for path in fleet.paths.worktrees.iterdir() if not path.name.startswith(".")]


@pytest.mark.parametrize("small", ["", "echo small > small.txt;"], ids=["nothing else", "something else"])
async def test_checkout_with_what_no_commit_could_take_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: str
) -> None:
    monkeypatch.setattr(rescue_module, "FILE_LIMIT", 10)
    fleet = await make_fleet(tmp_path, settings=ONE_ATTEMPT)
    fleet.agent(f"{AGENT}say accepted\n{small} echo more than ten bytes > giant.bin\nsay finished\n")
    task = fleet.add("Make a giant")
    record = await until_idle(fleet)
    [kept] = checkouts(fleet)
    assert (kept / "giant.bin").read_text() == "more than ten bytes\n"
    [rescued] = record.named("attempt.rescued")
    ref = "refs/omni/rescue/0001/1" if small else ""
    assert rescued.data["ref"] == ref
    assert list(rescued.data["left_out"]) == ["giant.bin"]
    assert rescued.data["checkout"] == str(kept)
    assert rescued.data["kept"] == (f"{ref} and {kept}" if ref else str(kept))
    assert str(kept) in fleet.queue.note(task.id).partition("## Where to look")[2]


async def test_good_work_lands_and_what_it_leaves_out_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rescue_module, "FILE_LIMIT", 10)
    fleet = await make_fleet(tmp_path, settings=ONE_ATTEMPT)
    fleet.agent(f"{AGENT}say accepted\necho x > x; commit x\necho more than ten bytes > giant.bin\nsay finished\n")
    fleet.add("Leave a giant")
    await until_idle(fleet)
    assert fleet.landed() == ["Leave a giant"]
    [kept] = checkouts(fleet)
    assert (kept / "giant.bin").is_file()


async def test_checkout_that_cannot_be_scanned_stays_and_a_person_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescue_module, "SCAN_SECONDS", 0.5)
    fleet = await make_fleet(tmp_path, settings=ONE_ATTEMPT)
    fleet.agent(
        f"{AGENT}say accepted\necho x > committed; commit x\n"
        "mkdir dir; mkfifo dir/.gitignore; echo precious > dir/kept.txt\nsay finished\n"
    )
    task = fleet.add("Hang the scan")
    await until_idle(fleet)
    [kept] = checkouts(fleet)
    assert (kept / "dir/kept.txt").read_text() == "precious\n"
    assert fleet.queue.find(task.id)[0] is Status.BLOCKED  # type: ignore[index]
    note = fleet.queue.note(task.id)
    assert "was ended after 0.5 s" in note
    assert str(kept) in note
    assert git(fleet.paths.repo, "show", "omni/0001/1:committed") == "x"


TIDY = "echo precious > begun.txt; trap 'rm begun.txt; exit 0' TERM; say accepted; while :; do sleep 0.05; done\n"
"""Tidies up behind itself when it is told to end."""


async def test_what_an_agent_undoes_when_it_is_told_to_end_is_kept(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=ONE_ATTEMPT)
    fleet.agent(f"{AGENT}{TIDY}")
    fleet.add("Tidy up")
    async with dispatching(fleet) as (_, record):
        await record.wait(lambda event: event.event == "attempt.phase" and event.data["phase"] == "watch")
        await ask(fleet, record, RequestKind.KILL, "app/0001")
        await record.wait(lambda event: event.event == "task.blocked")
    assert [event.data["ref"] for event in record.named("attempt.rescued")] == ["refs/omni/rescue/0001/1"]
    assert git(fleet.paths.repo, "show", "refs/omni/rescue/0001/1:begun.txt") == "precious"


async def test_an_agent_is_ended_also_where_its_work_cannot_be_kept_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep, calls = LocalScm.rescue, Counter[str]()

    async def fails_once(scm: LocalScm, worktree: Path, head: str, ref: str) -> Rescue:
        calls[ref] += 1
        if calls[ref] == 1:
            raise OSError(errno.ENOSPC, "no space left on device")
        return await keep(scm, worktree, head, ref)

    monkeypatch.setattr(LocalScm, "rescue", fails_once)
    fleet = await make_fleet(tmp_path, settings=ONE_ATTEMPT)
    fleet.agent(f"{AGENT}echo precious > begun.txt; say accepted; exec sleep 60\n")
    fleet.add("Go on for ever")
    async with dispatching(fleet) as (_, record):
        await record.wait(lambda event: event.event == "attempt.phase" and event.data["phase"] == "watch")
        await ask(fleet, record, RequestKind.KILL, "app/0001")
        blocked = await record.wait(lambda event: event.event == "task.blocked")
    assert blocked.data["reason"].startswith("killed by a person")
    assert git(fleet.paths.repo, "show", "refs/omni/rescue/0001/1:begun.txt") == "precious"
