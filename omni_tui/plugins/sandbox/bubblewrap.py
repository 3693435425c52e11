"""The sandbox by bubblewrap (bwrap(1)): a file system made of what is seen, and PID, IPC and UTS namespaces.

The program holds no capability, so it can mount nothing anew.
"""

from __future__ import annotations

import functools
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from omni_tui.model.confinement import Confinement
from omni_tui.plugins.proxy import command as proxy
from omni_tui.plugins.sandbox.toolchain import SYSTEM, sight

SHIELD = "trap '' INT QUIT HUP"
"""What a shell says before it becomes `command`: a terminal signals all that is in it, and bwrap would die of a Ctrl-C
that its program wants to handle."""
_RESET = ("env", "--default-signal=INT,QUIT,HUP")
"""Gives the program in the sandbox back what the shield ignores (env(1) of GNU, 8.31)."""

_ISOLATION = ("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--die-with-parent", "--cap-drop", "ALL")
_SEALED = ("--remount-ro", "/")
"""The root is in memory: what is written beside the mounts would fill it unseen."""
_KERNEL = ("--ro-bind", "/proc/sys", "/proc/sys")
"""The kernel's settings ask for root alone and for no capability: by core_pattern (core(5)) root's agents would have
the kernel start their programs outside. What else of the kind there is in /proc bwrap shuts itself."""
_FRESH = ("--proc", "/proc", *_KERNEL, "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", "/run", "--tmpfs", "/var/tmp")  # noqa: S108


@functools.cache
def fault() -> str:
    """Return why bubblewrap cannot be used here; empty: it can. Tried out once per process, some 10 ms."""
    if shutil.which("bwrap") is None:
        return "the program `bwrap` (bubblewrap) is not here"
    if subprocess.run((*_RESET, "true"), capture_output=True, check=False).returncode != 0:
        return f"`{' '.join(_RESET)}` does not work: env(1) of GNU coreutils 8.31 or newer is needed"
    trial = (*command(Confinement(), ("/bin/sh",), {}), "/bin/sh", "-c", ":")
    done = subprocess.run(trial, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stderr.strip() or f"bwrap ended with status {done.returncode}"


def command(confinement: Confinement, argv: Iterable[str], env: Mapping[str, str]) -> tuple[str, ...]:
    """Return the words before a command that start it in the sandbox, with its environment as it is.

    What `argv` names by whole paths can be read: the program, and files among its arguments. Where there is a passage
    our proxy stands around the sandbox, and its door before the program.
    """
    passage = None if confinement.net else confinement.passage
    if passage is None:
        return (*_bwrap(confinement, argv, env), *_RESET)
    inner = _bwrap(confinement, (*argv, str(proxy.DOOR)), env)
    return (*proxy.around(passage), *inner, *proxy.through(passage), *_RESET)


def _bwrap(confinement: Confinement, argv: Iterable[str], env: Mapping[str, str]) -> tuple[str, ...]:
    seen = sight(confinement, argv, env)
    words = ["bwrap", *_ISOLATION, *(() if confinement.net else ("--unshare-net",))]
    words += [word for path in SYSTEM for word in ("--ro-bind-try", path, path)]
    words += _FRESH
    binds = dict.fromkeys(seen.empty, "--tmpfs")
    binds |= dict.fromkeys(seen.read, "--ro-bind-try") | dict.fromkeys(seen.write, "--bind-try")
    for path, how in sorted(binds.items(), key=lambda bind: len(bind[0].parts)):  # the deeper one is not covered
        words += [how, str(path)] if how == "--tmpfs" else [how, str(path), str(path)]
    return (*words, *(word for path in seen.hidden for word in _hide(path)), *_SEALED, "--")


def _hide(path: Path) -> tuple[str, ...]:
    if path.is_dir():
        return ("--tmpfs", str(path))
    return ("--ro-bind", "/dev/null", str(path)) if path.exists() else ()
