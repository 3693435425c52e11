"""What the machine offers, as facts: programs, PID namespaces, watches, disk. Nothing is judged here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec

from omni_tui.model.space import Space
from omni_tui.plugins import cgroups, sandbox

PRESSURE = Path("/proc/pressure")
"""Where the kernel tells of pressure stalls: Linux from 4.20 on, where it is built in and not switched off."""
PATIENCE = 10.0
"""Seconds that a program may take to tell its version."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """The machine, as far as omni-tui cares."""

    python: tuple[int, ...]
    git: tuple[int, ...] | None
    """None: not installed, like the others."""
    tmux: str | None
    namespaces: str
    """Why a PID namespace cannot be made; empty: it can."""
    bwrap: str
    """Why bubblewrap cannot be used; empty: it can."""
    landlock: str
    """Why Landlock cannot be used; empty: it can."""
    landlock_gaps: tuple[str, ...] = ()
    """What this kernel's Landlock lets through that a newer one would not."""
    terminal_input: bool = False
    """Whether programs may type into their own terminal (TIOCSTI)."""
    pressure: tuple[str, ...] = ()
    """Of what the kernel tells how much is waited for it: `cpu`, `memory`, `io`."""
    groups: str = ""
    """Why no control groups can be made that keep an agent's tree within caps; empty: they can."""
    watches: int | None
    """How many inotify watches a user may have; None: no inotify here."""
    free_bytes: int
    free_inodes_percent: float


def look(directory: Path) -> Facts:
    """Gather the facts; disk space is that of `directory`'s file system."""
    free = space(directory)
    return Facts(
        python=tuple(sys.version_info[:3]),
        git=git_version(),
        tmux=_version("tmux", "-V"),
        namespaces=_namespace_fault(),
        bwrap=sandbox.bubblewrap.fault(),
        landlock=sandbox.landlock.fault(),
        landlock_gaps=sandbox.landlock.gaps(),
        terminal_input=_terminal_input(),
        pressure=tuple(name for name in ("cpu", "memory", "io") if (PRESSURE / name).exists()),
        groups=found if isinstance(found := cgroups.homes(), str) else "",
        watches=_watches(),
        free_bytes=free.free_bytes,
        free_inodes_percent=free.free_inodes_percent,
    )


def space(directory: Path) -> Space:
    """Return what is free on the file system that `directory` lies on."""
    stats = os.statvfs(directory)
    return Space(free_bytes=stats.f_bavail * stats.f_frsize, free_inodes_percent=_free_inodes(stats))


def git_version() -> tuple[int, ...] | None:
    """Return git's version as numbers; None: there is no git."""
    text = _version("git", "--version")
    number = re.search(r"\d+(?:\.\d+)+", text or "")
    return tuple(int(part) for part in number[0].split(".")) if number else None


def _version(program: str, option: str) -> str | None:
    if shutil.which(program) is None:
        return None
    done = subprocess.run([program, option], capture_output=True, text=True, timeout=PATIENCE, check=False)
    return done.stdout.strip()


def _namespace_fault() -> str:
    if shutil.which("unshare") is None:
        return "the program `unshare` (util-linux) is not here"
    argv = ["unshare", "--user", "--map-current-user", "--pid", "--fork", "--kill-child", "true"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=PATIENCE, check=False)
    return "" if done.returncode == 0 else done.stderr.strip() or f"unshare ended with {done.returncode}"


def _terminal_input() -> bool:
    """Whether TIOCSTI is there (Linux: before 6.2 always, later by this sysctl)."""
    path = Path("/proc/sys/dev/tty/legacy_tiocsti")
    return path.read_text().strip() != "0" if path.exists() else sys.platform == "linux"


def _watches() -> int | None:
    path = Path("/proc/sys/fs/inotify/max_user_watches")
    return int(path.read_text()) if path.exists() else None


def _free_inodes(stats: os.statvfs_result) -> float:
    return 100.0 * stats.f_favail / stats.f_files if stats.f_files else 100.0
