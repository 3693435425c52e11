"""Directories in memory: a campaign writes millions of files, and what a disk costs is not its subject."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEMORY = Path("/dev/shm")
HOME = "TORTURE_HOME"
"""The variable that tells workers in which directory theirs are."""


@contextmanager
def home() -> Iterator[None]:
    """Keep all scratch directories in one that is removed in the end, also when this process is told to end.

    Workers are ended at once then, in the middle of a fork or a wait: they remove nothing.
    """
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    with tempfile.TemporaryDirectory(prefix="torture-", dir=_memory(), ignore_cleanup_errors=True) as directory:
        os.environ[HOME] = directory
        yield


def _memory() -> Path | None:
    return MEMORY if MEMORY.is_dir() else None


@contextmanager
def scratch() -> Iterator[Path]:
    """Be in a fresh directory as long as the context lasts; it is removed again."""
    before = Path.cwd()
    directory = Path(tempfile.mkdtemp(prefix="torture-", dir=os.environ.get(HOME) or _memory()))
    os.chdir(directory)
    try:
        yield directory
    finally:
        os.chdir(before)
        shutil.rmtree(directory)


def copy_tree(source: Path, target: Path) -> None:
    """Copy directories, links and plain files below `source`; ten times as fast as shutil, which also keeps modes."""
    target.mkdir()
    with os.scandir(source) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                copy_tree(Path(entry.path), target / entry.name)
            elif entry.is_symlink():  # an owner's door
                (target / entry.name).symlink_to(Path(entry.path).readlink())
            else:
                (target / entry.name).write_bytes(Path(entry.path).read_bytes())
