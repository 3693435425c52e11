"""Attacks on processes: escapes from the kill, signals to others, floods of processes and of output."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from tests.support.attacks import SETTINGS, attack
from tests.support.waiting import wait_for


def named(mark: str) -> list[int]:
    """Return the processes whose command line holds `mark`."""
    every = psutil.process_iter(["cmdline"])
    return [each.pid for each in every if any(mark in word for word in each.info["cmdline"] or ())]


async def test_no_daughter_outlives_its_agent(tmp_path: Path, kind: str) -> None:
    mark = f"escaped-{os.getpid()}"
    tried = await attack(
        tmp_path,
        f"""
        setsid sh -c 'setsid sh -c "exec -a {mark} sleep 600" &' &
        (trap "" TERM HUP; exec sh -c ': {mark}; sleep 600') &
        nohup setsid sh -c ': {mark}; while :; do sleep 1; done' >/dev/null 2>&1 &
        sleep 0.3
        note mine sh -c 'ps ax | grep -c {mark}'
        """,
        kind=kind,
    )
    assert int(tried.notes()["mine"].split()[0]) > 1, "they were there"
    wait_for(lambda: not named(mark), "nothing of it is left")


async def test_its_supervisor_cannot_be_reached(tmp_path: Path, kind: str, bare: bool) -> None:
    tried = await attack(
        tmp_path,
        f"""
        note supervisor kill -9 {os.getpid()}
        note init kill -9 1
        note others sh -c 'ls -d /proc/[0-9]* 2>/dev/null | wc -l'
        note tmux sh -c 'tmux kill-server; tmux -S "$OMNI_WORKTREE/../../../../tmux.sock" kill-server'
        """,
        kind=kind,
    )
    notes = tried.notes()
    assert not notes["supervisor"].endswith("status 0")
    assert tried.fleet.landed() == ["Attack"], "in its first attempt, which nothing disturbed"
    assert len(tried.events("attempt.started")) == 1
    assert (int(notes["others"].split()[0]) < 10) is not bare, "it sees its own processes alone"


async def test_flood_of_processes_ends_with_its_agent(tmp_path: Path, kind: str) -> None:
    mark = f"flood-{os.getpid()}"
    settings = SETTINGS.replace("wall_minutes = 0.5", "wall_minutes = 0.05").replace(
        "[limits]", "[limits]\nattempts = 1"
    )
    script = f"for i in $(seq 300); do sh -c ': {mark}; sleep 600' & done\nwait\n"
    tried = await attack(tmp_path, script, settings=settings, kind=kind)
    assert [event.data["kind"] for event in tried.events("attempt.failed")] == ["overtime"]
    (receipt,) = (event.data["receipt"] for event in tried.events("attempt.killed"))
    assert receipt["survivors"] == ()
    assert not named(mark)


async def test_settings_of_the_kernel_cannot_be_changed(tmp_path: Path, kind: str) -> None:
    """By core_pattern it would have the kernel start a program outside, as root; root needs no capability for it."""
    pattern = "/proc/sys/kernel/core_pattern"
    script = f"""
        note pattern sh -c 'cat {pattern} > {pattern}'
        note any find /proc/sys -type f -writable
        """
    tried = await attack(tmp_path, script, kind=kind)
    notes = tried.notes()
    assert not notes["pattern"].endswith("status 0")
    if kind == "bwrap":  # access(2) does not know of Landlock
        assert notes["any"] == "status 0"


@pytest.mark.timeout(300)
async def test_a_gigabyte_of_output_costs_neither_memory_nor_disk(tmp_path: Path) -> None:
    """Where no limit ends it first."""
    before = psutil.Process().memory_info().rss
    slow = SETTINGS.replace("wall_minutes = 0.5", "wall_minutes = 8").replace("stall_minutes = 1", "stall_minutes = 8")
    unlimited = slow.replace("[limits]", "[limits]\noutput_mb = 0")
    script = "head -c 1000000000 /dev/zero | tr '\\0' x\nnote printed echo all"
    tried = await attack(tmp_path, script, settings=unlimited, patience=240)
    assert tried.notes()["printed"].startswith("all")
    assert psutil.Process().memory_info().rss - before < 200e6
    kept = sum(path.stat().st_size for path in tried.fleet.paths.runs.rglob("*") if path.is_file())
    assert kept < 20e6
