"""Assignments for tests of harnesses: a real checkout on its attempt's branch, and a run's directory with a prompt."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import msgspec

from omni_tui.model.attempt import AgentSpec, AttemptId
from omni_tui.model.task import TaskRef
from omni_tui.plugins.agent.protocol import Assignment

PROMPT = "# Greet\n\nMake hello.py with a function that greets, and commit it.\n"


def make_assignment(root: Path, agent: AgentSpec, environment: dict[str, str] | None = None) -> Assignment:
    """Make everything an agent is given below `root`; the repository has one commit."""
    attempt = AttemptId(TaskRef("shop", "greet"), 1)
    run = root / "run"
    worktree = root / "worktrees" / "greet-1"
    for directory in (run, worktree, root / "home"):
        directory.mkdir(parents=True)
    (run / "prompt.md").write_text(PROMPT, encoding="utf-8")
    return Assignment(
        attempt=attempt,
        agent=agent,
        worktree=worktree,
        run_dir=run,
        state_dir=root / "state",
        login_dir=root / "logins",
        prompt=run / "prompt.md",
        events=run / "events.jsonl",
        environment={"PATH": os.environ["PATH"], "HOME": str(root / "home"), **(environment or {})},
        base=_repository(worktree, attempt.branch),
    )


def with_agent(assignment: Assignment, **changes: object) -> Assignment:
    """Return `assignment` for an agent with other settings."""
    return msgspec.structs.replace(assignment, agent=msgspec.structs.replace(assignment.agent, **changes))


def git(directory: Path, *words: str) -> str:
    """Run git there as nobody in particular; return what it printed."""
    who = ("-c", "user.name=Nobody", "-c", "user.email=nobody@example.invalid")
    done = subprocess.run(("git", "-C", directory, *who, *words), check=True, capture_output=True, text=True)
    return done.stdout.strip()


def _repository(worktree: Path, branch: str) -> str:
    git(worktree, "init", "-q", "-b", "main")
    (worktree / "README.md").write_text("A shop.\n", encoding="utf-8")
    git(worktree, "add", "-A")
    git(worktree, "commit", "-qm", "Begin")
    git(worktree, "switch", "-qc", branch)
    return git(worktree, "rev-parse", "HEAD")
