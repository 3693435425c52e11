"""The demo, whole and real: ten tasks, real git, real terminals, real pytest, and agents that misbehave."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import psutil
import pytest

from omni_tui import cli

LANDED = {
    "swedish-krona",
    "norwegian-krone",
    "reduced-tax",
    "cart-remove",
    "loyalty-points",
    "low-stock",
    "three-for-two",
    "order-numbers",
}
FAILURES = {
    "reduced-tax": ["stalled"],
    "cheapest-first": ["handover"] * 3,
    "cart-remove": ["gate:destruction"],
    "receipt-tax": ["gate:wrong_place"] * 2,
    "loyalty-points": ["gate:no_commit"],
}
"""Which failures each task meets on its way, but for the two that conflict: whichever lands second has one."""


def git(where: Path, *words: str) -> str:
    return subprocess.run(("git", "-C", where, *words), check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Run the demo once; return its directory and its answer."""
    directory = tmp_path_factory.mktemp("d") / "demo"
    argv = (sys.executable, "-m", "omni_tui", "demo", "--headless", "--json", "--keep", str(directory))
    ran = subprocess.run(argv, capture_output=True, text=True, timeout=118)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    answer: dict[str, Any] = json.loads(ran.stdout)
    return directory, answer


def test_eight_land_and_two_need_a_person(ended: tuple[Path, dict[str, Any]]) -> None:
    directory, answer = ended
    result = answer["result"]
    assert answer["ok"]
    assert {task["task"] for task in result["report"]["landed"]} == {f"shop/{task}" for task in LANDED}
    blocked = {task["task"]: task["reason"] for task in result["report"]["blocked"]}
    assert blocked.keys() == {"shop/cheapest-first", "shop/receipt-tax"}
    assert "never took its task" in blocked["shop/cheapest-first"]
    assert "legacy/receipt.py" in blocked["shop/receipt-tax"]
    assert result["fleet"] == str(directory / "fleet")


def test_each_agent_misbehaves_as_it_should(ended: tuple[Path, dict[str, Any]]) -> None:
    failures = defaultdict(list)
    for journal in (ended[0] / "fleet" / "journal").glob("*.jsonl"):
        for event in map(json.loads, journal.read_text(encoding="utf-8").splitlines()):
            if event["event"] == "attempt.failed":
                failures[event["task"]].append(event["data"]["kind"])
    kroner = failures.pop("swedish-krona", []) + failures.pop("norwegian-krone", [])
    assert kroner == [], "both name shop/money.py: side by side they would have met on one line"
    assert failures == FAILURES


def test_what_landed_is_tested_and_nothing_else_moved(ended: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    project = ended[0] / "project"
    assert git(project, "rev-list", "--count", "main") == "1"
    assert git(project, "rev-list", "--count", "release/omni") == "9"
    assert git(project, "status", "--porcelain") == ""
    git(project, "worktree", "add", "--quiet", "--detach", str(tmp_path / "landed"), "release/omni")
    argv = (sys.executable, "-m", "pytest", "-q")
    check = subprocess.run(argv, cwd=tmp_path / "landed", capture_output=True, text=True)
    assert "19 passed" in check.stdout, check.stdout


def test_nothing_is_left_running_or_checked_out(ended: tuple[Path, dict[str, Any]]) -> None:
    workspace = ended[0] / "fleet" / "workspaces" / "shop"
    checkouts = [path.name for path in (workspace / "worktrees").iterdir() if not path.name.startswith(".")]
    assert checkouts == []
    mine = [
        process.info["cmdline"]
        for process in psutil.process_iter(["pid", "cmdline"])
        if process.info["pid"] != os.getpid() and str(ended[0]) in " ".join(process.info["cmdline"] or [])
    ]
    assert mine == []


def test_a_directory_in_use_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").touch()
    assert cli.run(["demo", "--headless", "--keep", str(tmp_path)]) == 2
    assert "is not empty" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_claude_that_is_not_installed_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cli.run(["demo", "--headless", "--agent", "claude", "--keep", str(tmp_path / "demo")]) == 1
    assert "Claude Code is not installed" in capsys.readouterr().err
    assert not (tmp_path / "demo").exists()
