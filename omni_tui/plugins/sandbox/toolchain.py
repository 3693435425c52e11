"""What of the machine a program in the sandbox sees: the system, the tools around it, and what it is told by path."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from omni_tui.model.confinement import Confinement

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix", "/etc")
"""Where systems keep programs, libraries and their settings."""
HIDDEN = ("/etc/ssh", "/etc/ssl/private")
"""Keys of the machine among them. What else of its settings not everybody may read is looked for: root could."""
TOOL_VARIABLES = ("VIRTUAL_ENV", "PYENV_ROOT", "NVM_DIR")
"""Variables that name a directory of tools."""
PROGRAM_FOLDERS = ("bin", "sbin", ".bin", "shims")
"""Directories of programs whose libraries lie beside them."""
CREDENTIALS = ("credentials", "credentials.toml", ".npmrc", ".pypirc")
"""Files beside tools that hold a person's keys."""
SHARED_PREFIXES = (".local",)
"""Directories in a home that hold programs, but a person's data as well."""


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """What there is beside `SYSTEM`, by paths that need not exist; of two that hold a path the deeper one counts."""

    empty: tuple[Path, ...]
    """Directories of which nothing is seen but what is named in them."""
    read: tuple[Path, ...]
    write: tuple[Path, ...]
    hidden: tuple[Path, ...]
    """Keys in what is seen; hidden whatever lies around them or in them."""


def sight(confinement: Confinement, argv: Iterable[str], env: Mapping[str, str]) -> Sight:
    """Return what a program sees that is started by `argv` with `env`.

    What `argv` names by whole paths can be read: the program, and files among its arguments.
    """
    tools = list(_toolchain(env))
    empty = tuple(_empty(confinement, env))
    named = [path for path in _named(argv, env) if _nearest(path, [*tools, *empty]) not in tools]
    return Sight(
        empty=empty,
        read=(*tools, *named, *map(Path, confinement.read)),
        write=tuple(map(Path, confinement.write)),
        hidden=(
            *map(Path, HIDDEN),
            *private(Path("/etc")),
            *(tool / name for tool in tools for name in CREDENTIALS),
        ),
    )


def private(directory: Path) -> Iterator[Path]:
    """Yield what of `directory` we can read and not everybody may; /etc takes some 3 ms."""
    with os.scandir(directory) as entries:
        for entry in sorted(entries, key=lambda each: each.name):
            if entry.is_symlink() or not os.access(entry, os.R_OK):
                continue
            mode = entry.stat().st_mode
            if not mode & (stat.S_IROTH | (stat.S_IXOTH if stat.S_ISDIR(mode) else 0)):
                yield Path(entry)
            elif stat.S_ISDIR(mode):
                yield from private(Path(entry))


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
