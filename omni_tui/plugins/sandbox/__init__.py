"""The sandbox around every program that runs what an agent wrote: neutral ground for `runtime` and `workspace`.

Inside there is the toolchain, read-only; an empty home and place for temporary files; and what the confinement names.
Nothing else of the machine can be read or changed: no other checkout, no queue, no socket of ours, no key of a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from omni_tui.model.confinement import Confinement
from omni_tui.plugins.sandbox import bubblewrap, landlock

KINDS = ("bwrap", "landlock")
"""The kinds of sandbox, the better one first."""


def find(kind: str) -> str | None:
    """Return what the setting `kind` means on this machine, one of `KINDS` or `off`; None: it cannot be had."""
    if kind == "off":
        return "off"
    return next((each for each in _meant(kind) if not _fault(each)), None)


def fault(kind: str = "auto") -> str:
    """Return why no sandbox of `kind` can be had here; empty: it can."""
    return "" if find(kind) is not None else "; ".join(f"{each}: {_fault(each)}" for each in _meant(kind))


def command(
    kind: str, confinement: Confinement, argv: Iterable[str], env: Mapping[str, str], scratch: Path
) -> tuple[str, ...]:
    """Return the words before a command that start it in a sandbox of `kind`, with its environment; none for `off`.

    What `argv` names by whole paths can be read: the program, and files among its arguments. What cannot be in memory
    is kept in `scratch`, a directory that is made where it is needed, and the caller's to remove.
    """
    match kind:
        case "bwrap":
            return bubblewrap.command(confinement, argv, env)
        case "landlock":
            return landlock.command(confinement, argv, env, scratch)
        case "off":
            return ()
        case _:
            raise ValueError(kind)


def preamble(kind: str) -> tuple[str, ...]:
    """Return what a shell says before it becomes `command`."""
    return (bubblewrap.SHIELD,) if kind == "bwrap" else ()


def _fault(kind: str) -> str:
    return bubblewrap.fault() if kind == "bwrap" else landlock.fault()


def _meant(kind: str) -> tuple[str, ...]:
    return KINDS if kind == "auto" else (kind,)
