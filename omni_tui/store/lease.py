"""The lease: one process dispatches a fleet. A flock says whether, the file's content says who.

The kernel drops the lock with the process, however it dies. The epoch fences: it grows with every owner, is written
into all that an owner does, and an owner that finds another's epoch in the file changes nothing any more.
"""

from __future__ import annotations

import fcntl
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import psutil

from omni_tui.errors import LeaseHeldError, LeaseLostError
from omni_tui.model.view import Owner
from omni_tui.store.files import DISK, Disk, sync_dir
from omni_tui.store.reading import decode_shown

_RECORD_BYTES = 1024
"""The content has one size, so that one write replaces it and no reader sees the end of a former one."""

_MOST_DIGITS = 16
"""Of a count that can be one."""

_TRIES = 5
_PAUSE_SECONDS = 0.02
"""`read_owner` holds the lock for microseconds: what is still held after these is held by an owner."""

_owner = msgspec.json.Decoder(Owner)


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """Which process takes a lease."""

    pid: int
    host: str
    boot_id: str
    started: float
    """UTC seconds."""


def this_process() -> Process:
    """Return who we are."""
    own = psutil.Process()
    return Process(pid=own.pid, host=socket.gethostname(), boot_id=_boot_id(), started=own.create_time())


class Lease:
    """A held lease. Made by `acquire`."""

    def __init__(self, path: Path, descriptor: int, owner: Owner, disk: Disk = DISK) -> None:
        self.path = path
        self.owner = owner
        self._descriptor = descriptor
        self._disk = disk

    @property
    def epoch(self) -> str:
        """Unique to this start of a dispatcher; sorts after all before it."""
        return self.owner.epoch

    @classmethod
    def acquire(
        cls,
        path: Path,
        mode: str,
        now: Callable[[], float],
        *,
        process: Callable[[], Process] = this_process,
        pause: Callable[[float], None] = time.sleep,
        disk: Disk = DISK,
    ) -> Lease:
        """Take the fleet's lease for this process; `mode` is `cockpit` or `headless`.

        Raises `LeaseHeldError` naming the holder. Children do not inherit it.
        """
        descriptor = disk.open(path, os.O_RDWR | os.O_CREAT)
        try:
            _lock(descriptor, path, pause)
            owner = _describe(process(), _read(descriptor), mode, now())
            _write(descriptor, owner, disk)
            sync_dir(path.parent, disk=disk)
            lease = cls(path, descriptor, owner, disk)
            lease.check()  # the file that was locked may have been replaced in between
        except BaseException:
            disk.close(descriptor)
            raise
        return lease

    def check(self) -> None:
        """Return if this process still owns the fleet; raises `LeaseLostError` if the file is gone or another's."""
        try:
            there = self.path.stat()
        except FileNotFoundError:
            there = None
        ours = os.fstat(self._descriptor)
        if there is None or (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino):
            raise LeaseLostError("the lease file was taken away", where=str(self.path), fix="start omni-tui again")
        found = _read(self._descriptor)
        if found is None or found.epoch != self.epoch:
            raise LeaseLostError("the lease has another owner", where=str(self.path), fix="start omni-tui again")

    def release(self) -> None:
        """Let go, for children that were forked as well. The content stays: the next owner counts its epoch on."""
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        self._disk.close(self._descriptor)


def read_owner(path: Path) -> Owner | None:
    """Return who dispatches the fleet; None: nobody does, whatever the file says. An owner is not disturbed."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(descriptor)
    else:
        return None
    finally:
        os.close(descriptor)


def _lock(descriptor: int, path: Path, pause: Callable[[float], None]) -> None:
    for _ in range(_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pause(_PAUSE_SECONDS)
        else:
            return
    holder = _read(descriptor)
    who = f"process {holder.pid} on {holder.host} ({holder.mode})" if holder else "another process"
    fix = "watch it with omni-tui, or end it first"
    raise LeaseHeldError(f"{who} dispatches this fleet", where=str(path), fix=fix)


def _describe(process: Process, last: Owner | None, mode: str, now: float) -> Owner:
    """Count the epoch on under the lock. Boot and process keep it unique even where the file was lost."""
    number = _count(last.epoch) + 1 if last else 1
    return Owner(
        pid=process.pid,
        host=process.host,
        boot_id=process.boot_id,
        process_started=process.started,
        epoch=f"{number:06d}-{process.boot_id[:8]}-{process.pid}",
        since=now,
        mode=mode,
    )


def _count(epoch: str) -> int:
    """Return the number that an epoch begins with; 0: it has none, so it was not written by us."""
    number = epoch.partition("-")[0]
    return int(number) if number.isascii() and number.isdigit() and len(number) < _MOST_DIGITS else 0


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except FileNotFoundError:  # not Linux
        return str(int(psutil.boot_time()))


def _read(descriptor: int) -> Owner | None:
    data = os.pread(descriptor, _RECORD_BYTES, 0).strip()
    try:
        return decode_shown(_owner, data)
    except msgspec.MsgspecError:  # never written yet, or not by us
        return None


def _write(descriptor: int, owner: Owner, disk: Disk) -> None:
    """Replace the content: the first write through a fresh descriptor, so it goes to the file's beginning."""
    disk.write(descriptor, msgspec.json.encode(owner).ljust(_RECORD_BYTES - 1) + b"\n")
    disk.sync(descriptor)
