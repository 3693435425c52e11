"""What agents' trees take of the machine: from their control groups where they have some, else from the processes.

All are looked at in one pass over the machine's processes: a walk for each agent would cost a hundred times as much.
"""

from __future__ import annotations

import contextlib
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import psutil

from omni_tui.model.footprint import TreeUse
from omni_tui.plugins.runtime import capping, liveness
from omni_tui.plugins.runtime.protocol import Handle


class _Process(NamedTuple):
    parent: int
    cpu_seconds: float
    """Its own, and that of its children that have ended."""
    memory: int
    """Bytes."""


def measure(handles: Sequence[Handle]) -> dict[str, TreeUse]:
    """Look at the trees of agents, by their run's directory; one that has gone is missing. Blocks for some ms."""
    found = {handle.run_dir: use for handle in handles if (use := _grouped(handle)) is not None}
    alone = [handle for handle in handles if handle.run_dir not in found and _lives(handle)]
    if not alone:
        return found
    machine = dict(_processes())
    children: defaultdict[int, list[int]] = defaultdict(list)
    for pid, process in machine.items():
        children[process.parent].append(pid)
    for handle in alone:
        tree = [machine[pid] for pid in _below(handle.pid, children) if pid in machine]
        found[handle.run_dir] = TreeUse(
            cpu_seconds=sum(process.cpu_seconds for process in tree),
            memory_mb=sum(process.memory for process in tree) / 1e6,
            processes=len(tree),
            uncapped=capping.is_uncapped(Path(handle.run_dir)),
        )
    return found


def _lives(handle: Handle) -> bool:
    return liveness.is_alive(handle.pid, handle.process_started, handle.boot_id)


def _grouped(handle: Handle) -> TreeUse | None:
    """Return what its groups tell, also once it has ended; None: it has none."""
    return capping.use(Path(handle.run_dir))


def _below(top: int, children: dict[int, list[int]]) -> Iterator[int]:
    waiting = [top]
    while waiting:
        pid = waiting.pop()
        yield pid
        waiting += children.get(pid, ())


def _processes() -> Iterator[tuple[int, _Process]]:
    """Yield every process there is, by proc_pid_stat(5); where there is no /proc, as far as psutil may look."""
    if not Path("/proc/self/stat").exists():
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):  # gone meanwhile, or another user's: not of an agent
                used = sum(process.cpu_times()[:4])
                yield process.pid, _Process(process.ppid(), used, process.memory_info().rss)
        return
    ticks, page = liveness.ticks_per_second(), os.sysconf("SC_PAGE_SIZE")
    for name in os.listdir("/proc"):  # noqa: PTH208 - hundreds of names, many times an hour
        if name.isdigit() and (fields := liveness.stat_fields(int(name))) is not None:
            yield int(name), _Process(int(fields[1]), sum(map(int, fields[11:15])) / ticks, int(fields[21]) * page)
