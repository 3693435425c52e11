"""Destruction: what a change takes away without being asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from omni_tui.model.change import Change
from omni_tui.model.gate_settings import GateSettings
from omni_tui.model.task import Task
from omni_tui.model.text import code, listing
from omni_tui.model.verdict import FindingKind
from omni_tui.policy.definitions import Removals, removals
from omni_tui.policy.finding import Found
from omni_tui.policy.intent import Intent


def destruction(task: Task, change: Change, settings: GateSettings) -> Iterator[Found]:
    """Name the definitions and files that went without being asked for, and deletions far above additions."""
    intent = Intent(task)
    gone = removals(change.patch)
    yield from _definitions(gone, intent)
    yield from _files(change, gone, intent)
    yield from _proportion(change, settings, intent)


def _definitions(gone: Removals, intent: Intent) -> Iterator[Found]:
    by_path: dict[str, list[str]] = defaultdict(list)
    for definition in gone.definitions:
        by_path[definition.path].append(definition.name)
    for path, all_names in by_path.items():
        names = [] if intent.asks_for_file(path) else [name for name in all_names if not intent.asks_for(name)]
        if not names:
            continue
        was, it = ("was", "it") if len(names) == 1 else ("were", "them")
        yield Found(
            kind=FindingKind.DESTRUCTION,
            message=f"{listing(names)} {was} removed from {code(path)}; the task does not ask for it. "
            f"Put {it} back and only add.",
            paths=(path,),
        )


def _files(change: Change, gone: Removals, intent: Intent) -> Iterator[Found]:
    """Name deleted files; those with definitions are judged by what became of them."""
    deleted = [
        file.path
        for file in change.files
        if file.status == "D" and file.path not in gone.defining and not intent.asks_for_file(file.path)
    ]
    if deleted:
        was, it = ("was", "it") if len(deleted) == 1 else ("were", "them")
        yield Found(
            kind=FindingKind.DESTRUCTION,
            message=f"{listing(deleted)} {was} deleted; the task does not ask for it. Put {it} back.",
            paths=tuple(deleted),
        )


def _proportion(change: Change, settings: GateSettings, intent: Intent) -> Iterator[Found]:
    if intent.about_removing:
        return
    removed = sum(file.removed for file in change.files if not intent.asks_for_file(file.path))
    if removed >= settings.deletion_floor and removed > settings.deletion_ratio * max(1, change.added):
        yield Found(
            kind=FindingKind.DESTRUCTION,
            message=f"{removed} lines were deleted and {change.added} added; the task does not ask to take that much "
            "away. Put back what it does not name.",
            paths=tuple(file.path for file in change.files if file.removed > file.added),
        )
