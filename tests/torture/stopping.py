"""A process that stops itself (SIGSTOP) right before one of the calls by which it changes something outside itself."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from omni_tui.store import files

CALLS = ("write", "ftruncate", "unlink", "mkdir", "replace")
"""Functions of `os` that change something, whatever they are called with."""
WRITING = os.O_CREAT | os.O_WRONLY | os.O_RDWR


@contextmanager
def stop_before(point: int, tell: Callable[[str], None]) -> Iterator[None]:
    """Stop before call number `point` is made, and say by `tell` which it is; from there on only when told to go on."""
    passed = 0

    def reach(name: str, arguments: tuple[Any, ...]) -> None:
        nonlocal passed
        passed += 1
        if passed == point:
            tell(f"{name} {_named(arguments)}")
            os.kill(os.getpid(), signal.SIGSTOP)

    def counted(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 -- any call of the system
            if name != "open" or arguments[1] & WRITING:
                reach(name, arguments)
            return call(*arguments, **named)

        return counting

    owners: list[tuple[Any, str]] = [*((os, name) for name in ("open", *CALLS)), (files, "_renameat2")]
    owners.append((subprocess.Popen, "_execute_child"))
    kept = [(owner, name, getattr(owner, name)) for owner, name in owners]
    for owner, name, call in kept:
        setattr(owner, name, counted(name, call))
    try:
        yield
    finally:
        for owner, name, call in kept:
            setattr(owner, name, call)


def _named(arguments: tuple[Any, ...]) -> str:
    """Return what a call is about: a file's name without what differs from one to the next, or git's command."""
    words = [str(word, "utf-8") if isinstance(word, bytes) else str(word) for word in arguments]
    command = next((word for word in ("update-ref", "hash-object", "rev-parse") if word in str(arguments)), "")
    names = [Path(word) for word in words if "/" in word]
    if command or not names:
        return command
    return f"{names[-1].parent.name}/{'*' if names[-1].name.endswith('.tmp') else names[-1].name}"
