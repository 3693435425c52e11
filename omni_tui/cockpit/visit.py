"""Goes to an agent's terminal in the foreground, and comes back."""

from __future__ import annotations

import os
import signal
import sys

from omni_tui.plugins.terminal.protocol import Visit


def go(visit: Visit) -> int:
    """Run `visit` with the terminal of this process until it ends; return its exit status (128 + signal if killed).

    Ctrl-C belongs to the visited program while it runs. Raises `OSError` when the program cannot be started.
    """
    sys.stdout.write(visit.way_back + "\n")
    sys.stdout.flush()
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        pid = os.posix_spawnp(visit.argv[0], visit.argv, visit.env, setsigdef=[signal.SIGINT])
        _, status = os.waitpid(pid, 0)
    finally:
        signal.signal(signal.SIGINT, before)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code
