"""Brakes as files in `control/`, for a person who has only a shell: in force as long as the file is there.

`freeze`, `freeze-hard` and `throttle` are the fleet's; `freeze.workspace.NAME` and `freeze.provider.NAME` one part's. A
freeze's first line is its reason, a throttle's first word how many at once (1 where there is none).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from omni_tui.model.brakes import FLEET, Brakes, Freeze, Scope, Throttle
from omni_tui.model.text import code, one_line
from omni_tui.store.files import DISK, Disk, remove
from omni_tui.store.reading import read_small

MOST = 64
SHOWN = 40
"""Characters of a word that is no number are shown."""

_NAME = re.compile(r"(freeze|freeze-hard|throttle)(?:\.(workspace|provider)\.([A-Za-z0-9][A-Za-z0-9._-]*))?")


def read_brakes(directory: Path) -> Brakes:
    """Return the brakes whose files are there; one that cannot be read brakes all the same, without its reason."""
    brakes = Brakes()
    for path, kind, scope in _files(directory):
        unread = ""
        try:
            line = read_small(path).decode("utf-8", "replace").strip().partition("\n")[0]
        except FileNotFoundError:  # just taken away
            continue
        except OSError as error:
            line, unread = "", f"{path.name} cannot be read: {error.strerror}"
        if kind == "throttle":
            one = Brakes(throttles=(_throttle(scope, f"the file control/{path.name}", line, unread),))
        else:
            one = Brakes(freezes=(Freeze(scope=scope, reason=one_line(unread or line), hard=kind == "freeze-hard"),))
        brakes = brakes.and_those(one)
    return brakes


def release_files(directory: Path, kind: str, scope: Scope, disk: Disk = DISK) -> None:
    """Remove the files of a scope's brake; `kind` is `freeze` or `throttle`. Raises `OSError`."""
    for path, found, of in _files(directory):
        if of == scope and found.startswith(kind):
            remove(path, disk=disk)


def _files(directory: Path) -> Iterator[tuple[Path, str, Scope]]:
    if not directory.is_dir():
        return
    for path in sorted(directory.iterdir()):
        match = _NAME.fullmatch(path.name)
        if match is not None:
            kind, part, name = match.groups()
            yield path, kind, Scope(**{part: name}) if part else FLEET


def _throttle(scope: Scope, by: str, line: str, unread: str) -> Throttle:
    """Return what a file's first line says; where that is no number, or is `unread`, one at a time, and why."""
    word = (line.split() or ["1"])[0]
    number = int(word) if word.isascii() and word.isdigit() and len(word) < 4 else 0
    doubt = "" if 1 <= number <= MOST else f"where {code(one_line(word, SHOWN))} is no number from 1 to {MOST}"
    return Throttle(scope=scope, most=max(1, min(MOST, number)), by=by, doubt=unread or doubt)
