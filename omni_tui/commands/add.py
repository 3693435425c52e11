"""`omni-tui add WORKSPACE`: put tasks into a queue, from files, from stdin, or by a title."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import structs

from omni_tui.commands.output import Answer
from omni_tui.commands.session import Session, common
from omni_tui.commands.targets import WORKSPACE, find_workspace
from omni_tui.errors import OmniError, TaskFileError, UsageError
from omni_tui.model.text import plural

if TYPE_CHECKING:
    from omni_tui.fleet import Fleet
    from omni_tui.linting import Remark, Written

STDIN = "-"


@click.command("add")
@click.argument("workspace", type=WORKSPACE)
@click.argument("files", nargs=-1, type=click.Path(allow_dash=True), metavar="[FILE|-]...")
@click.option("--title", default="", help="A task without a file; with `-`, the title of what stdin says.")
@click.option("--priority", type=int, help="Higher goes first.")
@click.option("--depends-on", multiple=True, metavar="ID", help="Start only after that task has landed. Repeatable.")
@click.option("--touches", multiple=True, metavar="PATH", help="Where the work is expected. Repeatable.")
@click.option("--agent", help="The agent who gets it; else the workspace's agents in turn.")
@common
def add(
    session: Session,
    workspace: str,
    files: tuple[str, ...],
    title: str,
    priority: int | None,
    depends_on: tuple[str, ...],
    touches: tuple[str, ...],
    agent: str | None,
) -> Answer:
    """Put tasks into WORKSPACE's queue: Markdown files (- is stdin), or one by its title.

    A file may have a TOML head between lines of +++ (title, priority, depends_on, touches, tests, agent ...). The
    options count for every task of this call. Either all of them are queued, or, where one is no task, none.
    """
    from omni_tui.fleet import Fleet

    if not files and not title:
        raise UsageError("nothing to add", fix="name files, `-` for stdin, or --title 'What is to be done'")
    if title and len(files) > 1:
        raise UsageError("--title is for one task", fix="leave it out: each file has its own title")
    fleet = Fleet(session.root())
    name = find_workspace(fleet.paths.root, workspace).name
    chosen = {"title": title, "priority": priority, "depends_on": depends_on, "touches": touches, "agent": agent}
    changes = {key: value for key, value in chosen.items() if value not in ("", None, ())}
    drafts = list(_drafts(files, title, name, fleet.clock.now()))
    drafts = [structs.replace(draft, task=structs.replace(draft.task, **changes)) for draft in drafts]
    added = fleet.queue(name).add_all([draft.task for draft in drafts])
    found = _remarks(fleet, [structs.replace(draft, task=task) for draft, task in zip(drafts, added, strict=True)])
    words = [f"{plural(len(added), 'task')} in {name}:"]
    for task in added:
        words.append(f"  {task.ref}  {task.title}")
        words += [f"    {remark.level} {remark.kind}: {remark.words}" for remark in found[str(task.ref)]]
    result = [
        {"id": task.id, "workspace": name, "title": task.title, "remarks": found[str(task.ref)]} for task in added
    ]
    return Answer(result, "\n".join(words))


def _remarks(fleet: Fleet, added: list[Written]) -> Mapping[str, list[Remark]]:
    """Read what was added against the fleet; return what is to be said, by task."""
    from omni_tui.linting import Linter

    found: dict[str, list[Remark]] = defaultdict(list)
    with suppress(OmniError):  # they are queued; a file that cannot be read, `lint` and `doctor` tell of
        linter = Linter(fleet)
        for remark in (*linter.look(added), *linter.of_flags(added)):
            found[remark.task].append(remark)
    return found


def _drafts(files: tuple[str, ...], title: str, workspace: str, now: float) -> Iterator[Written]:
    """Read every task before the first one is queued; their ids are the queue's to give, unless a head names one."""
    from omni_tui.linting import Written
    from omni_tui.model.task import Task

    if not files:
        yield Written(task=Task(workspace=workspace, id="", title=title), data=b"")
    for file in files:
        yield _read(file, title, workspace, now)


def _read(file: str, title: str, workspace: str, now: float) -> Written:
    from omni_tui.linting import Written
    from omni_tui.model.task import Task
    from omni_tui.model.taskfile import parse

    shown = "stdin" if file == STDIN else file
    try:
        data = sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes()
        if title and not data.strip():
            return Written(task=Task(workspace=workspace, id="", title=title), file=shown, data=data)
        return Written(task=parse(data, workspace=workspace, stem="", created_at=now), data=data, file=shown)
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=shown, fix="name a readable file") from error
    except TaskFileError as error:
        where = " ".join(filter(None, (shown, error.where)))
        raise TaskFileError(error.message, where=where, fix=error.fix) from error
