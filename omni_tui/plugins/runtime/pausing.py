"""Stopping an agent's whole tree (SIGSTOP), and letting it go on (SIGCONT).

The wrapper is left alone: it only waits, and tmux lets a pane's process go on that stands still. A namespace's
process 1 heeds both, because they come from outside of it, see pid_namespaces(7).
"""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress

import psutil

from omni_tui.plugins.runtime import tree
from omni_tui.plugins.runtime.protocol import Handle

LOOKS = 20
"""How often it is looked for who was begun meanwhile: by then even a tree that grows stands still from its top."""

STILL = (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP, psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)


async def stop_tree(handle: Handle) -> None:
    """Have every process of an agent stand still, also those that it begins while this looks."""
    await asyncio.to_thread(_stop, handle)


async def continue_tree(handle: Handle) -> None:
    """Have every process of an agent go on that stands still."""
    await asyncio.to_thread(_continue, handle)


def _stop(handle: Handle) -> None:
    for _ in range(LOOKS):
        at_work = [pid for pid in sorted(tree.whole(handle) - {handle.pid}) if not _stands(pid)]
        if not at_work:
            return
        _signal(signal.SIGSTOP, at_work)


def _continue(handle: Handle) -> None:
    _signal(signal.SIGCONT, [pid for pid in tree.whole(handle) if _stands(pid)])


def _stands(pid: int) -> bool:
    """Whether a process is stopped, or over."""
    try:
        return psutil.Process(pid).status() in STILL
    except psutil.NoSuchProcess:
        return True


def _signal(number: signal.Signals, pids: list[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):  # it has just ended
            os.kill(pid, number)
