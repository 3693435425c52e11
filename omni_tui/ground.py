"""The ground that a workspace's tasks stand on: its feature flags, and what its release branch defines already."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from omni_tui.config import load_flags
from omni_tui.model.flag import Flag
from omni_tui.model.project_settings import WorkspaceSettings
from omni_tui.plugins.detection import known_shapes
from omni_tui.policy.defining import defining
from omni_tui.policy.redaction import Leak, Redactor
from omni_tui.store.paths import WorkspacePaths

if TYPE_CHECKING:
    from omni_tui.plugins.mentions import Mentions


def find_shaped(text: str) -> Sequence[Leak]:
    """Return what has the shape of a well-known kind of secret, where no fleet tells which it holds."""
    return Redactor(shapes=known_shapes).find(text)


class ProjectGround:
    """Reads the ground of one workspace; what one commit defines is looked up once."""

    def __init__(self, paths: WorkspacePaths, settings: WorkspaceSettings) -> None:
        self._paths = paths
        self._branches = (settings.release, settings.base)
        self._commit = ""
        self._known: dict[str, tuple[str, ...]] = {}
        self._mentions: Mentions | None = None

    def flags(self) -> Mapping[str, Flag]:
        """Read its feature flags. Raises `ConfigError`."""
        return load_flags(self._paths.flags)

    def commit(self) -> str:
        """Return the tip of the release branch as the repository has it; where it is not there yet, of the base branch.

        Empty: the repository has no commit. Blocks. Raises `ScmError`.
        """
        from omni_tui.plugins.mentions import branch_commit  # not before: it fails where git is missing

        return branch_commit(self._paths.repo, *self._branches)

    async def definitions(self, names: Collection[str]) -> Mapping[str, Sequence[str]]:
        """Return where the release branch defines each of `names` that it does, as `path:line`. Raises `ScmError`."""
        return await asyncio.to_thread(self.look_up, names) if names else {}

    def look_up(self, names: Collection[str]) -> Mapping[str, Sequence[str]]:
        """Do the same, and block."""
        from omni_tui.plugins.mentions import Mentions  # not before: it fails where git is missing

        self._mentions = self._mentions or Mentions(self._paths.repo)
        commit = self.commit()
        if commit != self._commit:
            self._commit, self._known = commit, {}
        unknown = set(names) - self._known.keys()
        if commit and unknown:
            found = defining(self._mentions.find(commit, unknown), unknown)
            self._known |= {name: tuple(f"{line.path}:{line.line}" for line in found.get(name, ())) for name in unknown}
        return {name: self._known[name] for name in names if self._known.get(name)}
