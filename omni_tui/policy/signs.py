"""Signs: what a failure's output shows that another failure may show too, such as a failing test or a missing name.

They make a common cause visible: three tasks that each "failed their check" look unrelated until somebody notices that
the same test failed in all of them. Formats: pytest, unittest, go test, cargo test, jest, and what compilers and
interpreters say of a name that is not there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from omni_tui.model.failure import Failure, FailureKind
from omni_tui.model.task import Task
from omni_tui.model.text import one_line

MOST = 12
"""Signs of one failure that are kept, the first ones."""
NAMED = 3
"""Of them that stand for a failure where there is room for a line."""
LENGTH = 120

_NAME = r"['\"`‘]([\w.$/:-]{1,100})['\"`’]"
_PATTERNS = tuple(
    (re.compile(pattern, re.MULTILINE), words)
    for pattern, words in (
        (r"^(?:FAILED|ERROR) ([\w./-]+(?:::\S{1,100})?)", "test {}"),  # pytest
        (r"^(?:FAIL|ERROR): (\w+ \([\w.]+\))", "test {}"),  # unittest
        (r"^\s*--- FAIL: (\S{1,100})", "test {}"),  # go
        (r"^test (\S{1,100}) \.\.\. FAILED", "test {}"),  # cargo
        (r"^\s*● (.{1,100})$", "test {}"),  # jest
        (rf"No module named {_NAME}", "missing {}"),
        (rf"cannot import name {_NAME}", "missing {}"),
        (rf"\bname {_NAME} is not defined", "missing {}"),
        (rf"has no attribute {_NAME}", "missing {}"),
        (r"\b([A-Za-z_$][\w$]{0,100}) is not defined", "missing {}"),  # JavaScript
        (rf"Cannot find (?:name|module) {_NAME}", "missing {}"),  # TypeScript, node
        (rf"undefined reference to {_NAME}", "missing {}"),  # a linker
        (r"undefined: (\w{1,100})", "missing {}"),  # go
        (rf"cannot find \w+ {_NAME} in this scope", "missing {}"),  # Rust
        (r"(?:^|[\s:])([\w.+-]{1,60}): (?:command )?not found", "missing {}"),  # a shell
        (r"\b[Ff]lag ['\"`]?([\w.-]{2,60})['\"`]? (?:is|was|must be|has to be)\b", "flag {}"),
    )
)


def seen_in(text: str) -> tuple[str, ...]:
    """Return the signs that a text shows, each once, in the order in which they were looked for."""
    found = (words.format(match[1]) for pattern, words in _PATTERNS for match in pattern.finditer(text))
    return tuple(dict.fromkeys(one_line(sign, LENGTH) for sign in found))


def gist(output: str) -> str:
    """Return in a few words what a failed command showed: its first signs, else its last line; empty: nothing."""
    signs = seen_in(output)[:NAMED]
    return ", ".join(signs) if signs else one_line(output.strip().rpartition("\n")[2], LENGTH)


def signs_of(task: Task, failure: Failure) -> tuple[str, ...]:
    """Return the signs of a failure.

    A flag that the task requires is one of them where the work itself failed: whether it was as required is not seen.
    """
    found = list(seen_in(f"{failure.message}\n{failure.output}"))
    if failure.kind in (FailureKind.CHECK, FailureKind.GATE):
        found += [one_line(f"flag {flag.partition('=')[0].strip()}", LENGTH) for flag in task.requires_flags]
    return tuple(dict.fromkeys(found))[:MOST]


def shows(task: Task, signs: Iterable[str]) -> str:
    """Return the first of `signs` that a task's own words point to: it would fail in the same way; empty: none."""
    return next((sign for sign in signs if _points_to(task, *sign.split(" ", maxsplit=1))), "")


def _points_to(task: Task, kind: str, name: str) -> bool:
    if kind == "flag":
        return name in {flag.partition("=")[0].strip() for flag in task.requires_flags}
    if kind == "test":
        named = name.partition("::")[0]
        return any(named == test.partition("::")[0] for test in task.tests)
    return _says(name, (task.title, task.body))


def _says(name: str, texts: Sequence[str]) -> bool:
    """Whether a name stands in a text as a word of its own. Short words are too common to mean anything."""
    if len(name) < 4:
        return False
    word = re.compile(rf"(?<![\w.]){re.escape(name)}(?![\w.])")
    return any(word.search(text) for text in texts)
