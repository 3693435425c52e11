"""What keeps an agent's processes together so that all of them can be ended.

A PID namespace where this machine allows one: a signal to its first process ends every one in it. A /proc of its own
comes with it where that can be had: the agent then sees no process but its own, and none of ours. Elsewhere a reaper:
every process of the agent descends from it, whatever becomes of those between; and a marker in their environment.
"""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec

_NAMESPACE = ("--pid", "--fork", "--kill-child")
_VARIANTS = (
    (*_NAMESPACE, "--mount-proc"),
    ("--map-current-user", *_NAMESPACE, "--mount-proc"),
    _NAMESPACE,
    ("--map-current-user", *_NAMESPACE),
)
"""Tried in this order: with our own rights, then in a user namespace; last those that keep the machine's /proc."""


class Isolation(msgspec.Struct, frozen=True):
    """How agents are kept together so that all of one can be ended."""

    method: str
    """`namespace` or `marker`."""
    command: tuple[str, ...] = ()
    """What the wrapper runs its second half with."""


MARKER = Isolation("marker", (sys.executable, "-I", "-S", str(Path(__file__).with_name("reaper.py"))))


@functools.cache
def isolation() -> Isolation:
    """Return what this machine allows. Tried out once per process, which blocks for some 10 ms."""
    program = shutil.which("unshare")
    for variant in _VARIANTS if program else ():
        command = (str(program), *variant, "--")
        trial = subprocess.run((*command, "/bin/sh", "-c", "test $$ = 1"), capture_output=True, check=False)
        if trial.returncode == 0:
            return Isolation("namespace", command)
    return MARKER
