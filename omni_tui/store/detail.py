"""All that the files tell of one task, for the person who looks at it."""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from omni_tui.errors import OmniError, TaskFileError
from omni_tui.model.step import StepRecord
from omni_tui.model.task import TaskRef
from omni_tui.model.taskfile import note_name
from omni_tui.model.text import clean
from omni_tui.model.verdict import Verdict
from omni_tui.store.paths import FleetPaths
from omni_tui.store.reading import read_small
from omni_tui.store.runs import Runs
from omni_tui.store.taskread import read_task

NOTE_BYTES = 256 << 10
"""Of a note are shown."""


class TaskDetail(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a task beyond its row."""

    path: str = ""
    """Its file, seen from the fleet's root."""
    note: str = ""
    body: str = ""
    depends_on: tuple[str, ...] = ()
    touches: tuple[str, ...] = ()
    steps: tuple[StepRecord, ...] = ()
    """Of the latest attempt."""
    verdict: Verdict | None = None
    """On the latest attempt."""


def read_detail(paths: FleetPaths, ref: TaskRef, path: Path) -> TaskDetail:
    """Read what there is about the task whose file is `path`; what is missing is left empty."""
    detail = TaskDetail(path=str(path.relative_to(paths.root)), note=_text(path.with_name(note_name(path.name))))
    with contextlib.suppress(TaskFileError, FileNotFoundError):  # moved meanwhile, or not a task: shown without
        task = read_task(path, ref.workspace)
        detail = msgspec.structs.replace(detail, body=task.body, depends_on=task.depends_on, touches=task.touches)
    run = Runs(paths.workspace(ref.workspace)).latest(ref.id)
    if run is None:
        return detail
    detail = msgspec.structs.replace(detail, verdict=run.read_verdict())
    with contextlib.suppress(OmniError):  # spoilt steps are told where the task is delivered
        detail = msgspec.structs.replace(detail, steps=tuple(run.steps()))
    return detail


def _text(path: Path) -> str:
    try:
        return clean(read_small(path)[:NOTE_BYTES].decode("utf-8", "replace"))
    except OSError:
        return ""
