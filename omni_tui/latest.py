"""A task's latest attempt, as it lies in the fleet's tree: its process, and what it changed."""

from __future__ import annotations

from pathlib import Path

import msgspec

from omni_tui.errors import UsageError
from omni_tui.fleet import Fleet
from omni_tui.model.task import TaskRef
from omni_tui.plugins.runtime.protocol import Handle
from omni_tui.store.runs import Runs


def find_handle(fleet: Fleet, ref: TaskRef) -> Handle | None:
    """Return the process of a task's latest attempt: its check while that runs, else its agent; None: none yet."""
    run = Runs(fleet.paths.workspace(ref.workspace)).latest(ref.id)
    steps = {record.key: record.result for record in (run.steps() if run else [])}
    last = next(reversed(steps), "")
    started = steps[last] if last.startswith("checking.") else None
    started = started or steps.get("launch")
    return msgspec.convert(started["handle"], Handle) if started else None


async def find_diff(fleet: Fleet, ref: TaskRef) -> str:
    """Return what a task's latest attempt changed: as the gate judged it, or so far. Raises `UsageError`."""
    run = Runs(fleet.paths.workspace(ref.workspace)).latest(ref.id)
    if run is None:
        raise UsageError("it has had no attempt yet", where=str(ref), fix="`omni-tui why` says what it waits for")
    if run.patch.is_file():
        return run.patch.read_text(encoding="utf-8", errors="replace")
    prepared = next((record.result for record in run.steps() if record.key == "prepare"), None)
    worktree = Path(prepared["path"]) if prepared else None
    if worktree is None or not worktree.is_dir():
        fix = "`omni-tui show` tells what came of it, and where unfinished work is kept"
        raise UsageError(f"attempt {run.attempt.number} left nothing to compare", where=str(ref), fix=fix)
    scm = fleet.scm(ref.workspace)
    head = await scm.collect(worktree, run.attempt.branch)
    return await scm.diff(head) if head else ""
