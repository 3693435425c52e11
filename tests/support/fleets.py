"""A fleet of a test's own making: a real repository, real files, and agents that are small shell scripts."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import msgspec

from omni_tui.fleet import Fleet
from omni_tui.model.task import Task
from omni_tui.plugins.scm.imports import import_repository
from omni_tui.store.layout import create_fleet, create_workspace

UNBRAKED = """
[load]
cpu_pressure = 0
load_per_core = 0
memory_pressure = 0
io_pressure = 0
"""
"""Has agents start however busy the machine is that the tests run on."""
QUICK = (
    UNBRAKED
    + """
[limits]
handover_seconds = 5
stall_minutes = 0.05
wall_minutes = 0.5
kill_grace_seconds = 0.2
"""
)
"""Limits short enough for a test."""

GIT_ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_AUTHOR_NAME": "Test",
    "GIT_AUTHOR_EMAIL": "test@example.invalid",
    "GIT_COMMITTER_NAME": "Test",
    "GIT_COMMITTER_EMAIL": "test@example.invalid",
}


def git(directory: Path, *arguments: str) -> str:
    """Run git in `directory` without anybody's configuration; return what it prints."""
    run = subprocess.run(
        ["git", *arguments], cwd=directory, env=GIT_ENVIRONMENT, check=True, capture_output=True, text=True
    )
    return run.stdout.strip()


def make_repository(directory: Path, files: Mapping[str, str]) -> Path:
    """Make a repository with one commit on `main`."""
    directory.mkdir(parents=True)
    for name, text in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)
    git(directory, "init", "-q", "-b", "main")
    git(directory, "add", ".")
    git(directory, "commit", "-q", "-m", "begin")
    return directory


AGENT = """#!/bin/sh
say() { printf '{"event": "%s"}\\n' "$1" >> "$OMNI_EVENTS"; }
commit() { git add -A && git commit -q -m "$1"; }
"""
"""The beginning of every scripted agent."""

GOOD = (
    AGENT
    + """
say accepted
echo "done by $OMNI_TASK" > "$OMNI_TASK.txt"
commit "do $OMNI_TASK"
say finished
"""
)


class TestFleet:
    """A fleet under `root` with one workspace, `app`, whose repository came from `origin`."""

    __test__ = False

    def __init__(self, root: Path, origin: Path, fleet: Fleet) -> None:
        self.root = root
        self.origin = origin
        self.fleet = fleet
        self.paths = fleet.paths.workspace("app")
        self.queue = fleet.queue("app")

    def agent(self, script: str, name: str = "scripted", handover: str = "accepted") -> None:
        """Give the workspace an agent that runs `script`."""
        directory = self.paths.agents / name
        directory.mkdir(parents=True, exist_ok=True)
        program = directory / "agent.sh"
        program.write_text(script)
        program.chmod(0o755)
        (directory / "agent.toml").write_text(
            f'harness = "command"\ncommand = ["{program}"]\nhandover = "{handover}"\n'
        )

    def add(self, title: str, **head: object) -> Task:
        """Put a task into `todo/`."""
        return self.queue.add(msgspec.convert({"workspace": "app", "id": "", "title": title} | head, Task))

    def landed(self) -> list[str]:
        """Return the subjects of what is on the release branch beyond its beginning, newest first."""
        return git(self.paths.repo, "log", "--format=%s", "main..release/omni").splitlines()


async def make_fleet(
    directory: Path,
    *,
    settings: str = QUICK,
    workspace: str = "",
    runtime: str = "tmux",
    sandbox: str = "off",
    reach: str = "",
) -> TestFleet:
    """Make a fleet below `directory`, with a repository of its own and a good agent.

    Without a sandbox agents can leave signs beside the fleet, by which a test sees what they do. `reach` are more lines
    of the settings' [sandbox]. Settings that say nothing of the load have it brake nothing.
    """
    brakes = "" if "[load]" in settings else UNBRAKED
    origin = make_repository(directory / "origin", {"README.md": "# App\n", "src/app.py": "def run():\n    return 1\n"})
    root = directory / "fleet"
    kinds = f'[runtime]\nkind = "{runtime}"\n[sandbox]\nkind = "{sandbox}"\n{reach}\n'
    paths = create_fleet(root, f"{settings}\n{brakes}{kinds}").workspace("app")
    paths.root.mkdir()
    await import_repository(str(origin), paths.repo)
    create_workspace(paths, f'repo = "{origin}"\n{workspace}')
    fleet = TestFleet(root, origin, Fleet(root))
    fleet.agent(GOOD)
    return fleet
