"""The tree on disk: makes a fleet and its workspaces. What is there already stays as it is."""

from __future__ import annotations

from pathlib import Path

from omni_tui.model.task import Status
from omni_tui.store.files import make_dirs, publish
from omni_tui.store.paths import FleetPaths, WorkspacePaths

IGNORED = """\
# What the fleet holds for itself. Policy, agents, tasks and the vault are worth keeping under version control.
/lease
/.owner-*
/state.json
/control/
/journal/
/logins/
/sources/
/logs/
/groups
/HANDOFF.md
/tmux.sock
/workspaces/*/repo.git/
/workspaces/*/runs/
/workspaces/*/worktrees/
/workspaces/*/files/
/workspaces/*/agents/*/state/
"""


def create_fleet(root: Path, config: str) -> FleetPaths:
    """Make a fleet's directories, with `config` as its `config.toml` if it has none yet; return where things are."""
    paths = FleetPaths(root)
    for directory in (paths.workspaces, paths.providers, paths.vault, paths.journal, paths.control):
        make_dirs(directory)
    _write_once(root / ".gitignore", IGNORED)
    _write_once(paths.config, config)
    return paths


def create_workspace(paths: WorkspacePaths, settings: str = "") -> None:
    """Make a workspace's directories, with `settings` as its `workspace.toml` if there are any and it has none yet."""
    for status in Status:
        make_dirs(paths.queue(status))
    for directory in (paths.runs, paths.worktrees, paths.agents):
        make_dirs(directory)
    if settings:
        _write_once(paths.toml, settings)


def _write_once(path: Path, text: str) -> None:
    if not path.exists():
        publish(path, text.encode())
