"""`omni-tui lint`: whether tasks can be finished as they are written, before an agent spends a night on them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from omni_tui.commands.output import Answer
from omni_tui.commands.session import Session, common
from omni_tui.commands.targets import WORKSPACE, find_workspace
from omni_tui.errors import FleetNotFoundError, OmniError, TaskFileError, UsageError
from omni_tui.model.lint import LintLevel
from omni_tui.model.text import plural

if TYPE_CHECKING:
    from rich.console import RenderableType

    from omni_tui.fleet import Fleet
    from omni_tui.linting import Remark, Written

STYLES = {LintLevel.REFUSE: "bold red", LintLevel.WARN: "yellow", LintLevel.OFF: ""}


class FoundError(OmniError):
    """Tasks were found that cannot be started as they are written."""

    code = "lint"


@click.command("lint")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, dir_okay=False), metavar="[FILE]...")
@click.option("--workspace", type=WORKSPACE, help="Which workspace the files are for; else the fleet's only one.")
@click.option("--strict", is_flag=True, help="Exit status 1 also where there are only warnings.")
@common
def lint(session: Session, files: tuple[Path, ...], workspace: str | None, strict: bool) -> Answer:
    """Read tasks for what keeps them from being finished: the waiting ones of the fleet, or FILEs.

    Each finding has its line and what to do. `[lint]` in config.toml says for each kind whether it is off, warns, or
    refuses to start the task. Exit status 1 where something refuses.
    """
    found, read, note = _of_files(session, files, workspace) if files else _of_backlog(session, workspace)
    refused = sum(remark.level is LintLevel.REFUSE for remark in found)
    fault = None
    if refused or (strict and found):
        what = f"{plural(refused, 'finding')} by which tasks are refused" if refused else plural(len(found), "finding")
        fault = FoundError(what, fix="mend the tasks, or set the kind to another level under [lint] in config.toml")
    return Answer({"read": read, "findings": found}, _shown(found, read, note), fault)


def _of_backlog(session: Session, workspace: str | None) -> tuple[list[Remark], int, str]:
    from omni_tui.fleet import Fleet
    from omni_tui.linting import Linter

    root = session.root()
    if workspace is not None:
        find_workspace(root, workspace)
    linter = Linter(Fleet(root))
    written = [each for each in linter.waiting if workspace in (None, each.task.workspace)]
    bad = [each for each in linter.unreadable if workspace in (None, each.task.partition("/")[0])]
    found = [*bad, *linter.look(written), *linter.of_flags(written)]
    read = {each.file for each in written} | {each.file for each in bad}
    return found, len(read), "\n".join(linter.faults)


def _of_files(session: Session, files: Sequence[Path], workspace: str | None) -> tuple[list[Remark], int, str]:
    """Read files against the workspace they are for; where nobody knows which, by themselves."""
    from omni_tui.fleet import Fleet
    from omni_tui.linting import Linter, by_itself, remarks
    from omni_tui.model.lint import LintSettings
    from omni_tui.policy.spec import Surroundings

    try:
        fleet = Fleet(session.root())
    except FleetNotFoundError:
        if session.fleet is not None or workspace is not None:
            raise
        written, bad = _read(files, "")
        alone = by_itself()
        return bad + [each for one in written for each in remarks(one, alone, LintSettings())], len(files), ""
    name = _workspace_of(fleet, files, workspace)
    written, bad = _read(files, name)
    if name:
        linter = Linter(fleet)
        found = linter.look(written)
        return bad + found, len(files), "\n".join(linter.faults)
    alone = Surroundings(find_secrets=fleet.held.find)
    found = [each for one in written for each in remarks(one, alone, fleet.settings.lint)]
    return bad + found, len(files), "read by themselves: --workspace NAME also tells what is there already"


def _workspace_of(fleet: Fleet, files: Sequence[Path], workspace: str | None) -> str:
    """Return which workspace files are for: as named, else the one whose queue they lie in, else the only one."""
    if workspace is not None:
        return find_workspace(fleet.paths.root, workspace).name
    names = fleet.paths.workspace_names()
    for name in names:
        root = fleet.paths.workspace(name).root.resolve()
        if all(root in file.resolve().parents for file in files):
            return name
    return names[0] if len(names) == 1 else ""


def _read(files: Sequence[Path], workspace: str) -> tuple[list[Written], list[Remark]]:
    """Read the tasks in files; what is none becomes a finding. Raises `UsageError` for a file that cannot be read."""
    from omni_tui.linting import Written, no_task
    from omni_tui.model.taskfile import parse

    written: list[Written] = []
    bad: list[Remark] = []
    for file in files:
        try:
            data = file.read_bytes()
        except OSError as error:
            fix = "name a readable file"
            raise UsageError(f"cannot be read: {error.strerror}", where=str(file), fix=fix) from error
        try:
            task = parse(data, workspace=workspace, stem=file.stem, created_at=0.0)
        except TaskFileError as error:
            bad.append(no_task(f"{workspace}/", str(file), error))
        else:
            written.append(Written(task=task, data=data, file=str(file)))
    return written, bad


def _shown(found: Sequence[Remark], read: int, note: str) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    lines = []
    for remark in found:
        line = Text(f"{remark.file}:{remark.line}: ")
        line.append(remark.level.value, STYLES[remark.level])
        line.append(f" {remark.kind}: {remark.message}\n    {remark.fix}")
        lines.append(line)
    refused = sum(remark.level is LintLevel.REFUSE for remark in found)
    counts = f"{plural(len(found), 'finding')}, by {refused} of them a task is refused" if found else "nothing found"
    return Group(*lines, *([Text(note, "dim")] if note else []), Text(f"{plural(read, 'task')} read: {counts}"))
