"""Definitions: what files define and on which lines, told by tree-sitter, in a process beside ours (`parse_program`).

Sources come out of a repository that agents write to, so any of them may be made to keep a parser busy or to crash it.
The process then ends, that file stays unread, and another process goes on behind it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from omni_tui.plugins.grammars import grammar_of

LENGTH_LIMIT = 512 << 10
"""Bytes of a file that is read; a longer one was written by a machine, as a rule."""
FILE_SECONDS = 1.0
"""Processor time that one file may take; 512 KiB of ordinary source take a tenth of that."""
SECONDS = 20.0
"""After so long a process is ended."""
MOST_ENDS = 4
"""After so many processes that ended over a file the rest stays unread."""
PROGRAM = Path(__file__).with_name("parse_program.py")

Definitions = Mapping[str, Sequence[int]]
"""Each name with the lines, from 1, on which a file defines it."""


class Source(NamedTuple):
    """A file to read."""

    path: str
    text: bytes


def is_readable(path: str, length: int) -> bool:
    """Whether there is a grammar for a file, and it is not too long."""
    return length <= LENGTH_LIMIT and grammar_of(path) is not None


def read_definitions(sources: Sequence[Source], seconds: float = FILE_SECONDS) -> list[Definitions | None]:
    """Return what each file defines; None: it is not readable, or took more than `seconds` of the processor. Blocks."""
    found: list[Definitions | None] = [None] * len(sources)
    left = [at for at, source in enumerate(sources) if is_readable(source.path, len(source.text))]
    for _ in range(MOST_ENDS):
        if not left:
            break
        answers = _ask([sources[at] for at in left], seconds)
        for at, answer in zip(left, answers, strict=False):
            found[at] = answer
        left = left[len(answers) + 1 :]
    return found


def _ask(sources: Sequence[Source], seconds: float) -> list[Definitions]:
    """Return what a process tells of these files, up to the one that it ended over."""
    process = subprocess.Popen(
        (sys.executable, "-I", str(PROGRAM)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
        cwd="/",
        start_new_session=True,
    )
    with process:
        try:
            out, _ = process.communicate(b"".join(_job(source, seconds) for source in sources), SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            out, _ = process.communicate()
    whole = out[: out.rfind(b"\n") + 1].splitlines()
    return [msgspec.json.decode(line, type=dict[str, list[int]]) for line in whole]


def _job(source: Source, seconds: float) -> bytes:
    grammar = grammar_of(source.path)
    assert grammar is not None  # noqa: S101 - see `is_readable`
    head = {
        "package": grammar.package,
        "function": grammar.function,
        "query": grammar.query,
        "length": len(source.text),
        "seconds": seconds,
    }
    return msgspec.json.encode(head) + b"\n" + source.text
