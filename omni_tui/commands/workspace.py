"""`omni-tui workspace add` and `list`: the projects of a fleet."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from omni_tui.commands.output import Answer, progress
from omni_tui.commands.session import Session, common
from omni_tui.errors import OmniError, UsageError
from omni_tui.model.task import is_valid_id

if TYPE_CHECKING:
    from rich.table import Table

    from omni_tui.fleet import Fleet
    from omni_tui.store.paths import WorkspacePaths

_PASSWORD = re.compile(r"https?://[^/]*@|[a-z+]+://[^/@]*:[^/@]*@", re.IGNORECASE)
"""A URL with credentials; over HTTP also a user's name alone, for tokens are given as such."""


class WorkspaceRow(msgspec.Struct, frozen=True, kw_only=True):
    """One project as `workspace list` shows it."""

    name: str
    path: Path
    repo: str = ""
    base: str = ""
    release: str = ""
    check: str = ""
    agents: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    """What refills its queue."""
    fault: str = ""
    """Why it cannot be used; empty: it can."""


@click.group("workspace")
def workspace() -> None:
    """Add a project to the fleet, or list those it has."""


@workspace.command("add")
@click.argument("name")
@click.option("--repo", required=True, metavar="PATH_OR_URL", help="Where the repository is; it is copied, bare.")
@click.option("--base", default="", help="The default branch: read, never written. Else the one the repository names.")
@click.option("--release", default="", help="The branch that changes land on; else release/omni.")
@click.option("--check", default="", metavar="CMD", help="Shell command that must pass on what is about to land.")
@common
def add(session: Session, name: str, repo: str, base: str, release: str, check: str) -> Answer:
    """Add a project called NAME, with a first agent.

    Its repository is copied; the agent is made for a harness that is installed, where there is one.
    """
    from omni_tui.fleet import Fleet
    from omni_tui.setup import import_workspace, unfinished

    fleet = Fleet(session.root())
    paths = fleet.paths.workspace(name)
    if not is_valid_id(name):
        raise UsageError(f"{name!r} makes no name", fix="use a-z, 0-9, `-`, `_` and `.`, at most 60 of them")
    if paths.root.exists():
        raise UsageError(f"there is a workspace {name} already", where=str(paths.root), fix="choose another name")
    given = {"repo": origin_of(repo), "base": base, "release": release, "check": check}
    with progress(f"copying {given['repo']}", growing=unfinished(fleet, name).root):
        agent = asyncio.run(import_workspace(fleet, name, {key: value for key, value in given.items() if value}))
    row = describe(fleet, name)
    words = [
        f"added {name}: {row.base} → {row.release}, in {paths.root}",
        f"agent {agent}" if agent else _no_agent(paths),
        f"next: omni-tui add {name} --title 'What is to be done'",
    ]
    return Answer(row, "\n".join(words))


@workspace.command("list")
@common
def list_workspaces(session: Session) -> Answer:
    """List the projects of the fleet."""
    from omni_tui.fleet import Fleet

    fleet = Fleet(session.root())
    rows = [describe(fleet, name) for name in fleet.paths.workspace_names()]
    return Answer(rows, _table(rows) if rows else "no workspaces yet: omni-tui workspace add NAME --repo PATH_OR_URL")


def origin_of(repo: str) -> str:
    """Return where changes are pushed back to: a path as an absolute one, a URL as it is. Raises `UsageError`."""
    if not repo.strip():
        raise UsageError("no repository is named", where="--repo", fix="name its path or URL")
    if _PASSWORD.match(repo):  # it would stand in workspace.toml
        fix = "leave it out: git asks its credential helper (git help credentials)"
        raise UsageError("the URL holds a user or a password", where="--repo", fix=fix)
    path = Path(repo).expanduser()
    return str(path.resolve()) if path.exists() else repo


def _no_agent(paths: WorkspacePaths) -> str:
    return (
        "no agent's program was found here. Install one (Claude Code), or use your own:\n"
        f"  mkdir -p {paths.agents}/mine\n"
        f'  printf \'harness = "command"\\ncommand = ["my-agent"]\\n\' > {paths.agents}/mine/agent.toml'
    )


def describe(fleet: Fleet, name: str) -> WorkspaceRow:
    """Return a project with its settings; what is wrong with them is told, not raised: the others are listed too."""
    paths = fleet.paths.workspace(name)
    try:
        settings = fleet.workspace_settings(name)
        agents = tuple(agent.name for agent in fleet.agents(name))
        sources = tuple(source.identity for source in fleet.sources(name))
    except OmniError as error:
        return WorkspaceRow(name=name, path=paths.root, fault=str(error))
    return WorkspaceRow(
        name=name,
        path=paths.root,
        repo=settings.repo,
        base=settings.base or head_branch(paths.repo),
        release=settings.release,
        check=settings.check,
        agents=agents,
        sources=sources,
        fault="" if paths.repo.is_dir() else "it has no repo.git",
    )


def head_branch(repo: Path) -> str:
    """Return the branch that a bare repository's HEAD names; empty where there is none."""
    head = repo / "HEAD"
    return head.read_text(encoding="utf-8").strip().removeprefix("ref: refs/heads/") if head.is_file() else ""


def _table(rows: list[WorkspaceRow]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table("workspace", "branches", "check", "agents", "sources", "repository", box=None, pad_edge=False)
    for row in rows:
        where = Text(row.fault, "red") if row.fault else Text(row.repo)
        table.add_row(
            row.name,
            Text(f"{row.base} → {row.release}"),
            Text(row.check),
            ", ".join(row.agents),
            Text("\n".join(row.sources)),
            where,
        )
    return table
