"""Control groups: where this process is in them, and what a group's files tell. Linux only; elsewhere there are none.

Both versions are spoken, see cgroups(7): in version 2 one directory holds all of a group's files, in version 1 each
controller has a hierarchy of its own, and many machines still have that.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

CONTROLLERS = ("memory", "pids", "cpu")
"""Those that can keep a tree of processes within its bounds."""


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """The group that a process is in, for one controller or, in version 2, for all that are there."""

    version: int
    controllers: frozenset[str]
    path: Path
    """The group's directory, as far as it can be seen from here."""
    top: Path
    """Where the hierarchy is mounted."""


def memberships(process: Path = Path("/proc/self")) -> list[Membership]:
    """Return the groups that a process is in; none where the kernel or the container shows none."""
    try:
        named = (process / "cgroup").read_text().splitlines()
        mounted = (process / "mountinfo").read_text().splitlines()
    except OSError:
        return []
    paths = {frozenset(names.split(",")): path for _, names, path in (line.split(":", 2) for line in named)}
    return [found for line in mounted if (found := _membership(line, paths)) is not None]


def _membership(line: str, paths: dict[frozenset[str], str]) -> Membership | None:
    """Return the membership in the hierarchy of one mount, see proc_pid_mountinfo(5)."""
    before, _, after = line.partition(" - ")
    kind, _, options = after.split(" ", 2)
    fields = before.split(" ")
    inside, top = fields[3], Path(fields[4])
    if kind == "cgroup2":
        path, controllers = paths.get(frozenset({""})), None
    elif kind == "cgroup":
        names = frozenset(options.split(","))
        key = next((each for each in paths if each != {""} and each <= names), None)
        path, controllers = (None, None) if key is None else (paths[key], key)
    else:
        return None
    if path is None:
        return None
    below = path.removeprefix(inside) if inside != "/" else path
    group = top / below.lstrip("/")
    if not group.is_dir():  # of a namespace whose groups are not to be seen here
        return None
    if controllers is None:
        controllers = frozenset(words(group / "cgroup.controllers"))
    return Membership(version=1 if kind == "cgroup" else 2, controllers=controllers, path=group, top=top)


def memory_left(groups: list[Membership]) -> float | None:
    """Return the bytes that the groups around this process still leave it; None: they set no limit, or do not tell.

    What is cached of files is given back when it is needed, so it counts as left.
    """
    found = []
    for group in groups:
        if "memory" in group.controllers:
            limit, usage = ("memory.limit_in_bytes", "memory.usage_in_bytes") if group.version == 1 else _V2_MEMORY
            cached = "total_inactive_file" if group.version == 1 else "inactive_file"
            for directory in _upwards(group):
                most, used = number(directory / limit), number(directory / usage)
                if most is not None and used is not None and most < _NO_LIMIT:
                    found.append(max(0.0, most - used + table(directory / "memory.stat").get(cached, 0)))
    return min(found, default=None)


_V2_MEMORY = ("memory.max", "memory.current")
_NO_LIMIT = float(1 << 62)
"""Version 1 tells a huge number where there is no limit."""


def _upwards(group: Membership) -> Iterator[Path]:
    yield group.path
    for parent in group.path.parents:
        if not parent.is_relative_to(group.top):
            return
        yield parent


def number(path: Path) -> float | None:
    """Return the number that a file tells; None: it is not there, or says `max`."""
    try:
        return float(path.read_text())
    except (OSError, ValueError):
        return None


def table(path: Path) -> dict[str, float]:
    """Return what a file of lines `name value` tells; empty: it is not there."""
    found = {}
    with contextlib.suppress(OSError, ValueError):
        for line in path.read_text().splitlines():
            name, value = line.split()
            found[name] = float(value)
    return found


def words(path: Path) -> list[str]:
    """Return the words of a file; none: it is not there."""
    try:
        return path.read_text().split()
    except OSError:
        return []


class Home(msgspec.Struct, frozen=True, kw_only=True):
    """A group below which we may make groups for agents."""

    version: int
    controllers: frozenset[str]
    """Those of `CONTROLLERS` that it has; in version 1 also `cpuacct`, which only counts."""
    path: Path

    @property
    def enabling(self) -> str:
        """What is written to `cgroup.subtree_control`, version 2."""
        return " ".join(f"+{name}" for name in sorted(self.controllers))


def homes(process: Path = Path("/proc/self")) -> list[Home] | str:
    """Return where we may make groups that keep a tree's memory, processes and CPU time within bounds, or why not.

    In version 2 the root of the hierarchy is taken where our own group may have none below it, as for root in a
    session of systemd's; where it holds us alone, as after `systemd-run --user --scope -p Delegate=yes`, we step
    aside into one below it.
    """
    groups = memberships(process)
    unified = next((group for group in groups if group.version == 2 and {"memory", "pids"} <= group.controllers), None)
    if unified is not None:
        return _unified_home(unified)
    found = [
        Home(version=1, controllers=group.controllers, path=group.path)
        for group in groups
        if group.version == 1 and group.controllers & {*CONTROLLERS, "cpuacct"} and os.access(group.path, os.W_OK)
    ]
    there = {name for home in found for name in home.controllers}
    if not {"memory", "pids"} <= there:
        return "no control group for memory and processes is ours to write to" if groups else "no control groups here"
    return found


def _unified_home(group: Membership) -> list[Home] | str:
    wanted = frozenset(CONTROLLERS) & group.controllers
    own = group.path.parent if group.path.name == ASIDE else group.path
    for path in dict.fromkeys((own, group.top)):
        home = Home(version=2, controllers=wanted, path=path)
        if os.access(path, os.W_OK) and _may_have_groups(home):
            return [home]
    return f"the control group {group.path} is not ours to divide; start omni-tui with {DELEGATED}"


DELEGATED = "`systemd-run --user --scope -p Delegate=yes omni-tui`"
ASIDE = "omni-tui-self"
"""Where we go ourselves, for a group that is divided must hold no process."""


def _may_have_groups(home: Home) -> bool:
    """Whether groups below this one can be bounded; asks the kernel for it, see cgroups(7), "no internal processes"."""
    control = home.path / "cgroup.subtree_control"
    if home.controllers <= set(words(control)):
        return True
    with contextlib.suppress(OSError):
        control.write_text(home.enabling)
        return True
    aside = home.path / ASIDE
    with contextlib.suppress(OSError):
        if {int(pid) for pid in words(home.path / "cgroup.procs")} == {os.getpid()}:
            aside.mkdir(exist_ok=True)
            (aside / "cgroup.procs").write_text(str(os.getpid()))
            control.write_text(home.enabling)
            return True
    return False
