"""A fork of this process that is the next dispatcher: in a place of its own, on a loop of its own, to the end."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
import traceback
from collections.abc import Callable
from pathlib import Path


def succeed(lay_out: Callable[[Path], None], recover: Callable[[], None], patience: int) -> int:
    """Fork, have the fork make its tree in a fresh directory and `recover` there; return its exit status: 0 is well.

    The alarm ends one that takes longer than `patience` seconds. It is the only thread of the fork that runs, and no
    loop of its parent's runs in it.
    """
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    status = 1
    try:
        signal.alarm(patience)
        here = Path(tempfile.mkdtemp(prefix="torture-", dir=Path.cwd().parent))
        lay_out(here)
        os.chdir(here)
        status = _on_a_thread(recover)
        shutil.rmtree(here)
    finally:
        os._exit(status)


def _on_a_thread(recover: Callable[[], None]) -> int:
    """Run it where no loop runs yet; return 1 if it raised something."""
    ended = [1]

    def run() -> None:
        try:
            recover()
            ended[0] = 0
        except BaseException:  # noqa: BLE001 -- whatever it is, the parent hears of it by the status
            traceback.print_exc()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return ended[0]
