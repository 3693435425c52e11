"""A terminal that stops reading delays no kill, start, merge or end; one that comes back shows the truth."""

from __future__ import annotations

import asyncio
import itertools
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from omni_tui.cockpit.ending import PATIENCE
from omni_tui.model.event import Event
from omni_tui.model.task import Status
from omni_tui.store.journal import read_events
from tests.support.cockpit_terminal import CockpitTerminal, cockpit_in_a_terminal
from tests.support.fleets import AGENT, TestFleet, make_fleet
from tests.support.waiting import wait_for

SETTINGS = """
[scheduler]
slots = 6
spares = false
[limits]
attempts = 1
kill_grace_seconds = 0.2
[cockpit]
screen_hz = 20
"""
NOISY = (
    AGENT
    + r"""
say accepted
count=0
while :; do
    count=$((count + 1))
    printf '{"event": "activity", "detail": "step %d"}\n' "$count" >> "$OMNI_EVENTS"
    printf '\033[3%dm%s: line %d of very much that a terminal has to show\033[0m\n' $((count % 8)) "$OMNI_TASK" "$count"
    sleep 0.05
done
"""
)
"""Prints and signals twenty times a second."""
PATIENT = (
    AGENT
    + r"""
say accepted
while ! [ -e "{gates}/$OMNI_TASK" ]; do sleep 0.02; done
echo "done by $OMNI_TASK" > "$OMNI_TASK.txt"
commit "do $OMNI_TASK"
say finished
"""
)
"""Does its task once a file lets it."""


class Night:
    """A fleet with agents that print much, and agents that wait for a word."""

    def __init__(self, fleet: TestFleet, gates: Path) -> None:
        self.fleet = fleet
        self._gates = gates
        self._numbers = itertools.count(1)

    def task(self, agent: str) -> str:
        """Drop a task for an agent into `todo/`."""
        name = f"t{next(self._numbers)}"
        written = self.fleet.root / f"{name}.md"
        written.write_text(f'+++\nid = "{name}"\ntitle = "A task for {agent}"\nagent = "{agent}"\n+++\n')
        written.rename(self.fleet.paths.queue(Status.TODO) / written.name)
        return name

    def event(self, name: str, task: str = "", phase: str = "") -> Event:
        """Wait for an event of the journal; return it."""

        def look() -> Event | None:
            for event in read_events(self.fleet.fleet.paths.journal):
                if event.event == name and event.task == task and phase in (event.data.get("phase"), ""):
                    return event
            return None

        return wait_for(look, f"{name} {task} {phase}", 30)

    def running(self, agent: str) -> str:
        """Queue a task and wait until its agent has it."""
        task = self.task(agent)
        self.event("attempt.phase", task, "watch")
        return task

    def kill(self) -> None:
        """Have an agent killed by another process; return when the journal tells of it."""
        task = self.running("noisy")
        argv = [sys.executable, "-m", "omni_tui", "--fleet", str(self.fleet.root), "kill", task, "--json"]
        subprocess.run(argv, check=True, capture_output=True, timeout=60)
        self.event("attempt.killed", task)

    def land(self) -> None:
        """Let an agent finish; return when its task has landed."""
        task = self.running("patient")
        (self._gates / task).touch()
        self.event("task.landed", task)


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    gates = tmp_path / "gates"
    gates.mkdir()
    fleet = asyncio.run(make_fleet(tmp_path, settings=SETTINGS))
    fleet.agent(NOISY, "noisy")
    fleet.agent(PATIENT.replace("{gates}", str(gates)), "patient")
    yield Night(fleet, gates)
    subprocess.run(["tmux", "-S", fleet.fleet.paths.tmux_socket, "kill-server"], capture_output=True, timeout=30)


STOPS: dict[str, tuple[Callable[[CockpitTerminal], None], Callable[[CockpitTerminal], None]]] = {
    "unread": (CockpitTerminal.stop, CockpitTerminal.go_on),
    "flow-stopped": (CockpitTerminal.hold, CockpitTerminal.release),
}


@pytest.mark.parametrize("how", STOPS)
def test_a_stopped_terminal_holds_up_no_kill_start_or_merge(night: Night, how: str) -> None:
    stop, go_on = STOPS[how]
    night.task("noisy")
    with cockpit_in_a_terminal(night.fleet.root) as terminal:
        terminal.sees("very much that a terminal has to show")
        night.land()
        terminal.sees("1 landed")

        stop(terminal)
        terminal.wait_until_frozen()
        terminal.press("f")
        night.kill()
        night.running("noisy")
        night.land()
        terminal.wait_until_frozen()  # and has been all the time: nothing but a reader sets it free
        frozen = [event for event in read_events(night.fleet.fleet.paths.journal) if event.event == "fleet.frozen"]

        assert frozen == [], "a cockpit that stands still takes no keys"
        go_on(terminal)
        night.event("fleet.frozen")  # the key pressed meanwhile
        for word in ("FROZEN", "2 landed", "2 running", "1 blocked"):
            terminal.sees(word)
        terminal.press("q")
        assert terminal.ended() == 0
        assert len(night.fleet.queue.files(Status.DOING)) == 2, "quitting leaves agents at work"


@pytest.mark.parametrize("how", STOPS)
def test_sigterm_ends_a_cockpit_whose_terminal_has_stopped(night: Night, how: str) -> None:
    task = night.task("noisy")
    with cockpit_in_a_terminal(night.fleet.root) as terminal:
        terminal.sees("very much that a terminal has to show")
        STOPS[how][0](terminal)
        terminal.wait_until_frozen()

        began = time.time()
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.ended() == 0

        stopped = night.event("core.stopped")
        assert stopped.data["reason"] == "SIGTERM"
        assert stopped.time - began < PATIENCE, "the core does not wait for the screen"
        assert night.fleet.queue.find(task), "it is where it was"
        assert len(night.fleet.queue.files(Status.DOING)) == 1
        assert termios.tcgetattr(terminal.side) == terminal.before
        terminal.go_on()
        wait_for(lambda: b"\x1b[?1049l\x1b[?25h" in terminal.tail, "the way out of the other screen")


def test_q_pressed_as_the_terminal_stops_ends_it_all_the_same(night: Night) -> None:
    night.task("noisy")
    with cockpit_in_a_terminal(night.fleet.root) as terminal:
        terminal.sees("very much that a terminal has to show")
        terminal.hold()
        terminal.press("q")
        assert terminal.ended() == 0
        assert night.event("core.stopped").data["reason"] == "the cockpit was closed"


def test_without_its_terminal_the_core_goes_on_until_sigterm(night: Night) -> None:
    with cockpit_in_a_terminal(night.fleet.root) as terminal:
        terminal.sees("No tasks yet.")
        terminal.stop()
        terminal.process.send_signal(signal.SIGHUP)
        night.land()
        assert terminal.process.poll() is None
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.ended() == 0
        assert night.event("core.stopped").data["reason"] == "SIGTERM"


def test_sigterm_ends_a_visit_with_the_cockpit(night: Night) -> None:
    night.task("patient")
    with cockpit_in_a_terminal(night.fleet.root) as terminal:
        terminal.sees("watch")
        terminal.press("a")
        visitor = wait_for(lambda: children(terminal.process.pid), "the visit")
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.ended() == 0
        wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in visitor), "the visit's end")


def children(pid: int) -> list[int]:
    """Return the tmux clients that a process has started and that are attached to its terminal."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    terminal = Path(f"/proc/{pid}/fd/0").readlink()
    return [int(child) for child in listed if Path(f"/proc/{child}/fd/0").readlink() == terminal]
