"""The same core without a display: dispatches until it is told to stop, and prints what happens, a line an event."""

from __future__ import annotations

import contextlib
import queue
import signal
import sys
from collections.abc import Callable, Iterator
from datetime import time
from pathlib import Path
from types import FrameType
from typing import TextIO

import msgspec

from omni_tui.fleet import Fleet
from omni_tui.leader import Leader
from omni_tui.model.event import Event
from omni_tui.model.settings import Slots
from omni_tui.model.task import Status
from omni_tui.narration import narrate
from omni_tui.policy.stop import stop_at
from omni_tui.words import local_offset

HEARING_SECONDS = 1.0
"""The longest wait for an event: a signal that comes as a wait begins, or that another thread gets, does not end it,
and is heard only after it. Measured: one of 60,000; on an idle fleet it would be heard never."""

FINE, FAILED, STOPPED_BY_CONDITION, SOME_BLOCKED = 0, 1, 4, 5
"""Exit statuses; 2 (usage) and 3 (another dispatcher) come with their errors."""


class HeadlessOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How long to go on, and how to tell."""

    json: bool = False
    until_idle: bool = False
    until: time | None = None
    """Stop when local clocks show this."""
    lasting: float | None = None
    """Stop after so many seconds; the earlier of the two counts."""
    slots: Slots | None = None
    take_over: bool = False
    """Dispatch even where another process does."""
    stop_agents: bool = False
    """End the agents when stopping, instead of leaving them at work."""


def run(root: Path, options: HeadlessOptions, out: TextIO | None = None) -> int:
    """Dispatch the fleet at `root` and return the exit status. Raises `LeaseHeldError` if another process does."""
    fleet = Fleet(root, slots=options.slots, take_over=options.take_over)
    moment = stop_at(fleet.clock.now(), options.until, options.lasting, local_offset)
    events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
    leader = Leader(fleet, "headless", events.put, until_idle=options.until_idle, stop_agents=options.stop_agents)
    leader.ended.add_done_callback(lambda _: events.put(None))
    printer = Printer(out or sys.stdout, as_json=options.json)
    timed_out = False
    with _signals(leader.stop):
        while True:
            if moment is not None and not timed_out and fleet.clock.now() >= moment:
                timed_out = True
                leader.stop("the time is up")
            try:
                event = events.get(timeout=HEARING_SECONDS)
            except queue.Empty:
                continue
            if event is None:
                break
            printer.show(event)
    leader.close()
    return FAILED if printer.faults else _status(fleet, stopped=timed_out or printer.held)


def _status(fleet: Fleet, *, stopped: bool) -> int:
    if stopped:
        return STOPPED_BY_CONDITION
    blocked = any(fleet.queue(name).files(Status.BLOCKED) for name in fleet.paths.workspace_names())
    return SOME_BLOCKED if blocked else FINE


class Printer:
    """Prints events: JSON, or a sentence. When nobody reads any more, it falls silent and the work goes on."""

    def __init__(self, out: TextIO, *, as_json: bool) -> None:
        self.faults: set[str] = set()
        """What makes the run a failed one: something of ours failed, or a workspace cannot be used."""
        self.held = False
        """The run ended because the whole fleet was stopped by its own rules, or frozen while tasks waited."""
        self._standstill = ""
        """What the fleet said last of what holds all of it."""
        self._out = out
        self._as_json = as_json
        self._open = True

    def show(self, event: Event) -> None:
        """Print one event, if anybody reads."""
        self._judge(event)
        line = _as_json(event) if self._as_json else narrate(event)
        if not (line and self._open):
            return
        try:
            print(line, file=self._out, flush=True)
        except BrokenPipeError:
            self._open = False

    def _judge(self, event: Event) -> None:
        match event.event:
            case "core.fault":
                self.faults.add("core")
            case "workspace.refused":
                self.faults.add(f"workspace {event.workspace}")
            case "workspace.opened":
                self.faults.discard(f"workspace {event.workspace}")
            case "fleet.idle" | "fleet.stopped":
                self._standstill = event.data.get("reason", "")
            case "core.stopped":
                self.held = bool(self._standstill) and event.data.get("reason") == self._standstill


def _as_json(event: Event) -> str:
    fields = msgspec.to_builtins(event)
    head = {
        "time": event.time,
        "event": event.event,
        "workspace": event.workspace,
        "task": event.task,
        "attempt": event.attempt,
    }
    return msgspec.json.encode(head | fields.get("data", {})).decode()


@contextlib.contextmanager
def _signals(stop: Callable[[str], None]) -> Iterator[None]:
    """Have Ctrl-C and SIGTERM stop the core, and a lost terminal (SIGHUP) change nothing."""

    def handler(number: int, _frame: FrameType | None) -> None:
        stop(signal.Signals(number).name)

    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    before[signal.SIGHUP] = signal.signal(signal.SIGHUP, lambda *_: None)  # heard: agents would inherit an ignored one
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
