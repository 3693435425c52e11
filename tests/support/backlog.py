"""A real backlog: 27 specs that depend on each other, for the package `click` as it is installed here.

`tests/e2e/backlog` holds the specs, what is beside the package in its repository, and what the agents do. The package
is taken because it is there wherever omni-tui is; its repository gets a history here, made of its real lines.
"""

from __future__ import annotations

import importlib.util
import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from tests.support.fleets import UNBRAKED
from tests.support.git import git

HERE = Path(__file__).parent.parent / "e2e" / "backlog"
SPECS = sorted((HERE / "specs").glob("*.md"))
PROGRAM = (sys.executable, "-m", "omni_tui")
SECONDS = 110.0
TWINS = ("src/click/termui.py", "src/click/_termui_impl.py")
"""Two files that always changed together; nothing but the history tells."""
STEPS = 5
"""In so many commits the twins came to be what they are."""

ON_ONE_FILE = frozenset(
    f"utils-{name}" for name in ("lines", "indent", "plural", "filename", "cache", "echo", "open", "str", "size")
)
ON_ONE_MIGRATION = frozenset({"price-column", "archive-column"})
ON_ONE_LOCK = frozenset({"wrap-words", "plain-width"})
BY_HISTORY = frozenset({"confirm-twice", "bar-eta"})
BEHIND_THE_FLAG = frozenset({"lazy-completion", "lazy-help", "lazy-testing", "lazy-errors"})
AFTER_THOSE = "lazy-guide"
CHAIN = ("port-type", "port-option", "port-guide")
ALL = frozenset(path.stem for path in SPECS)
HELD = BEHIND_THE_FLAG | {AFTER_THOSE}
"""What cannot start while the flag is off."""

CONFIG = (
    UNBRAKED
    + """
[scheduler]
slots = {slots}

[limits]
handover_seconds = 60
stall_minutes = 5
kill_grace_seconds = 1

[sandbox]
kind = "off"

[runtime]
kind = "process"
"""
)


def make_project(where: Path) -> Path:
    """Make the repository: the package, what is beside it, and a history in which the twins changed together."""
    spec = importlib.util.find_spec("click")
    assert spec is not None
    assert spec.origin is not None
    shutil.copytree(HERE / "project", where, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(Path(spec.origin).parent, where / "src" / "click", ignore=shutil.ignore_patterns("__pycache__"))
    git(where, "init", "-q", "-b", "main")
    whole = {name: (where / name).read_text(encoding="utf-8").splitlines(keepends=True) for name in TWINS}
    for step in range(1, STEPS + 1):
        for name, lines in whole.items():
            (where / name).write_text("".join(lines[: len(lines) * step // STEPS]), encoding="utf-8")
        if step > 1:
            git(where, "add", *TWINS)
        else:
            git(where, "add", "-A")
        git(where, "commit", "-q", "-m", f"The terminal, part {step} of {STEPS}")
    return where


class BacklogFleet:
    """A fleet made by the commands that a person types, with the backlog in its queue and scripted agents."""

    def __init__(self, directory: Path, slots: int | str = "auto", work_seconds: float = 1.0) -> None:
        """Make it below `directory`; an agent works for `work_seconds` before it edits."""
        self.root = directory / "fleet"
        self.project = make_project(directory / "project")
        self.command("init", str(self.root))
        self.configure(slots)
        check = f"PYTHONPATH=src {shlex.quote(sys.executable)} -m unittest discover -q -s tests"
        self.command("workspace", "add", "click", "--repo", str(self.project), "--check", check)
        self.workspace = self.root / "workspaces" / "click"
        shutil.rmtree(self.workspace / "agents", ignore_errors=True)  # it is there where Claude Code is installed
        for number in range(1, 5):
            self._hire(f"agent{number}", work_seconds)
        self.command("flag", "set", "lazy_groups", "off", "--by", "the release manager")
        self.command("add", "click", *map(str, SPECS))

    def _hire(self, name: str, work_seconds: float) -> None:
        directory = self.workspace / "agents" / name
        directory.mkdir(parents=True)
        program = json.dumps([sys.executable, "-S", "-E", str(HERE / "agent.py")])
        (directory / "agent.toml").write_text(
            f'harness = "command"\ncommand = {program}\n\n[env]\nWORK_SECONDS = "{work_seconds:g}"\n', encoding="utf-8"
        )

    def configure(self, slots: int | str) -> None:
        """Say how many tasks may run at once."""
        (self.root / "config.toml").write_text(CONFIG.format(slots=json.dumps(slots)), encoding="utf-8")

    def command(self, *words: str, status: int = 0) -> str:
        """Run `omni-tui` as a person would; return what it printed."""
        argv = [*PROGRAM, "--fleet", str(self.root), *words]
        ran = subprocess.run(argv, capture_output=True, text=True, timeout=SECONDS, cwd=self.root.parent)
        assert ran.returncode == status, ran.stdout + ran.stderr
        return ran.stdout

    def answer(self, *words: str, status: int = 0) -> Any:  # noqa: ANN401 - a command's result is JSON
        """Run a command with `--json`; return its result."""
        return json.loads(self.command(*words, "--json", status=status))["result"]

    def night(self) -> list[dict[str, Any]]:
        """Work until nothing is left to start; return the events."""
        said = self.command("--headless", "--until-idle", "--json")
        return [json.loads(line) for line in said.splitlines()]

    def statuses(self) -> dict[str, str]:
        """Return in which folder each task is."""
        return {task["id"]: task["status"] for task in self.answer("list")}


def landed(events: Iterable[dict[str, Any]]) -> set[str]:
    """Return the tasks that landed."""
    return {event["task"] for event in events if event["event"] == "task.landed"}


def stays(events: Iterable[dict[str, Any]]) -> dict[str, tuple[float, float]]:
    """Return from when to when each task that landed was in `doing/`, UTC seconds."""
    began: dict[str, float] = {}
    found: dict[str, tuple[float, float]] = {}
    for event in events:
        if event["event"] == "task.claimed":
            began[event["task"]] = event["time"]
        elif event["event"] == "task.landed":
            found[event["task"]] = (began[event["task"]], event["time"])
    return found


def at_once(stays: Collection[tuple[float, float]]) -> int:
    """Return how many ran at the same time at most."""
    return max(sum(begin <= moment < end for begin, end in stays) for moment, _ in stays)
