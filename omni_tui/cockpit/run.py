"""Runs the cockpit: with the core beside it on its own thread, or as an observer if another process dispatches."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from omni_tui.cockpit.app import CockpitApp, machine_load
from omni_tui.cockpit.insight import FleetInsight
from omni_tui.cockpit.ports import Ports
from omni_tui.cockpit.visit import go
from omni_tui.engine.thread import LoopThread
from omni_tui.errors import LeaseHeldError
from omni_tui.fleet import Fleet
from omni_tui.leader import Leader
from omni_tui.resources import styles_dir
from omni_tui.store import control
from omni_tui.store.reader import FleetReader


def run(root: Path, *, slots: int | None = None, stop_agents: bool = False) -> int:
    """Show the fleet at `root` and dispatch it, unless another process does; return the exit status.

    Quitting leaves agents at work. When the terminal goes away (SIGHUP), the cockpit ends and the core goes on until
    SIGTERM.
    """
    fleet = Fleet(root, slots=slots)
    fleet.load_plugins()  # before Textual puts its own stream in stdout's place, which not every library stands
    try:
        leader = Leader(fleet, "cockpit", lambda _event: None, stop_agents=stop_agents)
    except LeaseHeldError:
        return _observe(fleet)
    return _lead(fleet, leader)


def _lead(fleet: Fleet, leader: Leader) -> int:
    app = CockpitApp(_ports(fleet, FleetInsight(fleet, leader.submit, os.environ), here=True))
    with _terminal_signals(app, leader) as terminal:
        app.run()
        if not terminal.lost:
            leader.stop("the cockpit was closed")
        leader.close()
    return app.return_code or 0


def _observe(fleet: Fleet) -> int:
    thread = LoopThread("observer")
    try:
        app = CockpitApp(_ports(fleet, FleetInsight(fleet, thread.submit, os.environ), here=False))
        app.run()
    finally:
        thread.submit(fleet.runtime.close()).result()
        thread.close()
    return app.return_code or 0


def _ports(fleet: Fleet, insight: FleetInsight, *, here: bool) -> Ports:
    directory = fleet.paths.control
    return Ports(
        reader=FleetReader(fleet.paths, fleet.clock.now),
        insight=insight,
        post=lambda request: control.post(directory, request),
        read_reply=lambda request_id: control.read_reply(directory, request_id),
        go=go,
        now=fleet.clock.now,
        new_id=lambda: uuid.uuid4().hex[:12],
        load=machine_load,
        settings=fleet.settings.cockpit,
        styles=styles_dir(),
        here=here,
    )


class _Terminal:
    """Whether the terminal has gone away."""

    lost = False


@contextmanager
def _terminal_signals(app: CockpitApp, leader: Leader) -> Iterator[_Terminal]:
    """Have a lost terminal (SIGHUP) end the screen alone, and SIGTERM both."""
    terminal = _Terminal()

    def hang_up(_number: int, _frame: object) -> None:
        terminal.lost = True
        app.exit()

    def terminate(_number: int, _frame: object) -> None:
        leader.stop("SIGTERM")
        app.exit()

    before = signal.signal(signal.SIGHUP, hang_up), signal.signal(signal.SIGTERM, terminate)
    try:
        yield terminal
    finally:
        signal.signal(signal.SIGHUP, before[0])
        signal.signal(signal.SIGTERM, before[1])
