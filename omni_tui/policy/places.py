"""Places: whether a change touched what its task names, and whether what the task needs is there."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import PurePosixPath

import msgspec

from omni_tui.model.change import Change
from omni_tui.model.task import Task
from omni_tui.model.text import listing
from omni_tui.model.verdict import FindingKind
from omni_tui.policy.finding import Found
from omni_tui.policy.paths import any_matches, is_plain, is_there, matches, mentioned, normal


class Named(msgspec.Struct, frozen=True):
    """The places that a task names."""

    targets: tuple[str, ...]
    """From its head: `touches` and `tests`, paths and patterns."""
    mentions: tuple[str, ...]
    """Paths between backticks in its text."""


def named_places(task: Task, change: Change, tree: Collection[str] | None) -> Named:
    """Return what a task names. A mention counts if it is or was in the repository, or reads like a file to be made."""
    touched = _touched(change)
    targets = (*task.touches, *(test for test in map(normal, task.tests) if _could_be_path(test)))

    def is_place(word: str) -> bool:
        known = (tree is not None and is_there(word, tree)) or any(matches(word, path) for path in touched)
        return known or ("/" in word and PurePosixPath(word).suffix != "")

    return Named(targets, tuple(word for word in mentioned(f"{task.title}\n{task.body}") if is_place(word)))


def off_target(task: Task, change: Change, tree: Collection[str] | None) -> Found | None:
    """Say so if nothing that the task names was touched. For a mere mention its neighbourhood will do."""
    named = named_places(task, change, tree)
    if not named.targets and not named.mentions:
        return None
    around = [_neighbourhood(word) for word in named.mentions]
    if any(any_matches((*named.targets, *named.mentions, *around), path) for path in _touched(change)):
        return None
    paths = tuple(file.path for file in change.files)
    names = listing(list(named.targets or named.mentions))
    return Found(
        kind=FindingKind.WRONG_PLACE,
        message=f"The task names {names}, but the change touches only {listing(list(paths))}. "
        "Work on what the task names, and leave the rest alone.",
        paths=paths,
    )


def missing_targets(task: Task, change: Change, tree: Collection[str] | None) -> Iterator[Found]:
    """Name the files that the task says must be there (`tests`, plain paths in `touches`) and that are not."""
    if tree is None:
        return
    renamed = {file.old_path for file in change.files if file.old_path}
    deleted = {file.path for file in change.files if file.status == "D"}
    wanted = [normal(path) for path in (*task.tests, *task.touches) if _could_be_path(normal(path))]
    missing = [path for path in dict.fromkeys(wanted) if path not in deleted | renamed and not is_there(path, tree)]
    if missing:
        be = "is" if len(missing) == 1 else "are"
        yield Found(
            kind=FindingKind.TARGET_MISSING,
            message=f"{listing(missing)} {be} named by the task and not in the merged tree. Add what is missing.",
            paths=tuple(missing),
        )


def _touched(change: Change) -> list[str]:
    return [path for file in change.files for path in (file.path, file.old_path) if path]


def _neighbourhood(path: str) -> str:
    """Return the directory that a mentioned file is in; the whole repository for one at its root."""
    parent = PurePosixPath(path).parent
    return "" if parent == PurePosixPath() else str(parent)


def _could_be_path(text: str) -> bool:
    return bool(text) and is_plain(text) and " " not in text
