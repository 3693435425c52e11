"""The headless run's printer: a line an event, and what makes the run a failed one."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from omni_tui.headless import Printer
from omni_tui.model.event import Event
from omni_tui.store.layout import create_fleet

REFUSED = Event(time=1.0, event="workspace.refused", workspace="app", data={"error": "it has no repo.git"})
OPENED = Event(time=2.0, event="workspace.opened", workspace="app")
OTHER = Event(time=2.0, event="workspace.opened", workspace="other")
FAULT = Event(time=3.0, event="core.fault", data={"where": "scheduler", "error": "KeyError"})


@pytest.mark.parametrize(
    ("events", "failed"),
    [
        ([OPENED], False),
        ([REFUSED], True),
        ([REFUSED, OTHER], True),
        ([REFUSED, OPENED], False),
        ([OPENED, REFUSED], True),
        ([FAULT, OPENED], True),
    ],
)
def test_a_workspace_that_opened_after_all_is_no_fault(events: list[Event], failed: bool) -> None:
    printer = Printer(io.StringIO(), as_json=True)
    for event in events:
        printer.show(event)
    assert bool(printer.faults) is failed


def test_json_is_an_event_a_line_with_its_data_beside_time_event_task_and_attempt() -> None:
    out = io.StringIO()
    Printer(out, as_json=True).show(
        Event(time=1.5, event="attempt.started", workspace="app", task="0001", attempt=2, data={"agent": "ada"})
    )
    [line] = out.getvalue().splitlines()
    assert json.loads(line) == {
        "time": 1.5,
        "event": "attempt.started",
        "workspace": "app",
        "task": "0001",
        "attempt": 2,
        "agent": "ada",
    }


UNHEARD = """
import signal, sys, threading
from omni_tui import cli, headless

class Printer(headless.Printer):
    def show(self, event):
        super().show(event)
        if event.event == "core.started":
            threading.Timer(0.5, lambda: signal.pthread_kill(threading.get_ident(), signal.SIGTERM)).start()

headless.Printer = Printer
sys.exit(cli.run(sys.argv[1:]))
"""
"""A signal that another thread gets interrupts no wait of the main thread's, like one that comes as that begins."""


def test_a_signal_that_does_not_interrupt_the_wait_is_heard_all_the_same(tmp_path: Path) -> None:
    root = create_fleet(tmp_path / "fleet", '[sandbox]\nkind = "off"\n').root
    argv = [sys.executable, "-c", UNHEARD, "--fleet", str(root), "--headless", "--json"]
    ended = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout.splitlines()[-1])["reason"] == "SIGTERM"


def test_that_there_is_no_sandbox_is_said_aloud() -> None:
    out = io.StringIO()
    Printer(out, as_json=False).show(Event(time=1.0, event="fleet.unguarded"))
    assert "NO SANDBOX: agents, checks and set-up commands can read and change all that you can" in out.getvalue()


def test_words_leave_out_what_only_the_journal_needs() -> None:
    out = io.StringIO()
    printer = Printer(out, as_json=False)
    printer.show(Event(time=1.0, event="attempt.signal", workspace="app", task="0001", attempt=1))
    assert out.getvalue() == ""
    printer.show(REFUSED)
    assert out.getvalue().endswith("app cannot be used: it has no repo.git\n")


def test_where_nobody_reads_any_more_the_work_goes_on() -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError(text)

    printer = Printer(Closed(), as_json=True)
    printer.show(OPENED)
    printer.show(REFUSED)
    assert printer.faults
