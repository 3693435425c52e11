"""Goes to an agent's terminal in the foreground, and comes back."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from omni_tui.plugins.terminal.protocol import Visit

LOOK_SECONDS = 0.02
"""So often it is looked whether a visit has ended."""


def go(visit: Visit) -> int:
    """Run `visit` with the terminal of this process until it ends; return its exit status (128 + signal if killed).

    Ctrl-C belongs to the visited program while it runs; what ends this process ends the visit as well. Raises `OSError`
    when the program cannot be started.
    """
    sys.stdout.write(visit.way_back + "\n")
    sys.stdout.flush()
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with passing_on() as pass_to:
            pid = os.posix_spawnp(visit.argv[0], visit.argv, visit.env, setsigdef=[signal.SIGINT])
            pass_to(pid)
            while not (ended := os.waitpid(pid, os.WNOHANG))[0]:
                time.sleep(LOOK_SECONDS)  # a signal that comes as a wait begins is heard only after it
            status = ended[1]
    finally:
        signal.signal(signal.SIGINT, before)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


@contextmanager
def passing_on() -> Iterator[Callable[[int], None]]:
    """Yield what names the process that gets the signals that end this one, too: nobody else would end it.

    Those that come before it is named, while it is being started, it gets then.
    """
    came: list[int] = []
    named: list[int] = []

    def pass_on(number: int, frame: FrameType | None) -> None:
        came.append(number)
        for pid in named:
            os.kill(pid, number)
        outer = before[signal.Signals(number)]
        if callable(outer):
            outer(number, frame)

    def name(pid: int) -> None:
        named.append(pid)
        for number in came:
            os.kill(pid, number)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield name
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
