"""The program's cockpit in a real terminal of its own, which a test reads, stops reading, and reads again."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from omni_tui.plugins.runtime.emulator import Emulator
from tests.support.waiting import wait_for

ROWS, COLUMNS = 30, 100
SECONDS = 30.0
FROZEN_SECONDS = 1.6
"""The cockpit's clock ticks each second: a main thread that has not run for so long stands still."""


class CockpitTerminal:
    """A pty with the cockpit in it. Somebody reads it all the time, but between `stop` and `go_on`."""

    def __init__(self, root: Path, *words: str) -> None:
        self.master, self.side = pty.openpty()
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.before = termios.tcgetattr(self.side)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "omni_tui", "--fleet", str(root), *words],
            stdin=self.side,
            stdout=self.side,
            stderr=self.side,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 (no thread runs here)
            env={**os.environ, "TERM": "xterm-256color", "TMUX": ""},
        )
        self.tail = b""
        """The last that was read."""
        self._emulator = Emulator(COLUMNS, ROWS, 0, lambda _: None)
        self._reading = threading.Event()
        self._closed = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self.go_on()
        self._reader.start()

    def _read(self) -> None:
        while not self._closed:
            self._reading.wait()
            if self._reading.is_set() and select.select([self.master], [], [], 0.05)[0]:
                try:
                    read = os.read(self.master, 65536)
                except OSError:  # EIO: nobody has the terminal open any more
                    return
                self.tail = (self.tail + read)[-4096:]
                self._emulator.feed(read)

    def stop(self) -> None:
        """Stop reading."""
        self._reading.clear()

    def go_on(self) -> None:
        """Read again."""
        self._reading.set()

    def hold(self) -> None:
        """Stop the flow, as Ctrl-S does where the terminal takes it."""
        termios.tcflow(self.side, termios.TCOOFF)

    def release(self) -> None:
        """Let it flow, as Ctrl-Q does."""
        termios.tcflow(self.side, termios.TCOON)

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self.master, keys.encode())

    def text(self) -> str:
        """Return what the terminal shows."""
        asyncio.run(self._emulator.catch_up())
        return re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(self._emulator.lines()))

    def sees(self, word: str) -> None:
        """Wait for a word on the screen."""
        try:
            wait_for(lambda: word in self.text(), word, SECONDS)
        except AssertionError as error:
            raise AssertionError(f"{error}, but:\n{self.text()}") from None

    def wait_until_frozen(self) -> None:
        """Wait until the thread that draws has stood still for so long that it cannot be by chance."""
        status = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/status")

        def switches() -> list[str]:
            return [line for line in status.read_text().splitlines() if "ctxt_switches" in line]

        def stands_still() -> bool:
            before = switches()
            moved = threading.Event()
            moved.wait(FROZEN_SECONDS)  # standing still is what is looked for
            return switches() == before

        wait_for(stands_still, "the cockpit stands still", SECONDS)

    def ended(self) -> int:
        """Wait for the program's end; return its exit status."""
        return self.process.wait(timeout=SECONDS)

    def close(self) -> None:
        """End what is left."""
        self._closed = True
        self._reading.set()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._reader.join()
        for fd in (self.master, self.side):
            os.close(fd)


@contextmanager
def cockpit_in_a_terminal(root: Path, *words: str) -> Iterator[CockpitTerminal]:
    """Open the cockpit on the fleet at `root` for as long as the context lasts."""
    terminal = CockpitTerminal(root, *words)
    try:
        yield terminal
    finally:
        terminal.close()
