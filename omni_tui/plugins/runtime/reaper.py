"""Keeps a tree of processes together where there is no PID namespace: `python -I -S THIS ARGV`.

It starts ARGV and is the one to whom the kernel gives the orphans (PR_SET_CHILD_SUBREAPER, prctl(2)): whatever session
they made and whatever they did to their environment, they descend from it. When its program has ended, or on SIGTERM,
it kills what is left, and ends with the program's status. Stands alone, so that it starts in some 20 ms.
"""
# ruff: noqa: PTH123, PTH208
# Importing pathlib would take as long as all else.

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time

LOOKS, LOOK_SECONDS = 2500, 0.002
"""How long what was killed may take to go: one that waits for a disk must not keep us for ever."""

_SET_CHILD_SUBREAPER = 36
_TERMINAL = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP)
"""What a terminal sends to all that is on it, and is meant for the program."""
_AWAITED = (signal.SIGTERM, signal.SIGCHLD)
"""Blocked, and taken one by one: a handler's signal that comes as a wait begins would be heard only after it."""
_OF_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)
"""What Python ignores."""


def main(argv: list[str]) -> int:
    """Run `argv` and return its status as a shell tells it."""
    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for number in _TERMINAL:
        signal.signal(number, signal.SIG_IGN)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _AWAITED)
    program = os.posix_spawnp(argv[0], argv, os.environ, setsigmask=before, setsigdef=(*_TERMINAL, *_OF_PYTHON))
    status = _wait_for(program)
    _kill_all()
    return status


def _wait_for(program: int) -> int:
    """Reap whatever ends until `program` does, or SIGTERM comes; return the status as a shell tells it."""
    while True:
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] == program:
                code = os.waitstatus_to_exitcode(ended[1])
                return code if code >= 0 else 128 - code
        if signal.sigwaitinfo(_AWAITED).si_signo == signal.SIGTERM:
            return 128 + signal.SIGTERM


def _kill_all() -> None:
    """Kill our children until there are none: those of a dead one become ours."""
    with contextlib.suppress(ChildProcessError):  # none is left
        for _ in range(LOOKS):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
            for child in _children():
                with contextlib.suppress(PermissionError, ProcessLookupError):  # another user's by now, or just gone
                    os.kill(child, signal.SIGKILL)
            time.sleep(LOOK_SECONDS)


def _children() -> list[int]:
    """Return our children by proc(5): field 4 of stat is the parent."""
    found, ours = [], str(os.getpid()).encode()
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError), open(f"/proc/{name}/stat", "rb") as file:
                if file.read().rpartition(b") ")[2].split()[1] == ours:
                    found.append(int(name))
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
