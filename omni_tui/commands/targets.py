"""The task, workspace or provider that a word on the command line means, and how a shell completes such a word."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from omni_tui.commands.session import Session
from omni_tui.errors import OmniError, TaskNotFoundError, UsageError
from omni_tui.model.task import Status

if TYPE_CHECKING:
    from omni_tui.model.view import FleetView, TaskRow
    from omni_tui.store.paths import WorkspacePaths
    from omni_tui.store.reader import FleetReader

SHOWN = 5
"""Names of an ambiguous word that an error tells."""


class ProviderNotFoundError(OmniError):
    """There is no such provider."""

    code = "provider_not_found"


class TaskWord(click.ParamType[str]):
    """A task: its id, the beginning of its id, or `workspace/id`."""

    name = "task"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        """Offer the tasks that begin with what is typed, with their titles."""
        try:
            rows = read_fleet(ctx.ensure_object(Session).root()).rows
        except OmniError:
            return []  # no fleet here: nothing to offer, and a completion must not print
        return [
            CompletionItem(name, help=row.title)
            for row in rows
            for name in (str(row.ref) if "/" in incomplete else row.ref.id,)
            if name.startswith(incomplete)
        ]


class WorkspaceWord(click.ParamType[str]):
    """A workspace's name."""

    name = "workspace"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        """Offer the workspaces that begin with what is typed."""
        from omni_tui.store.paths import FleetPaths

        try:
            names = FleetPaths(ctx.ensure_object(Session).root()).workspace_names()
        except OmniError:
            return []  # as above
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


TASK = TaskWord()
WORKSPACE = WorkspaceWord()


def open_reader(root: Path) -> FleetReader:
    """Return a reader of the fleet at `root`."""
    from omni_tui.engine.clock import SystemClock
    from omni_tui.store.paths import FleetPaths
    from omni_tui.store.reader import FleetReader

    return FleetReader(FleetPaths(root), SystemClock().now)


def read_fleet(root: Path) -> FleetView:
    """Return the fleet at `root` as its files show it now."""
    return open_reader(root).read()


def find_task(rows: Sequence[TaskRow], word: str) -> TaskRow:
    """Return the one task that `word` means: exactly (`7` is also `0007`), else by a unique beginning.

    Where a second file took a task's id, it lies refused in blocked/, and the word means the task. Raises
    `TaskNotFoundError` naming the nearest, or those it could be.
    """
    exact = [row for row in rows if word in (row.ref.id, str(row.ref), row.ref.id.lstrip("0"))]
    found = exact or [row for row in rows if row.ref.id.startswith(word) or str(row.ref).startswith(word)]
    if found and len({row.ref for row in found}) == 1:
        return min(found, key=lambda row: row.status is Status.BLOCKED)
    if found:
        refs = list(dict.fromkeys(str(row.ref) for row in found))
        names = ", ".join(refs[:SHOWN]) + (" ..." if len(refs) > SHOWN else "")
        raise TaskNotFoundError(f"`{word}` could be {len(refs)} tasks", fix=f"name one: {names}")
    names_of = {name: row for row in rows for name in (row.ref.id, str(row.ref))}
    near = difflib.get_close_matches(word, names_of, n=1, cutoff=0.4)
    hint = f"did you mean {names_of[near[0]].ref}? " if near else ""
    raise TaskNotFoundError(f"there is no task `{word}`", fix=f"{hint}`omni-tui list` shows all")


def find_workspace(root: Path, name: str) -> WorkspacePaths:
    """Return where a workspace is. Raises `UsageError` naming the nearest."""
    from omni_tui.store.paths import FleetPaths

    paths = FleetPaths(root)
    names = paths.workspace_names()
    if name in names:
        return paths.workspace(name)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.0)
    fix = f"did you mean `{near[0]}`?" if near else f"omni-tui workspace add {name} --repo PATH_OR_URL"
    raise UsageError(f"there is no workspace `{name}`", where=str(paths.workspaces), fix=fix)


def find_provider(name: str, names: Collection[str]) -> str:
    """Return a provider's name, which is to be one of `names`. Raises `ProviderNotFoundError` naming the nearest."""
    if name in names:
        return name
    near = difflib.get_close_matches(name, sorted(names), n=1)
    there = ", ".join(sorted(names)) or "none yet"
    fix = f"did you mean `{near[0]}`?" if near else f"there is: {there}"
    raise ProviderNotFoundError(f"there is no provider `{name}`", fix=fix)
