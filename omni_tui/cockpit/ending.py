"""How the cockpit ends, also on a terminal that has stopped reading: left alone, Textual would wait for that for ever.

Its writer queue holds 30 frames; once it is full, whoever writes stands still, and so does the end of the app.
"""

from __future__ import annotations

import os
import signal
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Protocol

from omni_tui.cockpit.app import CockpitApp

PATIENCE = 3.0
"""Seconds that the app has to leave the terminal, once it has been told to."""
WAKE_UP = signal.SIGUSR1
"""Interrupts a thread that waits for the terminal."""
LEAVE_TERMINAL = (
    b"\x18\x1b[?2026l\x1b[<u\x1b[?1000l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1004l\x1b[?2004l\x1b[?2048l"
    b"\x1b[?7h\x1b[?1049l\x1b[?25h\x1b[m"
)
"""Undoes what Textual's driver switches on: a sequence cut short, synchronised output, keyboard protocol, mouse, focus,
paste, resize reports, no wrapping, the other screen, no cursor. Sequences: xterm's ctlseqs."""


class Backstage(Protocol):
    """What works behind the cockpit, on threads of its own."""

    def stop(self, reason: str) -> None:
        """Ask it to stop; safe from a signal handler."""
        ...

    def close(self) -> object:
        """Wait until it has stopped."""
        ...


def show(app: CockpitApp, backstage: Backstage) -> int:
    """Show `app`, then stop and close what is behind it; return the exit status.

    SIGTERM and SIGINT end both at once. A terminal that goes away (SIGHUP) ends the app alone: what is behind it goes
    on until SIGTERM. A terminal that has stopped reading is given `PATIENCE`, then the app ends without it.
    """
    ending = _Ending(app, backstage)
    threading.Thread(target=ending.see_out, name="ending", daemon=True).start()
    with ending.signals():
        app.run()
        ending.finish()
    return app.return_code or 0


class _Ending:
    """One run's end."""

    def __init__(self, app: CockpitApp, backstage: Backstage) -> None:
        self._app = app
        self._backstage = backstage
        self._terminal = _Terminal()
        self._gone = threading.Event()
        self._hung_up = False

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Take the signals that end us."""
        handlers = {
            signal.SIGHUP: self._hang_up,
            signal.SIGTERM: self._terminate,
            signal.SIGINT: self._terminate,
            WAKE_UP: lambda *_: None,
        }
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _hang_up(self, _number: int, _frame: FrameType | None) -> None:
        self._hung_up = True
        self._app.leave()

    def _terminate(self, number: int, _frame: FrameType | None) -> None:
        self._backstage.stop(signal.Signals(number).name)
        self._app.leave()

    def see_out(self) -> None:
        """Once the app has been told to leave, give it `PATIENCE`; then take the terminal away from it."""
        self._app.leaving.get()
        if not self._gone.wait(PATIENCE):
            self._terminal.take_away()

    def finish(self) -> None:
        """After the app's end, stop what is behind it, unless only the terminal was lost, and wait for its end."""
        self._gone.set()
        self._terminal.restore()
        if not self._hung_up:
            self._backstage.stop("the cockpit was closed")
        self._backstage.close()


class _Terminal:
    """The terminal that the app draws on."""

    def __init__(self) -> None:
        self._outputs = [fd for fd in (1, 2) if os.isatty(fd)]
        self._name = os.ttyname(self._outputs[-1]) if self._outputs else ""
        self._taken_away = False

    def take_away(self) -> None:
        """Have all output go to nowhere, and wake who waits for the terminal to take it: they try again there."""
        self._taken_away = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for fd in self._outputs:
            os.dup2(nowhere, fd)
        os.close(nowhere)
        for thread in threading.enumerate():
            if thread.ident is not None:
                signal.pthread_kill(thread.ident, WAKE_UP)

    def restore(self) -> None:
        """Leave a terminal that was taken away as a shell wants it; what nobody has read of the frames is dropped."""
        if not self._taken_away or not self._name:
            return
        with suppress(OSError, termios.error):  # it may be gone for good: nobody is left to tell
            fd = os.open(self._name, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
            termios.tcflush(fd, termios.TCOFLUSH)
            termios.tcflow(fd, termios.TCOON)
            os.write(fd, LEAVE_TERMINAL)
            os.close(fd)
