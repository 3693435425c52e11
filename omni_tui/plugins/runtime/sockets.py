"""Where a unix socket goes: its own place, or a short one where that path is longer than the kernel takes (unix(7))."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from omni_tui.errors import RuntimeFailedError

_PATH_LIMIT = 103
"""Bytes; 107 on Linux, 103 on macOS."""


def socket_path(wanted: Path) -> Path:
    """Return `wanted`, or if that is too long a path made from its hash in a private directory of the user's.

    That directory is `$XDG_RUNTIME_DIR/omni-tui`, else `/tmp/omni-tui-<uid>`. The same `wanted` gives the same path.
    """
    wanted = wanted.absolute()
    if len(os.fsencode(wanted)) <= _PATH_LIMIT:
        return wanted
    name = hashlib.blake2b(os.fsencode(wanted), digest_size=12).hexdigest()
    return _private_directory() / f"{name}.sock"


def _private_directory() -> Path:
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    short = runtime and len(os.fsencode(runtime)) <= _PATH_LIMIT - 40
    directory = Path(runtime, "omni-tui") if short else Path(f"/tmp/omni-tui-{os.getuid()}")  # noqa: S108 (checked below)
    directory.mkdir(mode=0o700, exist_ok=True)
    status = directory.lstat()
    if status.st_uid != os.getuid() or status.st_mode & 0o077 or directory.is_symlink():
        raise RuntimeFailedError(
            f"{directory} belongs to somebody else, or others can write to it",
            fix="remove it, or set XDG_RUNTIME_DIR to a directory of your own",
        )
    return directory
