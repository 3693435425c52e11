"""Keeping an agent's whole tree within its caps, by control groups of its own.

A group is made before the agent is started, the wrapper enters it before anything else, and all that descends from it
is in it. Its directories are named in the run's file `groups`, so that whoever owns the fleet later finds them; those
in which groups were ever made are named in the fleet's file `groups`, so that what a killed owner left is found there.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from omni_tui.model.footprint import Caps, TreeUse
from omni_tui.plugins.cgroups import Home, homes, number, table, words

FILE = "groups"
UNCAPPED = "uncapped"
OURS = "omni-tui-"
PERIOD_MICROSECONDS = 100_000
"""Within such a time a tree gets its share of the processors."""


def hold(root: Path, run_dir: Path, caps: Caps) -> bool:
    """Make the groups of an agent of the fleet at `root` and set their bounds; return whether that could be done."""
    found = homes()
    if not isinstance(found, str):
        with contextlib.suppress(OSError):  # told as any other reason for which it is not capped
            _make(found, root, run_dir, caps)
            return True
    (run_dir / UNCAPPED).touch()
    return False


def _make(found: Sequence[Home], root: Path, run_dir: Path, caps: Caps) -> None:
    fleet = f"{OURS}{_digest(root)}"
    _remember(root, [home.path / fleet for home in found])
    made = []
    for home in found:
        group = home.path / fleet / _digest(run_dir)
        for directory in (group.parent, group):
            with contextlib.suppress(FileExistsError):  # from an earlier agent, or of a start that was cut off
                directory.mkdir()
            if home.version == 2 and directory is not group:
                (directory / "cgroup.subtree_control").write_text(home.enabling)
        _bound(home, group, caps)
        made.append(group)
    (run_dir / FILE).write_text("".join(f"{group}\n" for group in made))


def _bound(home: Home, group: Path, caps: Caps) -> None:
    """Write the bounds of a group; swap does not make a cap of memory wider."""
    memory, quota = f"{caps.memory_mb * 1e6:.0f}", f"{caps.cpus * PERIOD_MICROSECONDS:.0f}"
    if caps.memory_mb and "memory" in home.controllers:
        (group / ("memory.max" if home.version == 2 else "memory.limit_in_bytes")).write_text(memory)
        name, value = ("memory.swap.max", "0") if home.version == 2 else ("memory.memsw.limit_in_bytes", memory)
        with contextlib.suppress(FileNotFoundError, PermissionError):  # a kernel that does not count swap
            (group / name).write_text(value)
    if caps.processes and "pids" in home.controllers:
        (group / "pids.max").write_text(str(caps.processes))
    if caps.cpus and "cpu" in home.controllers:
        name, value = (
            ("cpu.max", f"{quota} {PERIOD_MICROSECONDS}") if home.version == 2 else ("cpu.cfs_quota_us", quota)
        )
        (group / name).write_text(value)


def use(run_dir: Path) -> TreeUse | None:
    """Return what an agent's groups tell of it; None: it has none, or they do not tell all."""
    groups = _groups(run_dir)
    if not groups or is_uncapped(run_dir):
        return None
    cpu, memory = _cpu_seconds(groups), _memory(groups)
    if cpu is None or memory is None:
        return None
    processes = max(len(words(group / "cgroup.procs")) for group in groups)
    return TreeUse(cpu_seconds=cpu, memory_mb=memory / 1e6, processes=processes, killed=_killed(groups))


def _killed(groups: Sequence[Path]) -> int:
    """Return how many processes the kernel ended because their group was at its cap of memory."""
    told = (table(group / name) for group in groups for name in ("memory.events", "memory.oom_control"))
    return int(max((each.get("oom_kill", 0.0) for each in told), default=0.0))


def passed(run_dir: Path) -> float:
    """Return an agent's cap of memory in MB, where the kernel ended processes of it for that; else 0."""
    groups = _groups(run_dir)
    caps = (number(group / name) for group in groups for name in ("memory.max", "memory.limit_in_bytes"))
    return max((cap / 1e6 for cap in caps if cap is not None), default=0.0) if _killed(groups) else 0.0


def is_uncapped(run_dir: Path) -> bool:
    """Whether no group could be made for an agent, or its wrapper could not enter it."""
    return (run_dir / UNCAPPED).exists()


def forget(run_dir: Path) -> None:
    """Remove the groups of an agent that has ended; what cannot be removed yet is swept at the next start."""
    for group in _groups(run_dir):
        _remove(group)
        _remove(group.parent)  # the last one's
    (run_dir / FILE).unlink(missing_ok=True)


def sweep(root: Path) -> None:
    """Remove the fleet's groups in which nothing lives: those that an owner left who was killed."""
    left = []
    for directory in _groups(root):
        for group in [entry for entry in directory.iterdir() if entry.is_dir()] if directory.is_dir() else []:
            _remove(group)
        _remove(directory)
        if directory.is_dir():
            left.append(directory)
    if left:
        (root / FILE).write_text("".join(f"{directory}\n" for directory in left))
    else:
        (root / FILE).unlink(missing_ok=True)


def _remove(group: Path) -> None:
    """Remove a group; the kernel refuses while anything is in it."""
    with contextlib.suppress(OSError):
        group.rmdir()


def _remember(root: Path, directories: Sequence[Path]) -> None:
    known = _groups(root)
    if new := [directory for directory in directories if directory not in known]:
        with (root / FILE).open("a") as file:  # not synced: with the power the groups go as well
            file.write("".join(f"{directory}\n" for directory in new))


def _groups(directory: Path) -> list[Path]:
    """Return the groups that a file `groups` names, ours alone."""
    try:
        lines = (directory / FILE).read_text().splitlines()
    except OSError:
        return []
    parts = {Path(line): Path(line).parts for line in lines}
    return [path for path, names in parts.items() if ".." not in names and any(map(_is_ours, names))]


def _is_ours(name: str) -> bool:
    return name.startswith(OURS)


def _digest(path: Path) -> str:
    return hashlib.blake2b(os.fsencode(path), digest_size=8).hexdigest()


def _cpu_seconds(groups: Sequence[Path]) -> float | None:
    for group in groups:
        if (microseconds := table(group / "cpu.stat").get("usage_usec")) is not None:
            return microseconds / 1e6
        if (nanoseconds := number(group / "cpuacct.usage")) is not None:
            return nanoseconds / 1e9
    return None


def _memory(groups: Sequence[Path]) -> float | None:
    """Return the bytes that processes hold; what is cached of files is not theirs."""
    for group in groups:
        told = table(group / "memory.stat")
        if "anon" in told:
            return told["anon"] + told.get("shmem", 0.0)
        if "total_rss" in told:
            return told["total_rss"] + told.get("total_shmem", 0.0)
    return None
