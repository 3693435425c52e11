"""Reads what the report and the hand-off are made of: the journal's last hours, the folders, use, release branches."""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from omni_tui.config import load_workspace
from omni_tui.errors import OmniError
from omni_tui.handoff import Release
from omni_tui.model.attempt import AttemptId
from omni_tui.model.view import FleetView
from omni_tui.policy.night import Night, attempts_in, heaviest, look_back
from omni_tui.store.journal import read_events
from omni_tui.store.paths import FleetPaths, WorkspacePaths
from omni_tui.store.reader import FleetReader
from omni_tui.store.runs import Run, Runs


def read_night(reader: FleetReader, view: FleetView, seconds: float) -> Night:
    """Return what happened in the `seconds` before `view` was read from `reader`, and how things stand in it."""
    since = view.taken_at - seconds
    events = list(read_events(reader.paths.journal, since))
    attempts = [AttemptId(ref, number) for ref, number in attempts_in(events)]
    statuses = [status for each in attempts if (status := _run(reader.paths, each).read_status()) is not None]
    night = look_back(events, view, since=since)
    return msgspec.structs.replace(
        night,
        under_way=tuple(
            msgspec.structs.replace(task, worktree=_worktree(reader.paths, task.task)) for task in night.under_way
        ),
        tokens=sum(status.tokens for status in statuses),
        usd=sum(status.usd for status in statuses),
        heaviest=heaviest(statuses),
    )


def read_release(paths: WorkspacePaths) -> Release | None:
    """Return where a workspace's changes land; None: it cannot be used, which the workspace's opening tells."""
    try:
        settings = load_workspace(paths.toml)
        head = (paths.repo / "HEAD").read_text(encoding="utf-8", errors="replace")
    except (OmniError, OSError):
        return None
    place = Path(settings.repo).expanduser()
    return Release(
        workspace=paths.name,
        repo=str(paths.repo),
        branch=settings.release,
        base=settings.base or head.strip().removeprefix("ref: refs/heads/"),
        origin=settings.repo,
        checkout=str(place) if settings.repo and (place / ".git").exists() else "",
    )


def _run(paths: FleetPaths, attempt: AttemptId) -> Run:
    return Run(paths.workspace(attempt.task.workspace).run(attempt), attempt)


def _worktree(paths: FleetPaths, task: str) -> str:
    """Return the checkout of a task's latest attempt; empty: none was prepared yet."""
    workspace, _, task_id = task.partition("/")
    run = Runs(paths.workspace(workspace)).latest(task_id)
    with contextlib.suppress(OmniError):  # spoilt steps are told where the task is delivered
        for record in run.steps() if run is not None else ():
            if record.key == "prepare" and isinstance(record.result, dict):
                return str(record.result.get("path", ""))
    return ""
