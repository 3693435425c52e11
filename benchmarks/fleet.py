"""A fleet to measure: one workspace, made by the commands that people use, and the core as a process of its own."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

OMNI = (sys.executable, "-m", "omni_tui")
PATIENCE = 60.0
"""Seconds after which a thing that should have happened is given up."""

Event = dict[str, Any]


def make_repository(where: Path, files: int) -> None:
    """Make a bare repository whose branch `main` holds `files` small files in directories of fifty."""
    subprocess.run(("git", "init", "--quiet", "--bare", "--initial-branch=main", where), check=True)
    stream = ["commit refs/heads/main", "committer bench <bench@localhost> 1700000000 +0000", "data 5", "start"]
    for number in range(files):
        text = f"the content of file {number}\n" * 20
        stream += [f"M 100644 inline d{number // 50}/f{number}.txt", f"data {len(text)}", text]
    script = "\n".join([*stream, ""]).encode()
    subprocess.run(("git", "-C", where, "fast-import", "--quiet"), input=script, check=True)


class BenchFleet:
    """A fleet with one workspace `bench` whose one agent is a shell script."""

    def __init__(self, root: Path, repository: Path, *, script: str, config: str) -> None:
        self.root = root
        self.workspace = root / "workspaces" / "bench"
        omni("init", str(root))
        omni("--fleet", str(root), "workspace", "add", "bench", "--repo", str(repository), "--base", "main")
        # The floor has no sandbox, and the agents leave their signs beside the fleet.
        (root / "config.toml").write_text(f'{config}\n[sandbox]\nkind = "off"\n')
        agent = self.workspace / "agents" / "bench"
        agent.mkdir(parents=True, exist_ok=True)
        program = root / "agent.sh"
        program.write_text(script)
        command = f'harness = "command"\nhandover = "start"\ncommand = ["/bin/sh", "{program}"]\n'
        (agent / "agent.toml").write_text(command)

    def drop(self, task_id: str) -> int:
        """Let a task file appear in `todo/`; return when, in nanoseconds since the epoch."""
        made = self.root / f"{task_id}.md"
        made.write_text(f'+++\nid = "{task_id}"\ntitle = "Measure"\nagent = "bench"\n+++\n')
        target = self.workspace / "queue" / "todo" / made.name
        at = time.time_ns()
        made.rename(target)
        return at


def omni(*words: str) -> None:
    """Run one of our commands. Raises `CalledProcessError`, with what it said, when it fails."""
    subprocess.run((*OMNI, *words), check=True, stdout=subprocess.DEVNULL)


class Core:
    """A headless core in a process of its own, and what it says."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        if self.process.stdout is None:
            raise AssertionError("the core was started without a pipe")
        for line in self.process.stdout:
            self._events.put(json.loads(line))

    def wait_for(self, matches: Callable[[Event], bool]) -> Event:
        """Return the next event that matches. Raises `queue.Empty` when none comes."""
        deadline = time.monotonic() + PATIENCE
        while True:
            event = self._events.get(timeout=max(0.0, deadline - time.monotonic()))
            if matches(event):
                return event


@contextmanager
def headless(fleet: BenchFleet, *, stop_agents: bool) -> Iterator[Core]:
    """Run the core for as long as the context lasts; with `stop_agents` its agents end with it."""
    words = ("--fleet", str(fleet.root), "--headless", "--json", *(("--stop-agents",) if stop_agents else ()))
    process = subprocess.Popen((*OMNI, *words), stdout=subprocess.PIPE)
    core = Core(process)
    try:
        core.wait_for(lambda event: event["event"] == "workspace.opened")
        yield core
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=PATIENCE)


@contextmanager
def bare_tmux(directory: Path) -> Iterator[Callable[..., None]]:
    """Give a private tmux server, as a function that runs one of its commands."""
    socket = directory / "floor.sock"

    def tmux(*words: str) -> None:
        subprocess.run(("tmux", "-f", "/dev/null", "-S", str(socket), *words), check=True)

    tmux("new-session", "-d", "-s", "floor", "sleep", "3600")
    try:
        yield tmux
    finally:
        tmux("kill-server")


def wait_for_file(path: Path) -> str:
    """Return a file's first line as soon as it is whole. Raises `TimeoutError`."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if path.exists() and (text := path.read_text()).endswith("\n"):
            return text.splitlines()[0]
        time.sleep(0.001)
    raise TimeoutError(f"{path} did not appear")
