"""Reading a small file that anybody may have spoilt: never blocks, never follows a link, never takes in too much.

What cannot be read as what it should be is moved aside with a note, by the one process that may write there; everybody
else passes over it.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from pathlib import Path
from typing import TypeVar

import msgspec

from omni_tui.model.text import clean, throughout
from omni_tui.store.files import DISK, Disk, make_dirs, move, publish

T = TypeVar("T")

MOST_BYTES = 64 << 20
"""Of the largest file of ours that is read whole."""

REFUSED = "refused"
"""The folder for files that could not be read, each with a note, beside where they were."""

_PLAIN = re.compile(rb'(?:[ -\[\]-~\n]++|\\[nt"\\/])*+')
"""JSON without anything that `clean` takes out: nearly all there is, so nearly nothing is looked at twice."""
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def read_small(path: Path) -> bytes:
    """Return a file's content. Raises `OSError`, `FileNotFoundError` among them, also for what is no plain file."""
    descriptor = os.open(path, _FLAGS)
    with os.fdopen(descriptor, "rb") as file:
        info = os.fstat(descriptor)
        if not stat.S_ISREG(info.st_mode):
            raise OSError(errno.EINVAL, "not a plain file", str(path))
        if info.st_size > MOST_BYTES:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
        return file.read(MOST_BYTES)


def decode(decoder: msgspec.json.Decoder[T], data: bytes) -> T:
    """Return what JSON stands for. Raises `msgspec.MsgspecError`, whatever is wrong with it."""
    try:
        return decoder.decode(data)
    except (RecursionError, UnicodeDecodeError) as error:
        raise msgspec.DecodeError(str(error)) from error


def decode_shown(decoder: msgspec.json.Decoder[T], data: bytes) -> T:
    """As `decode`, for what a person is shown: no text in it can move a terminal, whoever wrote the file."""
    value = decode(decoder, data)
    return value if _PLAIN.fullmatch(data) else throughout(value, clean)


def put_aside(path: Path, what: str, reason: str, disk: Disk = DISK) -> Path:
    """Move a file that is not `what` it should be into `refused/`, with a note beside it; return where it is now.

    Raises `FileNotFoundError` where it has gone meanwhile.
    """
    aside = path.parent / REFUSED
    make_dirs(aside, disk=disk)
    number = sum(1 for _ in aside.iterdir())
    target = aside / f"{number:04d}-{path.name}"
    publish(target.with_suffix(".note.md"), f"This is not {what}: {reason}\n".encode("utf-8", "replace"), disk=disk)
    move(path, target, disk=disk)
    return target
