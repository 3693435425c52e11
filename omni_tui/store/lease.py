"""The lease: one process dispatches a fleet. A flock says whether, the file's content says who.

The kernel drops the lock with the process, however it dies. One that is stopped (Ctrl-Z, SIGSTOP) keeps it, so after
a term the lease is taken over: another file takes the place of the one that it holds. When it goes on it can change
nothing any more, for its door is shut (`store.files.Door`); the epoch, which grows with every owner and is written into
all that an owner does, tells them apart.
"""

from __future__ import annotations

import fcntl
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path

import msgspec
import psutil

from omni_tui.errors import LeaseHeldError, LeaseLostError
from omni_tui.model.view import Owner
from omni_tui.store.files import DISK, Disk, Door, sync_dir
from omni_tui.store.reading import decode_shown
from omni_tui.store.seizure import renew_open_files

_RECORD_BYTES = 1024
"""The content has one size, so that one write replaces it and no reader sees the end of a former one."""

_MOST_DIGITS = 16
"""Of a count that can be one."""

_TRIES = 5
_PAUSE_SECONDS = 0.02
"""`read_owner` holds the lock for microseconds: what is still held after these is held by an owner."""

TERM_SECONDS = 5.0
"""A stopped owner's lease is over after these: one that is stopped does nothing that could be lost."""

_DOOR = ".owner-"
"""Begins the name of an owner's door."""

_SAME_SECONDS = 2.0
"""Start times of one process, as told to two others, differ by less: they are counted from the boot."""

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

    @cached_property
    def door(self) -> Door:
        """The way by which this owner, and no later one, reaches the fleet's tree."""
        root = self.path.parent
        return Door(root, root / f"{_DOOR}{self.epoch}", self.check)

    @classmethod
    def acquire(
        cls,
        path: Path,
        mode: str,
        now: Callable[[], float],
        *,
        take_over: bool = False,
        process: Callable[[], Process] = this_process,
        pause: Callable[[float], None] = time.sleep,
        disk: Disk = DISK,
    ) -> Lease:
        """Take the fleet's lease for this process; `mode` is `cockpit` or `headless`. Children do not inherit it.

        From an owner that stays stopped for `TERM_SECONDS` it is taken over; with `take_over` from any, at once.
        Raises `LeaseHeldError` naming the holder.
        """
        us = process()

        def take(stale: str = "") -> Lease:
            with _gate(path.parent, pause):
                return cls._take(path, us, mode, now, stale, pause, disk)

        try:
            return take()
        except LeaseHeldError:
            holder = read_owner(path)
            if holder is None:  # it has just ended, or only a look was in our way
                return take()
            if not (take_over or _stays_stopped(holder, us, pause)):
                raise
            return take(holder.epoch)

    @classmethod
    def _take(
        cls,
        path: Path,
        us: Process,
        mode: str,
        now: Callable[[], float],
        stale: str,
        pause: Callable[[float], None],
        disk: Disk,
    ) -> Lease:
        """Own the file at `path`, or, where the owner with the epoch `stale` holds it, one in its place."""
        descriptor = disk.open(path, os.O_RDWR | os.O_CREAT)
        try:
            last, new = _read(descriptor), path.with_name(f".lease.{us.pid}.tmp")
            if seizing := bool(stale and last and last.epoch == stale):
                disk.close(descriptor)
                descriptor = disk.open(new, os.O_RDWR | os.O_CREAT)
            _lock(descriptor, path, pause)
            owner = _describe(us, _last_count(last if seizing else _read(descriptor), path.parent), mode, now())
            _write(descriptor, owner, disk)
            if seizing:
                disk.replace(new, path)
            sync_dir(path.parent, disk=disk)
            lease = cls(path, descriptor, owner, disk)
            _shut_doors(path.parent)
            lease.door.link.symlink_to(".")  # not synced: after a power loss nobody is left to go by one
            lease.check()  # the file that was locked may have been replaced in between
            if seizing:
                renew_open_files(path.parent, disk)
        except BaseException:
            disk.close(descriptor)
            raise
        return lease

    def check(self) -> None:
        """Return if this process still owns the fleet; raises `LeaseLostError` if the file is gone or another's."""
        try:
            there = self.path.stat()
            ours = os.fstat(self._descriptor)
            os.lstat(self.door.link)
        except FileNotFoundError:
            raise self._lost("the lease file was taken away") from None
        except OSError as error:  # released: the descriptor is closed
            raise self._lost("the lease was released") from error
        if (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino):
            raise self._lost("the lease file was taken away")
        found = _read(self._descriptor)
        if found is None or found.epoch != self.epoch:
            raise self._lost("the lease has another owner")

    def _lost(self, how: str) -> LeaseLostError:
        return LeaseLostError(how, where=str(self.path), fix="start omni-tui again")

    def release(self) -> None:
        """Let go, for children that were forked as well. The content stays: the next owner counts its epoch on."""
        with suppress(FileNotFoundError):  # a successor has shut it
            self.door.link.unlink()
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        self._disk.close(self._descriptor)


@contextmanager
def _gate(root: Path, pause: Callable[[float], None]) -> Iterator[None]:
    """Let one process at a time take the fleet's lease, so that nobody takes over from an owner that has changed."""
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if not _is_free(descriptor, pause):
            raise LeaseHeldError("another process is just taking the lease", where=str(root), fix="try again")
        yield
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # for children that were forked meanwhile as well
    finally:
        os.close(descriptor)


def _shut_doors(root: Path) -> None:
    """Keep every owner before us out of the tree."""
    for link in root.glob(f"{_DOOR}*"):
        link.unlink(missing_ok=True)


def _stays_stopped(holder: Owner, us: Process, pause: Callable[[float], None]) -> bool:
    """Whether the owner is a process of this machine that stays stopped for the term. Blocks that long if it does."""
    if (holder.host, holder.boot_id) != (us.host, us.boot_id):
        return False
    try:
        process = psutil.Process(holder.pid)
        if abs(process.create_time() - holder.process_started) > _SAME_SECONDS:
            return False
        for _ in range(round(TERM_SECONDS / _PAUSE_SECONDS)):
            if process.status() != psutil.STATUS_STOPPED:
                return False
            pause(_PAUSE_SECONDS)
    except psutil.Error:  # it has just ended
        return False
    return True


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
    if _is_free(descriptor, pause):
        return
    holder = _read(descriptor)
    who = f"process {holder.pid} on {holder.host} ({holder.mode})" if holder else "another process"
    fix = "watch it with omni-tui, end it first, or, if it can do nothing any more, start with --take-over"
    raise LeaseHeldError(f"{who} dispatches this fleet", where=str(path), fix=fix)


def _is_free(descriptor: int, pause: Callable[[float], None]) -> bool:
    """Whether an open file could be locked, which it then is."""
    for _ in range(_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pause(_PAUSE_SECONDS)
        else:
            return True
    return False


def _last_count(last: Owner | None, root: Path) -> int:
    """Return the count of the latest epoch, as the lease tells or, where that was lost, a door that is still there."""
    doors = (link.name.removeprefix(_DOOR) for link in root.glob(f"{_DOOR}*"))
    return max(map(_count, (last.epoch if last else "", *doors)))


def _describe(process: Process, last: int, mode: str, now: float) -> Owner:
    """Count the epoch on under the lock. Boot and process keep it unique even where all was lost."""
    return Owner(
        pid=process.pid,
        host=process.host,
        boot_id=process.boot_id,
        process_started=process.started,
        epoch=f"{last + 1:06d}-{process.boot_id[:8]}-{process.pid}",
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
