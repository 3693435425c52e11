"""Protection: paths and kinds of file that only a person may change, because they steer tools and people later.

Case does not count in these patterns: on some file systems `.GitHub/` is `.github/`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from omni_tui.model.change import Change, FileChange
from omni_tui.model.task import Task
from omni_tui.model.text import code
from omni_tui.model.verdict import FindingKind
from omni_tui.policy.finding import Found
from omni_tui.policy.paths import any_matches, is_plain, normal

SYMLINK = "120000"
GITLINK = "160000"
EXECUTABLE = "100755"


def protected(task: Task, change: Change, patterns: Sequence[str]) -> Iterator[Found]:
    """Name each protected file that the change touches, unless the task's `touches` names it."""
    allowed = [touch for touch in task.touches if _names_a_place(touch)]
    folded = [pattern.casefold() for pattern in patterns]
    for file in change.files:
        if any_matches(allowed, file.path):
            continue
        reason = _reason(file, folded)
        if reason:
            yield Found(
                kind=FindingKind.PROTECTED_PATH,
                message=f"{code(file.path)} {reason}. Only a person may do that, or a task whose `touches` names it: "
                "take it out of the change.",
                paths=(file.path,),
            )


def _reason(file: FileChange, patterns: Sequence[str]) -> str:
    if any(any_matches(patterns, path.casefold()) for path in (file.path, file.old_path) if path):
        return "is protected"
    if file.new_mode == SYMLINK:
        return "is a symbolic link"
    if GITLINK in (file.new_mode, file.old_mode):
        return "is a submodule"
    if file.new_mode == EXECUTABLE and file.old_mode != EXECUTABLE:
        return "was made executable"
    return ""


def _names_a_place(touch: str) -> bool:
    """Whether a pattern begins with a plain name; `**` and `*.yml` name no place, so they unlock nothing."""
    first = normal(touch).split("/", 1)[0]
    return first not in {"", "."} and is_plain(first)
