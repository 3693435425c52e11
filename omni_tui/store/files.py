"""The durable primitives: nothing is acknowledged before it would survive a power loss.

The rule is Maildir's (facts: reliability, State): temporary name, fsync, rename, fsync of the directories. Every
operation of the system that changes the tree is a method of `Disk`, so that a test can record them, or let one fail;
and so that a stale owner's can be made to fail: see `Door`.
"""

from __future__ import annotations

import copy
import ctypes
import errno
import functools
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Concatenate, NamedTuple, ParamSpec, Self, TypeVar

TEMPORARY_PREFIX = "."
"""Begins the name of a file that is not finished: hidden from every listing of ours."""

_AT_FDCWD = -100
_RENAME_NOREPLACE = 1
_serial = count()

P = ParamSpec("P")
T = TypeVar("T")


class Door(NamedTuple):
    """By what name the owner of a fleet reaches its tree: a link to the root that its successor removes first of all.

    The kernel looks names up in the very call that changes them. So a call of a stale owner fails, whenever it was
    stopped before: there is no moment between a look at the lease and the deed.
    """

    root: Path
    link: Path
    check: Callable[[], None]
    """Raises `LeaseLostError` once the lease is another's."""

    def at(self, path: Path) -> Path:
        """Return a path of the tree by way of the door."""
        return self.link / path.relative_to(self.root)


def _by_door(method: Callable[Concatenate[Disk, P], T]) -> Callable[Concatenate[Disk, P], T]:
    """Have a method of a disk that has a door go by it; where it is shut, say so rather than that a file has gone."""

    @functools.wraps(method)
    def passing(disk: Disk, /, *arguments: P.args, **named: P.kwargs) -> T:
        door = disk.door
        if door is None:
            return method(disk, *arguments, **named)
        if not any(isinstance(argument, Path) for argument in arguments):  # a file that was opened by way of the door
            door.check()
        led: tuple[object, ...] = tuple(door.at(each) if isinstance(each, Path) else each for each in arguments)
        try:
            return method(disk, *led, **named)  # type: ignore[arg-type]
        except FileNotFoundError:
            door.check()
            raise

    return passing


class Disk:
    """What the operating system does for us, one call each; errors are its `OSError`s."""

    door: Door | None = None
    """The way by which its changes go; None: the straight one, as for those who own nothing."""

    def through(self, door: Door) -> Self:
        """Return the same disk for a fleet's owner."""
        owned = copy.copy(self)
        owned.door = door
        return owned

    @_by_door
    def open(self, path: Path, flags: int) -> int:
        """Open `path`, never across an exec; a file that it creates is readable as the umask says."""
        return os.open(path, flags | os.O_CLOEXEC, 0o666)

    @_by_door
    def write(self, descriptor: int, data: bytes) -> int:
        """Write some of `data`; return how much."""
        return os.write(descriptor, data)

    @_by_door
    def truncate(self, descriptor: int, size: int) -> None:
        """Cut a file to `size` bytes."""
        os.ftruncate(descriptor, size)

    def sync(self, descriptor: int) -> None:
        """Return once what was written is on the medium."""
        os.fsync(descriptor)

    def close(self, descriptor: int) -> None:
        """Let go of a descriptor."""
        os.close(descriptor)

    @_by_door
    def replace(self, source: Path, target: Path) -> None:
        """Rename, over whatever is there."""
        source.replace(target)

    @_by_door
    def rename(self, source: Path, target: Path) -> None:
        """Rename where `target` is free; `FileExistsError` where it is not, `FileNotFoundError` without a source."""
        _rename_exclusively(source, target)

    @_by_door
    def unlink(self, path: Path) -> None:
        """Remove a file's name."""
        path.unlink()

    @_by_door
    def mkdir(self, path: Path) -> None:
        """Make a directory whose parent exists."""
        path.mkdir()


DISK = Disk()
"""The real one."""


def publish(path: Path, data: bytes, *, durable: bool = True, replace: bool = True, disk: Disk = DISK) -> None:
    """Put `data` at `path`, all of it or nothing, over what was there.

    Not `durable`: readers still never see half of it, but a power loss may bring back what was before.
    Not `replace`: raises `FileExistsError` where something is there.
    """
    temporary = path.with_name(f"{TEMPORARY_PREFIX}{path.name[:200]}.{os.getpid()}-{next(_serial)}.tmp")
    try:
        _create(temporary, data, durable, disk)
        (disk.replace if replace else disk.rename)(temporary, path)
    except OSError:
        remove(temporary, disk=disk)  # it may never have been made
        raise
    if durable:
        sync_dir(path.parent, disk=disk)


def _create(path: Path, data: bytes, durable: bool, disk: Disk) -> None:
    descriptor = disk.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[disk.write(descriptor, bytes(rest)) :]
        if durable:
            disk.sync(descriptor)
    finally:
        disk.close(descriptor)


def move(source: Path, target: Path, *, disk: Disk = DISK) -> None:
    """Rename `source` to `target` and return once that would survive a power loss: one rename, two directories synced.

    Never overwrites: raises `FileExistsError` where `target` is taken, `FileNotFoundError` where `source` has gone.
    """
    disk.rename(source, target)
    sync_dir(target.parent, disk=disk)  # first where it arrives: rather twice than nowhere
    if source.parent != target.parent:
        sync_dir(source.parent, disk=disk)


def remove(path: Path, *, disk: Disk = DISK) -> None:
    """Remove a file, if it is there. Not synced: what is removed may come back after a power loss."""
    with suppress(FileNotFoundError):
        disk.unlink(path)


def append(path: Path, line: bytes, *, durable: bool = True, disk: Disk = DISK) -> None:
    """Add `line` (without its newline) to a file of lines in one write, after cutting off what a crash left unfinished.

    Raises `OSError` where not all of it could be written; what was is cut off next time.
    """
    new = not path.exists()
    descriptor = disk.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
    try:
        _cut_torn_line(descriptor, disk)
        data = line + b"\n"
        if disk.write(descriptor, data) != len(data):
            raise OSError(errno.ENOSPC, "only part of a line could be written", str(path))
        if durable:
            disk.sync(descriptor)
    finally:
        disk.close(descriptor)
    if new:  # even then: a line after it that is durable relies on the name
        sync_dir(path.parent, disk=disk)


def _cut_torn_line(descriptor: int, disk: Disk) -> None:
    size = end = os.fstat(descriptor).st_size
    while end:
        start = max(0, end - 4096)
        newline = os.pread(descriptor, end - start, start).rfind(b"\n")
        if newline >= 0:
            end = start + newline + 1
            break
        end = start
    if end != size:
        disk.truncate(descriptor, end)


def make_dirs(path: Path, *, disk: Disk = DISK) -> None:
    """Make `path` and what is missing above it, durably; it may exist."""
    if path.is_dir():
        return
    make_dirs(path.parent, disk=disk)
    with suppress(FileExistsError):  # another process was faster, which is as good
        disk.mkdir(path)
    sync_dir(path.parent, disk=disk)


def sync_dir(path: Path, *, disk: Disk = DISK) -> None:
    """Return once the names in a directory are on the medium."""
    descriptor = disk.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        disk.sync(descriptor)
    finally:
        disk.close(descriptor)


def _load_renameat2() -> Callable[..., int] | None:
    """Return Linux's rename that never overwrites; Python's `os` has none."""
    if sys.platform != "linux":
        return None
    function = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if function is not None:
        function.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    return function


_renameat2 = _load_renameat2()


def _rename_exclusively(source: Path, target: Path) -> None:
    if _renameat2 is None:
        _look_then_rename(source, target)
        return
    if _renameat2(_AT_FDCWD, os.fsencode(source), _AT_FDCWD, os.fsencode(target), _RENAME_NOREPLACE) == 0:
        return
    code = ctypes.get_errno()
    if code in {errno.EINVAL, errno.ENOSYS}:  # a file system that cannot promise it
        _look_then_rename(source, target)
    else:
        raise OSError(code, os.strerror(code), str(source), None, str(target))


def _look_then_rename(source: Path, target: Path) -> None:
    """Do it in two steps; between them only a person's own hand could put something at `target`: names hold ids."""
    source.lstat()
    if os.path.lexists(target):
        source.lstat()  # gone by now: another claimed it, and `target` is its
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    source.rename(target)
