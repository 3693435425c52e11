"""Whether a process is still the one that was started, and the moment it ends: by /proc and pidfd, else by psutil."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
from pathlib import Path

import psutil

_PROC = Path("/proc")
_BOOT_ID = _PROC / "sys/kernel/random/boot_id"
_POLL_SECONDS = 0.2


@functools.cache
def boot_id() -> str:
    """Return what tells this boot from any other; where the kernel has no id, the moment of the boot."""
    if _BOOT_ID.exists():
        return _BOOT_ID.read_text().strip()
    return str(int(psutil.boot_time()))


@functools.cache
def ticks_per_second() -> int:
    """Return the unit of start times in /proc."""
    return os.sysconf("SC_CLK_TCK")


def start_time(pid: int) -> float | None:
    """Return when `pid` started (Linux: seconds since boot, else UTC seconds); None: it is gone or a zombie."""
    if _BOOT_ID.exists():
        fields = stat_fields(pid)
        return None if fields is None or fields[0] in "ZX" else int(fields[19]) / ticks_per_second()
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.NoSuchProcess:
        return None


def stat_fields(pid: int) -> list[str] | None:
    """Return /proc/PID/stat from the state on (proc(5), field 3); None: no such process."""
    try:
        stat = (_PROC / str(pid) / "stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return stat.rpartition(b") ")[2].decode("ascii").split()


def is_alive(pid: int, started: float, boot: str) -> bool:
    """Whether the very process lives that was `pid`, started at `started`, in boot `boot`."""
    return boot == boot_id() and start_time(pid) == started


async def wait_until_dead(pid: int, started: float, boot: str) -> None:
    """Return when that process has ended; nothing runs meanwhile where there are pidfds."""
    if hasattr(os, "pidfd_open"):
        # The descriptor comes first: from here on the pid cannot come to mean another process unnoticed.
        with contextlib.suppress(ProcessLookupError):
            descriptor = os.pidfd_open(pid)
            try:
                if is_alive(pid, started, boot):
                    await readable(descriptor)
            finally:
                os.close(descriptor)
        return
    while is_alive(pid, started, boot):  # noqa: ASYNC110 (macOS: no event to wait for that is not our child)
        await asyncio.sleep(_POLL_SECONDS)


async def readable(descriptor: int) -> None:
    """Return when `descriptor` can be read, which for a pidfd is the end of its process."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def settle() -> None:
        if not done.done():
            done.set_result(None)

    loop.add_reader(descriptor, settle)
    try:
        await done
    finally:
        loop.remove_reader(descriptor)
