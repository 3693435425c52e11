"""The demo's scripted agents do what their table says, in a real checkout with real git and real pytest."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

DEMO = Path(__file__).parents[2] / "omni_tui" / "demo"
TABLE = tomllib.loads((DEMO / "behaviours.toml").read_text(encoding="utf-8"))


def git(where: Path, *words: str) -> str:
    """Run git as the agent's machine might: with no configuration of a person's."""
    identity = ("-c", "user.name=t", "-c", "user.email=t@localhost")
    return subprocess.run(("git", *identity, *words), cwd=where, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Make a checkout of the demo's project."""
    where = tmp_path / "checkout"
    shutil.copytree(DEMO / "project", where)
    git(where, "init", "--quiet", "--initial-branch=main")
    git(where, "add", "--all")
    git(where, "commit", "--quiet", "-m", "start")
    return where


class Ran:
    """What came of an agent: its exit status, what it showed, and the events that it sent."""

    def __init__(self, status: int, shown: str, events: list[str]) -> None:
        self.status, self.shown, self.events = status, shown, events


def run_agent(checkout: Path, task: str, attempt: int, *, seconds: float = 60) -> Ran:
    """Start the agent in `checkout` as the `command` harness does, and wait `seconds` for its end at most."""
    prompt, events = checkout.parent / "prompt.md", checkout.parent / f"{task}-{attempt}.jsonl"
    prompt.write_text("# A task\n", encoding="utf-8")
    env = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | {
        "OMNI_TASK": task,
        "OMNI_ATTEMPT": str(attempt),
        "OMNI_PROMPT": str(prompt),
        "OMNI_EVENTS": str(events),
        "OMNI_WORKTREE": str(checkout),
        "OMNI_DEMO_PACE": "0",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    argv = (sys.executable, "-S", "-E", str(DEMO / "agent.py"))
    try:
        ended = subprocess.run(argv, cwd=checkout, env=env, capture_output=True, text=True, timeout=seconds)
        status, shown = ended.returncode, ended.stdout + ended.stderr
    except subprocess.TimeoutExpired as still:
        status, shown = -1, (still.stdout or b"").decode()
    lines = events.read_text(encoding="utf-8").splitlines() if events.exists() else []
    return Ran(status, shown, [json.loads(line)["event"] for line in lines])


def commits(checkout: Path) -> int:
    """How many commits the checkout's branch has."""
    return int(git(checkout, "rev-list", "--count", "HEAD"))


def test_every_task_of_the_backlog_has_its_row() -> None:
    ids = {tomllib.loads(file.read_text(encoding="utf-8").split("+++")[1])["id"] for file in DEMO.glob("backlog/*.md")}
    assert ids == set(TABLE)
    assert len(ids) == 10


def test_good_attempts_make_one_green_commit_each(checkout: Path) -> None:
    good = [task for task, row in TABLE.items() if row["attempts"][-1] == "good"]
    assert len(good) == 8
    for task in good:
        ran = run_agent(checkout, task, 9)
        assert ran.status == 0, ran.shown
        assert ran.events[0] == "accepted"
        assert ran.events[-1] == "finished"
    assert commits(checkout) == 1 + len(good)
    assert git(checkout, "status", "--porcelain") == ""
    check = subprocess.run((sys.executable, "-m", "pytest", "-q"), cwd=checkout, capture_output=True, text=True)
    assert check.returncode == 0, check.stdout
    assert f"{11 + len(good)} passed" in check.stdout


def test_exit_ends_before_it_takes_its_task(checkout: Path) -> None:
    ran = run_agent(checkout, "cheapest-first", 1)
    assert (ran.status, ran.events, commits(checkout)) == (1, [], 1)


def test_stall_takes_its_task_and_falls_silent(checkout: Path) -> None:
    ran = run_agent(checkout, "reduced-tax", 1, seconds=2)
    assert ran.status == -1
    assert ran.events[0] == "accepted"
    assert "finished" not in ran.events
    assert commits(checkout) == 1


def test_forget_says_done_and_commits_nothing(checkout: Path) -> None:
    ran = run_agent(checkout, "loyalty-points", 1)
    assert (ran.status, ran.events[-1], commits(checkout)) == (0, "finished", 1)
    assert "shop/customers.py" in git(checkout, "status", "--porcelain")


def test_the_deleter_removes_what_it_should_extend(checkout: Path) -> None:
    run_agent(checkout, "cart-remove", 1)
    patch = git(checkout, "diff", "HEAD~", "--", "shop/cart.py")
    assert "-    def total(self) -> int:" in patch
    assert "+    def remove(self, item: str) -> None:" in patch


def test_the_astray_one_touches_only_the_old_till(checkout: Path) -> None:
    run_agent(checkout, "receipt-tax", 1)
    names = git(checkout, "diff", "--name-only", "HEAD~").split()
    assert names == ["legacy/receipt.py", "legacy/test_receipt.py"]


def test_the_two_conflict(checkout: Path) -> None:
    for task in ("swedish-krona", "norwegian-krone"):
        git(checkout, "switch", "--quiet", "-c", task, "main")
        run_agent(checkout, task, 1)
    with pytest.raises(subprocess.CalledProcessError):
        git(checkout, "merge", "swedish-krona")
