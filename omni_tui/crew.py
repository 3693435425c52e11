"""The crew: a workspace's agents as their files say by now. What was read is kept while the files stand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from omni_tui.config import AGENT_FILE, INSTRUCTIONS_FILE, agent_names, load_agent
from omni_tui.model.attempt import AgentSpec
from omni_tui.model.project_settings import WorkspaceSettings

Stamp = tuple[int, int, int, int]


class Crew:
    """Reads the agents below `directory`: an edited, new or removed one counts at the next look."""

    def __init__(self, directory: Path, settings: WorkspaceSettings) -> None:
        self._directory = directory
        self._settings = settings
        self._read: dict[str, tuple[tuple[Stamp | None, ...], AgentSpec]] = {}

    def now(self) -> Sequence[AgentSpec]:
        """Return them, in the order that tasks go to them. Raises `ConfigError`, as long as a file is wrong."""
        names = agent_names(self._directory, self._settings)
        self._read = {name: self._look(name) for name in names}
        return [self._read[name][1] for name in names]

    def _look(self, name: str) -> tuple[tuple[Stamp | None, ...], AgentSpec]:
        """Return an agent with the stamps of its files, taken before they are read: what changes meanwhile shows."""
        directory = self._directory / name
        stamps = tuple(_stamp(directory / file) for file in (AGENT_FILE, INSTRUCTIONS_FILE))
        known = self._read.get(name)
        return known if known is not None and known[0] == stamps else (stamps, load_agent(directory))


def _stamp(path: Path) -> Stamp | None:
    """Return what changes with a file, and with who may read it; None: it is not there."""
    try:
        info = path.stat()
    except OSError:
        return None
    return info.st_mtime_ns, info.st_ctime_ns, info.st_ino, info.st_size
