"""Reading a task's file: never blocks, never follows a link, never takes in more than a task may hold."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import stat
import sys
from pathlib import Path

from omni_tui.errors import TaskFileError
from omni_tui.model.task import MAX_TASK_BYTES, Task
from omni_tui.model.taskfile import SUFFIX, is_task_name, parse

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def read_task(path: Path, workspace: str) -> Task:
    """Return the task in a file. Raises `TaskFileError`, or `FileNotFoundError` where it has gone."""
    if not is_task_name(path.name):
        raise TaskFileError(
            f"its name does not end in `{SUFFIX}`", where=path.name, fix=f"rename it to end in {SUFFIX}"
        )
    _require_plain(path.lstat(), path)
    try:
        descriptor = os.open(path, _FLAGS)
        try:
            info = os.fstat(descriptor)
            _require_plain(info, path)
            data = os.read(descriptor, MAX_TASK_BYTES + 1)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise TaskFileError(
            f"cannot be read: {error.strerror}", where=path.name, fix="look at its owner and mode"
        ) from error
    return _parse(data, path, workspace, info.st_mtime)


def is_being_written(path: Path) -> bool:
    """Whether some process holds the file open for writing: what is in it may be half of what will be.

    Linux tells: it grants a read lease only on a file without writers (fcntl(2), F_SETLEASE). Elsewhere, on file
    systems without leases and on other users' files nobody can tell, and the answer is no.
    """
    if sys.platform != "linux" or not _is_plain(path):
        return False
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError:  # gone, or not for us: `read_task` says so
        return False
    try:  # a writer that comes while we hold the lease raises a signal: one that is ignored by default, unlike SIGIO
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    else:
        return False
    finally:
        os.close(descriptor)  # the lease goes with it


def _parse(data: bytes, path: Path, workspace: str, created_at: float) -> Task:
    try:
        return parse(data, workspace=workspace, stem=path.name.removesuffix(SUFFIX), created_at=created_at)
    except TaskFileError as error:
        where = f"{path.name}, {error.where}" if error.where else path.name
        raise TaskFileError(error.message, where=where, fix=error.fix) from error


def _is_plain(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _require_plain(info: os.stat_result, path: Path) -> None:
    if stat.S_ISLNK(info.st_mode):
        # Any link: it would move between the folders without what it points at, which may change or go.
        raise TaskFileError("a symbolic link, not a file", where=path.name, fix="put the file itself there")
    if not stat.S_ISREG(info.st_mode):
        kind = "a directory" if stat.S_ISDIR(info.st_mode) else "a pipe, socket or device"
        raise TaskFileError(f"{kind}, not a file", where=path.name, fix="put a Markdown file there")
