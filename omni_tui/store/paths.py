"""Where everything in a fleet's tree is. Pure path arithmetic, but for the listing of the workspaces."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from omni_tui.model.attempt import AttemptId
from omni_tui.model.project_settings import WorkspaceSettings
from omni_tui.model.task import Status, is_valid_id


@dataclass(frozen=True)
class WorkspacePaths:
    """One project of a fleet: `workspaces/<name>/`."""

    root: Path
    """The workspace's own directory."""
    name: str

    @property
    def fleet(self) -> FleetPaths:
        """The fleet's directory, which it lies in."""
        return FleetPaths(self.root.parents[1])

    @property
    def toml(self) -> Path:
        """The optional settings."""
        return self.root / "workspace.toml"

    @property
    def flags(self) -> Path:
        """The project's feature flags."""
        return self.root / "flags.toml"

    @property
    def plan(self) -> Path:
        """The frozen plan."""
        return self.root / "plan.toml"

    @property
    def repo(self) -> Path:
        """The bare repository that the fleet owns."""
        return self.root / "repo.git"

    @property
    def agents(self) -> Path:
        """A directory an agent."""
        return self.root / "agents"

    @property
    def runs(self) -> Path:
        """`<task>/<attempt>/`; also where ids are given out."""
        return self.root / "runs"

    @property
    def worktrees(self) -> Path:
        """Where attempts work."""
        return self.root / "worktrees"

    @property
    def files(self) -> Path:
        """Files to copy into each checkout, where the repository came from no local path."""
        return self.root / "files"

    def copy_from(self, settings: WorkspaceSettings) -> Path:
        """Return where the files come from that are copied into each checkout."""
        if settings.copy_from:
            return (self.root / settings.copy_from).resolve()
        source = Path(settings.repo)
        return source if settings.repo and source.is_dir() else self.files

    def queue(self, status: Status) -> Path:
        """Return the folder of the tasks of `status`."""
        return self.root / "queue" / status.value

    def run(self, attempt: AttemptId) -> Path:
        """Return the attempt's directory."""
        return self.runs / attempt.task.id / str(attempt.number)


@dataclass(frozen=True)
class FleetPaths:
    """A fleet's directory."""

    root: Path

    @property
    def config(self) -> Path:
        """Policy: limits, timings, gates."""
        return self.root / "config.toml"

    @property
    def handoff(self) -> Path:
        """What a person needs to go on from the last stop."""
        return self.root / "HANDOFF.md"

    @property
    def workspaces(self) -> Path:
        """A directory a workspace."""
        return self.root / "workspaces"

    @property
    def lease(self) -> Path:
        """The dispatcher's claim on the fleet."""
        return self.root / "lease"

    @property
    def control(self) -> Path:
        """Requests from other processes."""
        return self.root / "control"

    @property
    def journal(self) -> Path:
        """What happened, a file a day."""
        return self.root / "journal"

    @property
    def providers(self) -> Path:
        """Who serves models, a file a provider."""
        return self.root / "providers"

    @property
    def sources(self) -> Path:
        """What was taken from the sources that refill the queues."""
        return self.root / "sources"

    @property
    def vault(self) -> Path:
        """Memory: Markdown notes."""
        return self.root / "vault"

    @property
    def logins(self) -> Path:
        """What agents' programs log in with where they have to share it, a directory a harness."""
        return self.root / "logins"

    @property
    def tmux_socket(self) -> Path:
        """The private socket of the fleet's tmux server."""
        return self.root / "tmux.sock"

    def workspace(self, name: str) -> WorkspacePaths:
        """Return the paths of the workspace called `name`."""
        return WorkspacePaths(self.workspaces / name, name)

    def workspace_names(self) -> list[str]:
        """Return the workspaces there are, by name: making the directory is registering it."""
        if not self.workspaces.is_dir():
            return []
        return sorted(entry.name for entry in self.workspaces.iterdir() if entry.is_dir() and is_valid_id(entry.name))
