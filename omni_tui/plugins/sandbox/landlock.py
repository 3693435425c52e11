"""The sandbox by Landlock (landlock(7)): the kernel refuses what is not seen. For machines without bubblewrap.

Weaker than a file system of its own: what lies outside can be told to be there, and its mode and times changed where
it is ours; processes and System V memory of others are seen. All else is as with bubblewrap, `tests/attacks` holds it
to that. See `landlock_launcher` for the program that does it.
"""

from __future__ import annotations

import functools
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from omni_tui.model.confinement import Confinement
from omni_tui.plugins.sandbox import landlock_launcher
from omni_tui.plugins.sandbox.toolchain import SYSTEM, sight

PROGRAM = Path(landlock_launcher.__file__)
_PROCESSES = "/proc"
"""Readable, or few programs would run; of processes outside the kernel tells no more than their names and arguments."""


@functools.cache
def fault() -> str:
    """Return why Landlock cannot be used here; empty: it can. Tried out once per process, some 40 ms."""
    if sys.platform != "linux":
        return "Landlock is of Linux alone"
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder, "scratch")
        trial = (*command(Confinement(net=False), ("/bin/sh",), {}, scratch), "/bin/sh", "-c", ":")
        done = subprocess.run(trial, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return ""
    return done.stderr.strip().removeprefix(landlock_launcher.FAILED) or f"it ended with status {done.returncode}"


def gaps() -> tuple[str, ...]:
    """Return what this kernel's Landlock lets through that a newer one would not."""
    known = landlock_launcher.abi()
    return () if known >= landlock_launcher.SIGNALS_ABI else ("they can end your other processes (until Linux 6.12)",)


def command(confinement: Confinement, argv: Iterable[str], env: Mapping[str, str], scratch: Path) -> tuple[str, ...]:
    """Return the words before a command that start it restricted; its HOME and TMPDIR are made in `scratch`.

    What `argv` names by whole paths can be read: the program, and files among its arguments.
    """
    words = [sys.executable, "-I", "-S", str(PROGRAM), "--scratch", str(scratch)]
    words += _options(confinement, argv, env)
    return (*words, *(() if confinement.net else ("--no-network",)), "--")


def _options(confinement: Confinement, argv: Iterable[str], env: Mapping[str, str]) -> Iterator[str]:
    seen = sight(confinement, argv, env)
    marks = {
        "--none": seen.empty,
        "--read": (*SYSTEM, _PROCESSES, *seen.read),
        "--write": seen.write,
        "--hide": seen.hidden,
    }
    for option, paths in marks.items():
        for path in dict.fromkeys(map(str, paths)):
            yield from (option, path)
