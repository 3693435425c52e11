"""The program as a person has it: a dispatcher in one process, commands in others, one fleet between them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.fleets import GOOD, UNBRAKED, git, make_repository

PROGRAM = (sys.executable, "-m", "omni_tui")
SLOW = """#!/bin/sh
echo "thinking about $OMNI_TASK"
printf '{"event": "accepted"}\\n' >> "$OMNI_EVENTS"
sleep 300
"""
SECONDS = 60.0


class Fleet:
    """A fleet made by the program, with one workspace and one scripted agent."""

    def __init__(self, directory: Path, runtime: str) -> None:
        self.root = directory / "fleet"
        self.origin = make_repository(directory / "origin", {"README.md": "# App\n"})
        self.call("init", str(self.root))
        (self.root / "config.toml").write_text(
            f'{UNBRAKED}[limits]\nattempts = 1\nkill_grace_seconds = 0.2\n[runtime]\nkind = "{runtime}"\n'
        )
        self.call("workspace", "add", "app", "--repo", str(self.origin), "--check", "test -f README.md")

    def agent(self, script: str) -> None:
        """Give the workspace an agent that runs `script`, and no other."""
        directory = self.root / "workspaces" / "app" / "agents" / "scripted"
        directory.mkdir(exist_ok=True)
        program = directory / "agent.sh"
        program.write_text(script)
        program.chmod(0o755)
        (directory / "agent.toml").write_text(f'harness = "command"\ncommand = ["{program}"]\n')
        (directory.parent.parent / "workspace.toml").write_text(
            f'repo = "{self.origin}"\ncheck = "test -f README.md"\nagents = ["scripted"]\n'
        )

    def call(self, *words: str, status: int = 0) -> dict[str, Any]:
        """Call the program with `--json`; return its one object."""
        done = subprocess.run(
            [*PROGRAM, "--fleet", str(self.root), *words, "--json"], capture_output=True, text=True, timeout=SECONDS
        )
        assert done.returncode == status, done.stdout + done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def task(self, name: str) -> dict[str, Any]:
        """Return one task as `list` shows it."""
        tasks: list[dict[str, Any]] = self.call("list")["result"]
        return next(task for task in tasks if task["id"] == name)

    @contextmanager
    def dispatcher(self, *words: str, ends_agents: bool = True) -> Iterator[Dispatcher]:
        """Run the headless core while the body runs, and stop it with its agents, or without."""
        ending = ["--stop-agents"] if ends_agents else []
        argv = [*PROGRAM, "--fleet", str(self.root), "--headless", "--json", *ending, *words]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
            dispatcher = Dispatcher(process)
            try:
                yield dispatcher
            finally:
                process.terminate()
                try:
                    process.wait(timeout=SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()
                    raise


class Dispatcher:
    """A headless core in another process, and what it says."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def until(self, event: str) -> dict[str, Any]:
        """Read what happens until `event`; return that."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            found: dict[str, Any] = json.loads(line)
            if found["event"] == event:
                return found
        raise AssertionError(f"it ended without {event}")

    def ended(self) -> int:
        """Read on until it ends by itself; return its exit status."""
        self.process.communicate(timeout=SECONDS)
        return self.process.returncode


@pytest.fixture(params=["process", "tmux"])
def fleet(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fleet]:
    fleet = Fleet(tmp_path, request.param)
    yield fleet
    socket = fleet.root / "tmux.sock"
    if socket.exists():
        subprocess.run(["tmux", "-S", socket, "kill-server"], capture_output=True, timeout=SECONDS)


def test_a_task_by_its_title_lands_and_the_morning_tells_of_it(fleet: Fleet) -> None:
    fleet.agent(f'{GOOD}echo "these are my last words"\n')
    fleet.call("add", "app", "--title", "Say hello")
    with fleet.dispatcher("--until-idle") as dispatcher:
        assert dispatcher.until("task.landed")["task"] == "0001"
        assert dispatcher.ended() == 0
    assert fleet.task("0001")["status"] == "done"
    [landed] = fleet.call("report")["result"]["landed"]
    assert landed["task"] == "app/0001"
    assert landed["title"] == "Say hello"
    assert (landed["agent"], landed["attempt"]) == ("scripted", 1)
    assert git(fleet.origin, "rev-parse", "release/omni") == landed["commit"]
    assert "+done by 0001" in fleet.call("diff", "0001")["result"]["patch"]
    assert "these are my last words" in fleet.call("logs", "0001")["result"]["lines"]


def test_commands_reach_a_running_agent_through_the_dispatcher(fleet: Fleet) -> None:
    fleet.agent(SLOW)
    fleet.call("add", "app", "--title", "Take your time")
    with fleet.dispatcher() as dispatcher:
        dispatcher.until("attempt.started")
        held = fleet.call("--headless", status=3)
        assert held["error"]["code"] == "lease_held"
        assert str(dispatcher.process.pid) in held["error"]["message"]
        dispatcher.until("attempt.signal")
        assert "thinking about 0001" in "\n".join(fleet.call("logs", "0001")["result"]["lines"])
        assert fleet.call("attach", "0001")["result"]["argv"]
        assert "blocked" in fleet.call("block", "0001", "--reason", "a person must decide")["result"]["message"]
        task = fleet.task("0001")
        assert (task["status"], task["reason"]) == ("blocked", "a person must decide")
        assert fleet.call("kill", "0001", status=1)["error"]["code"] == "refused"
        fleet.agent(GOOD)
        fleet.call("redispatch", "0001")
        assert dispatcher.until("task.landed")["task"] == "0001"
    assert list((fleet.root / "control").iterdir()) == []


def test_a_wrong_configuration_keeps_nobody_from_ending_an_agent(fleet: Fleet) -> None:
    fleet.agent(SLOW)
    fleet.call("add", "app", "--title", "Take your time")
    with fleet.dispatcher() as dispatcher:
        dispatcher.until("attempt.signal")
        (fleet.root / "config.toml").write_text("nonsense = 1\n")
        assert "nonsense" in dispatcher.until("config.refused")["error"]
        fleet.call("kill", "0001")
        assert fleet.task("0001")["status"] == "blocked"


def test_blocked_tasks_are_the_exit_status(fleet: Fleet) -> None:
    fleet.agent("#!/bin/sh\nexit 1\n")
    fleet.call("add", "app", "--title", "Nobody will do it")
    with fleet.dispatcher("--until-idle") as dispatcher:
        dispatcher.until("task.blocked")
        assert dispatcher.ended() == 5
    [blocked] = fleet.call("report")["result"]["blocked"]
    assert blocked["task"] == "app/0001"
    assert blocked["reason"]


def test_what_holds_the_whole_fleet_is_the_exit_status(fleet: Fleet) -> None:
    fleet.agent(GOOD)
    fleet.call("freeze")
    fleet.call("add", "app", "--title", "Not now")
    with fleet.dispatcher("--until-idle") as dispatcher:
        assert "omni-tui thaw" in dispatcher.until("core.stopped")["reason"]
        assert dispatcher.ended() == 4
    fleet.call("thaw")
    with fleet.dispatcher("--until-idle") as dispatcher:
        assert dispatcher.ended() == 0


@pytest.mark.parametrize("ends_agents", [True, False])
def test_a_stop_ends_who_dispatches_and_says_what_becomes_of_agents(fleet: Fleet, ends_agents: bool) -> None:
    assert "nobody dispatches" in fleet.call("stop")["result"]["message"]
    fleet.agent(SLOW)
    fleet.call("add", "app", "--title", "Takes its time")
    with fleet.dispatcher(ends_agents=ends_agents) as dispatcher:
        dispatcher.until("attempt.started")
        words = fleet.call("stop")["result"]["message"]
        assert dispatcher.until("core.stopped")["reason"] == "asked to stop"
        dispatcher.ended()
    goes_on = (fleet.root / "tmux.sock").exists() and not ends_agents
    assert words.endswith("its agents go on" if goes_on else "wait for the next start")
    if goes_on:
        with fleet.dispatcher() as dispatcher:
            dispatcher.until("task.adopted")
            while dispatcher.until("attempt.phase")["phase"] != "watch":
                pass
            assert fleet.task("0001")["attempt"] == 1


def test_the_time_that_is_up_is_the_exit_status(fleet: Fleet) -> None:
    fleet.agent(GOOD)
    with fleet.dispatcher("--for", "1s") as dispatcher:
        assert dispatcher.until("core.stopped")["reason"]
        assert dispatcher.ended() == 4
