"""Lock files that a power loss or an out-of-memory kill left behind: they would stop every landing for ever."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil

OLD_SECONDS = 600.0
"""No git process of ours takes this long to move a ref."""


def clear_stale_locks(repo: Path, release_ref: str, now: float) -> list[Path]:
    """Remove locks on refs of ours whose owner cannot be alive any more; return what was removed.

    `now` is UTC seconds. A lock from before this boot has no owner; any other must be old, and no git process be at
    work on `repo`.
    """
    removed = []
    for lock in _locks(repo, release_ref):
        written = lock.stat().st_mtime
        if written < psutil.boot_time() or (now - written > OLD_SECONDS and not _git_at_work(repo)):
            lock.unlink(missing_ok=True)
            removed.append(lock)
    return removed


def _locks(repo: Path, release_ref: str) -> Iterator[Path]:
    yield from (path for path in (repo / "packed-refs.lock", repo / f"{release_ref}.lock") if path.exists())
    for folder in (repo / "refs/heads/omni", repo / "refs/omni"):
        yield from folder.rglob("*.lock")


def _git_at_work(repo: Path) -> bool:
    """Whether a git process runs that may hold one of the locks: it works in `repo` or in a checkout of it."""
    home = str(repo.parent)
    for process in psutil.process_iter(["name", "cwd", "environ"]):
        told = process.info
        places = (told["cwd"] or "", (told["environ"] or {}).get("GIT_DIR", ""))
        if (told["name"] or "").startswith("git") and any(place.startswith(home) for place in places):
            return True
    return False
