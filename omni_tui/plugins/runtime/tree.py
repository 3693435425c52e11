"""An agent's tree of processes: what descends from its wrapper, and what carries its marker."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import psutil

from omni_tui.plugins.runtime import liveness, records
from omni_tui.plugins.runtime.protocol import Handle


def whole(handle: Handle) -> set[int]:
    """Return all processes of an agent, its wrapper included; nothing if they are gone. Blocks for some ms."""
    record = records.read_process(Path(handle.run_dir))
    if record is not None and record.method == "marker":
        return marked(records.mark_of(Path(handle.run_dir))) | below(handle)
    return below(handle)


def marked(mark: str) -> set[int]:
    """Return the processes whose environment holds the marker, ours excepted."""
    found = set()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):  # gone meanwhile, or another user's: not of this agent
            if process.environ().get(records.MARK) == mark:
                found.add(process.pid)
    return found - {os.getpid()}


def below(handle: Handle) -> set[int]:
    """Return the wrapper and what descends from it; nothing if it is gone."""
    if not liveness.is_alive(handle.pid, handle.process_started, handle.boot_id):
        return set()
    with contextlib.suppress(psutil.NoSuchProcess):
        return {handle.pid, *(child.pid for child in psutil.Process(handle.pid).children(recursive=True))}
    return set()
