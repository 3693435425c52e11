"""Words of a task that may stand for something in the repository: candidates, before anybody has looked there."""

from __future__ import annotations

import re

from omni_tui.model.task import Task
from omni_tui.policy.paths import mentioned

_QUOTED_NAME = re.compile(r"`(?:[\w$]+(?:\.|::|#))*([A-Za-z_$][\w$]{2,60})(?:\([^`\n]{0,80}\))?`")
_CALLED = re.compile(r"\b([A-Za-z_]\w{2,60})\(\)")
_PLAIN_PATH = re.compile(r"(?<![\w/.:~@-])[\w@+-][\w.@+-]*(?:/[\w.@+-]+)*\.[A-Za-z][A-Za-z0-9]{0,9}\b(?!/)")
_ADDS_MIGRATION = re.compile(
    r"(?<!not )(?<!no )\b(?:add|create|write|generate|need|include|new)(?:s|ed|ing)?\b[^.;:\n]{0,60}?"
    r"\bmigrations?\b(?!/)",
    re.IGNORECASE,
)


def text_of(task: Task) -> str:
    """Return all that a task says outside of its head."""
    return f"{task.title}\n{task.body}"


def named_symbols(task: Task) -> tuple[str, ...]:
    """Return the names that stand between backticks or are written as a call, in order, each once."""
    text = text_of(task)
    found = [match for pattern in (_QUOTED_NAME, _CALLED) for match in pattern.finditer(text)]
    return tuple(dict.fromkeys(match[1] for match in sorted(found, key=lambda match: match.start())))


def named_paths(task: Task) -> tuple[str, ...]:
    """Return what reads like the path of a file, in order, each once."""
    text = text_of(task)
    return tuple(dict.fromkeys((*mentioned(text), *(match[0] for match in _PLAIN_PATH.finditer(text)))))


def adds_migration(task: Task) -> bool:
    """Whether a task says that it adds a migration."""
    return _ADDS_MIGRATION.search(text_of(task)) is not None
