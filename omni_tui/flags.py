"""Changing a workspace's `flags.toml`: only what differs, so that what a person wrote beside it stays."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import tomli_w

from omni_tui.config import line_of, load_flags, parse_flags
from omni_tui.errors import ConfigError, UsageError
from omni_tui.model.flag import FLAG_NAME, STATE, Flag
from omni_tui.store.files import publish

HEAD = """\
# Feature flags of this project, a table each: its state, who flips it (`by`), and since when. Tasks name them in
# `requires_flags`, `provides_flags` and `stubs_flags`. A change counts at once.
"""


def set_flag(path: Path, name: str, state: str, by: str | None, at: float) -> Flag:
    """Put a flag into a state at the UTC time `at`, and name who flips it where `by` says; return what it is now.

    A new one is added. Raises `UsageError` for a name, a state or a `by` that cannot be one, and `ConfigError` where
    the file holds a mistake, or is written so that only a person can change it: then nothing was.
    """
    if FLAG_NAME.fullmatch(name) is None:
        raise UsageError(f"`{name}` cannot name a flag", fix="letters, digits, `_`, `-` and `.` do")
    if re.fullmatch(STATE, state) is None:
        raise UsageError(f"`{state}` cannot be a flag's state", fix="on, off, or a word such as 10%")
    if by is not None and not by.isprintable():
        raise UsageError(f"{by!r} cannot say who flips it", fix="a name on one line, without control characters, does")
    with _alone(path.parent):
        flags = load_flags(path)
        text = path.read_text(encoding="utf-8") if path.exists() else HEAD
        before = flags.get(name)
        after = _changed(before, state, by, at)
        if after != before:
            text = _edited(text, name, before, after)
            _require(path, text, {**flags, name: after}, name)
            publish(path, text.encode())
    return after


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Wait until nobody else changes flags there: two changes at once would lose one."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)  # the lock goes with it


def _changed(before: Flag | None, state: str, by: str | None, at: float) -> Flag:
    now = datetime.fromtimestamp(int(at), UTC)
    if before is None:
        return Flag(state=state, by=by or "", since=now)
    since = before.since if before.state == state else now
    return Flag(state=state, by=before.by if by is None else by, since=since)


def _edited(text: str, name: str, before: Flag | None, after: Flag) -> str:
    """Return the text with the lines of one flag changed that differ."""
    text = f"{text.rstrip()}\n"
    if before is None:
        values = {key: value for key, value in msgspec.structs.asdict(after).items() if value not in (None, "")}
        return f"{text}\n{tomli_w.dumps({name: values})}".lstrip("\n")
    for key in Flag.__struct_fields__:
        value = getattr(after, key)
        if value != getattr(before, key):
            text = _set_line(text, name, key, tomli_w.dumps({"": value}).removeprefix('"" = ').strip())
    return text


def _set_line(text: str, name: str, key: str, value: str) -> str:
    """Set one key on its line, or on a new one below the state's; what else stands there, such as a remark, stays."""
    lines = text.splitlines(keepends=True)
    at = line_of(text, (name, key)) - 1
    pattern = rf"(\s*{key}\s*=\s*)(?:\"[^\"\\]*\"|'[^']*'|\d[\dtTzZ:.+ -]*?)(\s*(?:#.*)?)"
    match = re.fullmatch(pattern, lines[at], re.DOTALL)
    if match is not None:
        lines[at] = f"{match[1]}{value}{match[2]}"
    else:
        below = line_of(text, (name, "state"))
        indent = re.match(r"\s*", lines[below - 1])
        lines.insert(below, f"{indent[0] if indent else ''}{key} = {value}\n")
    return "".join(lines)


def _require(path: Path, text: str, flags: dict[str, Flag], name: str) -> None:
    """Raise `ConfigError` unless the changed text says what it should, and all else as before."""
    try:
        good = parse_flags(path, text) == flags
    except ConfigError:
        good = False
    if not good:
        raise ConfigError(
            f"`{name}` is written in a way that only a person can change",
            where=f"{path}:{line_of(text, (name,))}",
            fix=f"write it as a table of its own, [{name}], with a line each for state, by and since",
        )
