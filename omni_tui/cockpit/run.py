"""Runs the cockpit: with the core beside it on its own thread, or as an observer if another process dispatches."""

from __future__ import annotations

import os
import uuid
from collections.abc import Coroutine
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from omni_tui.cockpit.app import CockpitApp, machine_load
from omni_tui.cockpit.ending import show
from omni_tui.cockpit.foresight import FleetForesight
from omni_tui.cockpit.insight import FleetInsight
from omni_tui.cockpit.ports import Ports
from omni_tui.cockpit.visit import go
from omni_tui.engine.thread import LoopThread
from omni_tui.errors import LeaseHeldError
from omni_tui.fleet import Fleet
from omni_tui.leader import Leader
from omni_tui.linting import remarks_on
from omni_tui.model.settings import Slots
from omni_tui.resources import styles_dir
from omni_tui.store import control
from omni_tui.store.reader import FleetReader

T = TypeVar("T")


def run(root: Path, *, slots: Slots | None = None, take_over: bool = False, stop_agents: bool = False) -> int:
    """Show the fleet at `root` and dispatch it, unless another process does; return the exit status.

    With `take_over` it dispatches also then. Quitting leaves agents at work. How the rest ends, also on a terminal that
    has gone or stopped: `cockpit.ending`.
    """
    fleet = Fleet(root, slots=slots, take_over=take_over)
    fleet.load_plugins()  # before Textual puts its own stream in stdout's place, which not every library stands
    backstage: Leader | Observer
    try:
        backstage = Leader(fleet, "cockpit", lambda _event: None, stop_agents=stop_agents)
    except LeaseHeldError:
        backstage = Observer(fleet)
    insight = FleetInsight(fleet, backstage.submit, os.environ)
    return show(CockpitApp(_ports(fleet, insight, here=isinstance(backstage, Leader))), backstage)


class Observer:
    """What works behind a cockpit whose fleet another process dispatches: the way to agents' screens."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._thread = LoopThread("observer")

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run `work` on a loop of its own, where the runtime lives."""
        return self._thread.submit(work)

    def stop(self, reason: str) -> None:
        """Do nothing: what runs here runs only while it is asked."""

    def close(self) -> None:
        """Let go of the runtime."""
        self._thread.submit(self._fleet.runtime.close()).result()
        self._thread.close()


def _ports(fleet: Fleet, insight: FleetInsight, *, here: bool) -> Ports:
    directory = fleet.paths.control
    return Ports(
        reader=FleetReader(fleet.paths, fleet.clock.now),
        insight=insight,
        foresight=FleetForesight(fleet),
        post=lambda request: control.post(directory, request),
        read_reply=lambda request_id: control.read_reply(directory, request_id),
        go=go,
        now=fleet.clock.now,
        new_id=lambda: uuid.uuid4().hex[:12],
        load=machine_load,
        settings=lambda: Fleet(fleet.paths.root).settings.cockpit,
        styles=styles_dir(),
        remarks=lambda row: [f"{each.level} {each.kind}: {each.words}" for each in remarks_on(fleet, row)],
        here=here,
    )
