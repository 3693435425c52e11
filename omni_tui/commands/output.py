"""What a command prints: words for a person, or one JSON object for a program. Commands return an `Answer`.

`rich` is imported when something is printed for a person, so that `--help`, `--version` and `--json` stay quick.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from omni_tui.errors import OmniError
from omni_tui.model.text import clean

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

PIPE_WIDTH = 200
"""Columns where the output is no terminal: wide enough that a line-wise tool gets whole rows."""


@dataclass(frozen=True)
class Answer:
    """What came of a command."""

    result: Any = None
    """Plain data, or Structs, for `--json`."""
    shown: RenderableType = ""
    """What a person reads; a `str` is taken as it is, without markup."""
    fault: OmniError | None = None
    """The command did its work and found something wrong, such as `doctor`: told after what is shown."""


def print_answer(answer: Answer, command: str, *, as_json: bool) -> int:
    """Print `answer`, and return the exit status."""
    if as_json:
        body: dict[str, Any] = {"ok": answer.fault is None, "command": command, "result": answer.result}
        print_json(body if answer.fault is None else {**body, "error": _error(answer.fault)})
    else:
        if answer.shown != "":
            show(answer.shown)
        if answer.fault is not None:
            _tell(answer.fault)
    return answer.fault.exit_status if answer.fault is not None else 0


def print_error(error: OmniError, command: str, *, as_json: bool) -> int:
    """Print why a command could not do its work, and return the exit status."""
    if as_json:
        print_json({"ok": False, "command": command, "error": _error(error)})
    else:
        _tell(error)
    return error.exit_status


def print_json(value: object) -> None:
    """Write one JSON object on a line of its own; a path becomes a text."""
    sys.stdout.write(msgspec.json.encode(value, enc_hook=str).decode() + "\n")
    sys.stdout.flush()


def show(shown: RenderableType) -> None:
    """Print for a person: colours on a terminal, plain elsewhere and under NO_COLOR."""
    if isinstance(shown, str):
        sys.stdout.write(clean(shown).rstrip("\n") + "\n")
    else:
        console = _console(stderr=False)
        with console.capture() as captured:
            console.print(shown)
        text = captured.get()
        sys.stdout.write(text if console.is_terminal else _without_padding(text))
    sys.stdout.flush()


@contextmanager
def progress(what: str, growing: Path | None = None) -> Iterator[None]:
    """Show on stderr that work goes on: a spinner on a terminal, one plain line elsewhere; nothing goes to stdout.

    `growing` is a directory that fills meanwhile: the spinner shows how much is in it.
    """
    console = _console(stderr=True)
    if console.is_terminal:
        with console.status(_Growing(clean(what), growing) if growing else clean(what)):
            yield
    else:
        sys.stderr.write(clean(f"{what} ...\n"))
        yield


@dataclass(frozen=True)
class _Growing:
    """Words with the size of a directory, looked at whenever they are drawn."""

    what: str
    directory: Path

    def __rich__(self) -> str:
        from rich.filesize import decimal

        return f"{self.what}: {decimal(sum(_sizes(self.directory)))}"


def _sizes(directory: Path) -> Iterator[int]:
    """Give the size of each file, while files come and go."""
    for folder, _, names in os.walk(directory):
        for name in names:
            with suppress(FileNotFoundError):
                yield os.lstat(os.path.join(folder, name)).st_size  # noqa: PTH118 - many names, ten times a second


def _console(*, stderr: bool) -> Console:
    from rich.console import Console

    console = Console(stderr=stderr, highlight=False, emoji=False, markup=False)
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    return console


def _without_padding(text: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def _error(error: OmniError) -> dict[str, str]:
    message = f"{error.where}: {error.message}" if error.where else error.message
    return {"code": error.code, "message": message, "fix": error.fix}


def _tell(error: OmniError) -> None:
    parts = _error(error)
    fix = f"  {parts['fix']}\n" if error.fix else ""
    sys.stderr.write(clean(f"omni-tui: {parts['message']}\n{fix}"))
