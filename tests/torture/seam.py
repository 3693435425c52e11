"""The seam: every operation on the fleet's tree, whoever asks for it, goes by one hook.

The methods of `store.files.Disk` themselves are wrapped, so that parts which take no disk of a test's (the lease, the
requests, the state) go by the hook as well.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from omni_tui.store.files import Disk

T = TypeVar("T")


class Operation(NamedTuple):
    """One call of the operating system that changes the tree, or makes a change of it last."""

    verb: str
    """`open`, `create`, `write`, `truncate`, `sync`, `rename`, `replace`, `unlink` or `mkdir`."""
    path: Path
    """What it is done to; of a rename, what is renamed."""
    target: Path | None = None
    """What a rename makes of it."""
    data: bytes = b""
    """What is written."""
    at: int = 0
    """Where a write begins, or what is left by a truncate; bytes from the beginning."""

    def __str__(self) -> str:
        return f"{self.verb} {short(self.target or self.path)}"


Hook = Callable[[Operation, Callable[[], Any]], Any]
"""Is given each operation and the call that does it, and returns what that returns, or raises `OSError` instead."""


def short(path: Path) -> str:
    """Return a path's last two names; the number in a temporary one says nothing."""
    return f"{path.parent.name}/*" if path.name.endswith(".tmp") else f"{path.parent.name}/{path.name}"


@contextmanager
def hooked(hook: Hook) -> Iterator[None]:
    """Let every operation in this process go by `hook` as long as the context lasts."""
    kept = {name: getattr(Disk, name) for name in _WRAPPERS}
    names: dict[int, Path] = {}
    for name, wrap in _WRAPPERS.items():
        setattr(Disk, name, wrap(kept[name], hook, names))
    try:
        yield
    finally:
        for name, method in kept.items():
            setattr(Disk, name, method)


Method = Callable[..., Any]
Names = dict[int, Path]


def _open(method: Method, hook: Hook, names: Names) -> Method:
    def opened(disk: Disk, path: Path, flags: int) -> int:
        new = flags & os.O_CREAT and not os.path.lexists(path)
        operation = Operation("create" if new else "open", path)
        descriptor: int = hook(operation, lambda: method(disk, path, flags))
        names[descriptor] = path
        return descriptor

    return opened


def _write(method: Method, hook: Hook, names: Names) -> Method:
    def written(disk: Disk, descriptor: int, data: bytes) -> int:
        operation = Operation("write", names[descriptor], data=data, at=_position(descriptor))
        count: int = hook(operation, lambda: method(disk, descriptor, data))
        return count

    return written


def _position(descriptor: int) -> int:
    appends = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_APPEND
    return os.fstat(descriptor).st_size if appends else os.lseek(descriptor, 0, os.SEEK_CUR)


def _truncate(method: Method, hook: Hook, names: Names) -> Method:
    return lambda disk, descriptor, size: hook(
        Operation("truncate", names[descriptor], at=size), lambda: method(disk, descriptor, size)
    )


def _sync(method: Method, hook: Hook, names: Names) -> Method:
    return lambda disk, descriptor: hook(Operation("sync", names[descriptor]), lambda: method(disk, descriptor))


def _renaming(verb: str) -> Callable[[Method, Hook, Names], Method]:
    return lambda method, hook, _: (
        lambda disk, source, target: hook(Operation(verb, source, target), lambda: method(disk, source, target))
    )


def _naming(verb: str) -> Callable[[Method, Hook, Names], Method]:
    return lambda method, hook, _: lambda disk, path: hook(Operation(verb, path), lambda: method(disk, path))


_WRAPPERS: dict[str, Callable[[Method, Hook, Names], Method]] = {
    "open": _open,
    "write": _write,
    "truncate": _truncate,
    "sync": _sync,
    "rename": _renaming("rename"),
    "replace": _renaming("replace"),
    "unlink": _naming("unlink"),
    "mkdir": _naming("mkdir"),
}
