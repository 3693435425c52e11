"""Visits an agent of the process runtime: `python -m omni_tui.plugins.runtime.attach SOCKET`; Ctrl-] comes back."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct
import sys
import termios
import tty
from collections.abc import Iterator
from types import FrameType

BACK_KEY = b"\x1d"
_LEAVE = b"\x1b[0m\x1b[?1l\x1b[?2004l\x1b[?1049l"


@contextlib.contextmanager
def _raw(terminal: int) -> Iterator[None]:
    """Pass every key through, on the alternate screen; afterwards the terminal is as it was."""
    before = termios.tcgetattr(terminal)
    try:
        tty.setraw(terminal, termios.TCSADRAIN)  # what was typed ahead is kept
        os.write(sys.stdout.fileno(), b"\x1b[?1049h")
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
        os.write(sys.stdout.fileno(), _LEAVE)


def _relay(agent: socket.socket, terminal: int, resized: int) -> None:
    """Carry keys one way and frames the other until the key to come back, or the agent's end."""
    while True:
        ready, _, _ = select.select([terminal, agent.fileno(), resized], [], [])
        if resized in ready:
            os.read(resized, 64)
            _send_size(agent, terminal)
        if agent.fileno() in ready:
            frame = agent.recv(65536)
            if not frame:
                return
            sys.stdout.buffer.write(frame)
            sys.stdout.buffer.flush()
        if terminal in ready:
            keys, back, _ = os.read(terminal, 4096).partition(BACK_KEY)
            agent.sendall(b"k" + struct.pack(">H", len(keys)) + keys)
            if back:
                return


def _send_size(agent: socket.socket, terminal: int) -> None:
    rows, columns = termios.tcgetwinsize(terminal)
    agent.sendall(b"r" + struct.pack(">HH", columns, rows))


def main(path: str) -> int:
    """Visit the agent that listens at `path`; return the exit status."""
    terminal = sys.stdin.fileno()
    resized, wake = os.pipe()

    def on_resize(_signal: int, _frame: FrameType | None) -> None:
        os.write(wake, b"r")

    with socket.socket(socket.AF_UNIX) as agent:
        try:
            agent.connect(path)
        except OSError as error:
            sys.stderr.write(f"the agent's terminal at {path} is gone: {error.strerror}\n")
            return 1
        signal.signal(signal.SIGWINCH, on_resize)
        with _raw(terminal), contextlib.suppress(ConnectionError):  # the agent ended: so does the visit
            _send_size(agent, terminal)
            _relay(agent, terminal, resized)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
