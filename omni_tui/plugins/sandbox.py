"""The sandbox: bubblewrap (bwrap(1)) around every program that runs what an agent wrote.

Neutral ground for the slots `runtime` and `workspace`. Inside there is the toolchain, read-only; an empty home, /tmp
and /run; its own processes; and what the confinement names. Nothing else of the machine is there: no other checkout,
no queue, no socket of ours, no key of a person. It holds no capability, so it can mount nothing anew.
"""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from omni_tui.model.confinement import Confinement

KINDS = ("bwrap", "off")
"""What `find` can return; `auto` takes bwrap or nothing."""

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix", "/etc")
"""Where systems keep programs, libraries and their settings."""
HIDDEN = ("/etc/shadow", "/etc/gshadow", "/etc/sudoers", "/etc/ssh", "/etc/ssl/private")
"""Secrets of the machine among them, which root could read."""
TOOL_VARIABLES = ("VIRTUAL_ENV", "PYENV_ROOT", "NVM_DIR")
"""Variables that name a directory of tools."""
PROGRAM_FOLDERS = ("bin", "sbin", ".bin", "shims")
"""Directories of programs whose libraries lie beside them."""
CREDENTIALS = ("credentials", "credentials.toml", ".npmrc", ".pypirc")
"""Files beside tools that hold a person's keys."""
SHARED_PREFIXES = (".local",)
"""Directories in a home that hold programs, but a person's data as well."""

SHIELD = "trap '' INT QUIT HUP"
"""What a shell says before it becomes `command`: a terminal signals all that is in it, and bwrap would die of a Ctrl-C
that its program wants to handle."""
_RESET = ("env", "--default-signal=INT,QUIT,HUP")
"""Gives the program in the sandbox back what the shield ignores (env(1) of GNU, 8.31)."""

_ISOLATION = ("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--die-with-parent", "--cap-drop", "ALL")
_FRESH = ("--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", "/run", "--tmpfs", "/var/tmp")  # noqa: S108


def find(kind: str) -> str | None:
    """Return what the setting `kind` means on this machine, one of `KINDS`; None: it cannot be had."""
    if kind == "off":
        return "off"
    return "bwrap" if not fault() else None


@functools.cache
def fault() -> str:
    """Return why bubblewrap cannot be used here; empty: it can. Tried out once per process, some 10 ms."""
    program = shutil.which("bwrap")
    if program is None:
        return "the program `bwrap` (bubblewrap) is not here"
    trial = (*command(Confinement(), ("/bin/sh",), {}), "/bin/sh", "-c", ":")
    done = subprocess.run(trial, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stderr.strip() or f"bwrap ended with status {done.returncode}"


def command(confinement: Confinement, argv: Iterable[str], env: Mapping[str, str]) -> tuple[str, ...]:
    """Return the words before a command that start it in the sandbox, with its environment as it is.

    What `argv` names by whole paths can be read: the program, and files among its arguments.
    """
    tools = list(_toolchain(env))
    empty = list(_empty(confinement, env))
    named = [path for path in _named(argv, env) if _nearest(path, [*tools, *empty]) not in tools]
    seen = [*tools, *named, *map(Path, confinement.read)]
    words = ["bwrap", *_ISOLATION, *(() if confinement.net else ("--unshare-net",))]
    words += [word for path in SYSTEM for word in ("--ro-bind-try", path, path)]
    words += _FRESH
    binds = dict.fromkeys(empty, "--tmpfs")
    binds |= dict.fromkeys(seen, "--ro-bind-try") | dict.fromkeys(map(Path, confinement.write), "--bind-try")
    for path, how in sorted(binds.items(), key=lambda bind: len(bind[0].parts)):  # the deeper one is not covered
        words += [how, str(path)] if how == "--tmpfs" else [how, str(path), str(path)]
    hidden = [*map(Path, HIDDEN), *(tool / name for tool in tools for name in CREDENTIALS)]
    return (*words, *(word for path in hidden for word in _hide(path)), "--", *_RESET)


def _empty(confinement: Confinement, env: Mapping[str, str]) -> Iterator[Path]:
    """Yield the directories of which nothing is seen but what is named in them."""
    yield from map(Path, confinement.hide)
    home = Path(env.get("HOME") or "/")
    if home != Path("/") and not _is_system(home):
        yield home


def _nearest(path: Path, places: Iterable[Path]) -> Path | None:
    """Return the deepest of `places` that `path` lies in; None: it lies in none of them."""
    return max(
        (place for place in places if path.is_relative_to(place)), key=lambda place: len(place.parts), default=None
    )


def _hide(path: Path) -> tuple[str, ...]:
    if path.is_dir():
        return ("--tmpfs", str(path))
    return ("--ro-bind", "/dev/null", str(path)) if path.exists() else ()


def _toolchain(env: Mapping[str, str]) -> Iterator[Path]:
    """Yield the directories with programs that lie outside of the system's own."""
    home = Path(env["HOME"]) if env.get("HOME") else None
    private = {Path("/"), *([home, *(home / name for name in SHARED_PREFIXES)] if home else ())}
    for entry in map(Path, filter(None, env.get("PATH", "").split(":"))):
        if entry.is_absolute() and entry.is_dir() and not _is_system(entry):
            prefix = entry.parent
            yield prefix if entry.name in PROGRAM_FOLDERS and prefix not in private else entry
    tools = [Path(env[name]) for name in TOOL_VARIABLES if env.get(name)]
    yield from (path for path in (*tools, Path(sys.prefix), Path(sys.base_prefix)) if path not in private)
    resolver = Path("/etc/resolv.conf").resolve()
    if resolver.is_relative_to("/run"):
        yield resolver


def _named(argv: Iterable[str], env: Mapping[str, str]) -> Iterator[Path]:
    """Yield the program itself, also where it really lies, and the files that its arguments name."""
    program, *arguments = argv
    found = shutil.which(program, path=env.get("PATH", ""))
    for path in map(Path, (found or program, *arguments)):
        if path.is_absolute() and path.is_file() and not _is_system(path):
            yield path
            yield path.resolve()


def _is_system(path: Path) -> bool:
    return any(path.is_relative_to(system) for system in SYSTEM)
