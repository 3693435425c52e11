"""Removing directories that an agent has written to."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from types import TracebackType
from typing import Any


def remove_tree(directory: Path) -> None:
    """Delete a directory with all that is in it, also what was made read-only; nothing if it is not there.

    Links are removed, not followed; another removal may be at it too. Raises `OSError` for what is not ours.
    """
    try:
        shutil.rmtree(directory, onerror=_unless_gone)
    except PermissionError:
        _open_up(directory)
        shutil.rmtree(directory, onerror=_unless_gone)


def _unless_gone(
    _function: Any,  # noqa: ANN401 -- as shutil calls it
    _path: str,
    failure: tuple[type[BaseException], BaseException, TracebackType],
) -> None:
    if not isinstance(failure[1], FileNotFoundError):
        raise failure[1]


def _open_up(directory: Path) -> None:
    """Let us into `directory` and all directories in it."""
    directory.chmod(stat.S_IRWXU)
    for folder, names, _ in os.walk(directory):
        for name in names:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(stat.S_IRWXU)
