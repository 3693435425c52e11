"""A spec: what one task's text says, as the functions that look for a fault in it need it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import PurePosixPath
from typing import NamedTuple

import msgspec

from omni_tui.model.lint import LintKind
from omni_tui.model.task import Task, TaskRef
from omni_tui.policy.leaks import Find
from omni_tui.policy.paths import is_plain, mentioned, normal

_FENCED = re.compile(
    r"^ {0,3}(```+|~~~+)[^\n]*\n.*?(?:^ {0,3}\1[`~]*[ \t]*$|\Z)|<!--.*?(?:-->|\Z)", re.MULTILINE | re.DOTALL
)
_NOT_NEWLINE = re.compile(r"[^\n]")
_BARE_PATH = re.compile(
    r"(?<![\w/:.`-])(?:[\w.@+-]+/)+[\w.@+-]*\w"
    r"|(?<![\w/:.`-])\w[\w-]*\.(?:py|pyi|[jt]sx?|go|rs|java|kts?|c|h|cc|cpp|hpp|cs|rb|php|sh|sql|md|rst|txt"
    r"|toml|ya?ml|json|html?|s?css|proto|ini|cfg)\b"
)
_TEST_NAME = re.compile(
    r"\b(?:tests?|specs?|__tests__)/[\w./-]+(?:::\w+)*|\btest_\w+|\b\w{1,80}_(?:test|spec)\.\w+"
    r"|\b[\w-]{1,80}\.(?:test|spec)\.\w+|\bTest[A-Z]\w+|\b[A-Z]\w{1,80}Tests?\b"
)


MOST = 60_000
"""Characters of a text that are read: what is not said in them is not said."""


class Place(NamedTuple):
    """Where in a task's file: at a key of its head, or on a line of its text, counted from 1 below the head."""

    key: str = ""
    line: int = 0


TITLE = Place("title")


class SpecFinding(msgspec.Struct, frozen=True, kw_only=True):
    """A fault of a task's text: what it is, what to do, and where."""

    kind: LintKind
    message: str
    fix: str
    place: Place


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What a task is read against."""

    backlog: Collection[TaskRef] | None = None
    """Every task there is, landed ones included, as a set or the keys of a mapping; None: nobody knows."""
    flags: Collection[str] | None = None
    """The feature flags of its workspace: in `flags.toml`, or brought by a task; None: nobody knows."""
    definitions: Mapping[str, Sequence[str]] = {}
    """Where the tree that the work begins on defines a name: `path:line`."""
    find_secrets: Find = lambda _: ()
    """Returns the secrets in a text."""


class Spec:
    """One task's text, taken apart once for all who look at it."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.prose = _FENCED.sub(lambda match: _NOT_NEWLINE.sub(" ", match[0]), task.body[:MOST])
        """The text with what stands in code blocks and remarks blanked out; every place in it stays the same."""

    @cached_property
    def words(self) -> str:
        """Title and prose."""
        return f"{self.task.title}\n\n{self.prose}"

    def find(self, pattern: re.Pattern[str]) -> Iterator[tuple[re.Match[str], Place]]:
        """Give each match in title and prose with its place, as a finding names it."""
        for match in pattern.finditer(self.task.title):
            yield match, TITLE
        for match in pattern.finditer(self.prose):
            start = match.start() + len(match[0]) - len(match[0].lstrip())
            yield match, self.place(start)

    def place(self, start: int) -> Place:
        """Return where a character of the prose is."""
        return Place(line=self.prose.count("\n", 0, start) + 1)

    def sentence(self, match: re.Match[str]) -> str:
        """Return the sentence, or the item of a list, that a match stands in."""
        text = match.string
        start = max(text.rfind(end, 0, match.start()) for end in (". ", "\n\n", "\n- ", "\n* ", "\n#"))
        ends = [at for end in (". ", ".\n", "\n\n", "\n- ", "\n* ") if (at := text.find(end, match.end())) >= 0]
        return text[max(start, 0) : min(ends, default=len(text))]

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """The files and directories that head and text name."""
        bare = (normal(match[0]) for match in _BARE_PATH.finditer(self.words))
        return tuple(dict.fromkeys([*map(normal, self.task.touches), *mentioned(self.words), *bare]))

    @cached_property
    def tests(self) -> tuple[str, ...]:
        """The tests that the head names, else those of the text."""
        return self.task.tests or tuple(
            dict.fromkeys(match[0].rstrip(".") for match in _TEST_NAME.finditer(self.words))
        )

    def is_within(self, path: str) -> bool:
        """Whether the text names a file, or a directory above it; also by its last part alone."""
        return any(
            path == named or path.startswith(f"{named}/") or PurePosixPath(path).name == named
            for named in self.paths
            if is_plain(named)
        )
