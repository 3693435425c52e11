"""The source `folder`: a folder of specs, Markdown files with or without a head, which stay as they are."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from omni_tui.errors import SourceError
from omni_tui.model.outcome import Outcome
from omni_tui.model.task import MAX_TASK_BYTES
from omni_tui.model.taskfile import SUFFIX, is_task_name
from omni_tui.plugins.source.protocol import Offer, Poll, SourceSpec

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class FolderOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of its table."""

    path: Annotated[
        str,
        Meta(min_length=1, description="The folder; one that is not absolute counts from the workspace's directory."),
    ]


class FolderSource:
    """Offers each file of the folder itself, by name; what lies in folders below it is left alone."""

    name: ClassVar[str] = "folder"
    remote: ClassVar[bool] = False
    options: ClassVar[type[msgspec.Struct]] = FolderOptions

    def __init__(self, spec: SourceSpec) -> None:
        options = msgspec.convert(spec.settings, FolderOptions)
        self._is_being_written = spec.is_being_written
        self._folder = (spec.folder / Path(options.path).expanduser()).resolve()

    @property
    def identity(self) -> str:
        """See `Source`."""
        return f"{self.name} {self._folder}"

    @property
    def secrets(self) -> Sequence[str]:
        """See `Source`: it needs none."""
        return ()

    def watched(self) -> Sequence[Path]:
        """See `Source`: the folder, or the nearest above it that is there, in which it may come."""
        return [next(path for path in (self._folder, *self._folder.parents) if path.is_dir())]

    async def poll(self, cursor: str) -> Poll:  # noqa: ARG002 - it looks at all of it
        """See `Source`."""
        return Poll(offers=await asyncio.to_thread(self._look))

    async def tell(self, key: str, outcome: Outcome) -> None:
        """See `Source`: a spec is left as it is; how its task ended is said beside the task."""

    def _look(self) -> list[Offer]:
        try:
            names = sorted(path.name for path in self._folder.iterdir() if is_task_name(path.name))
        except OSError as error:
            fix = "make the folder, or correct its `path` in workspace.toml"
            raise SourceError(f"cannot be read: {error.strerror}", where=str(self._folder), fix=fix) from error
        return [offer for name in names if (offer := self._offer(self._folder / name)) is not None]

    def _offer(self, path: Path) -> Offer | None:
        """Return a file as an offer; None: it is none yet, or none any more."""
        try:
            descriptor = os.open(path, _FLAGS)
        except OSError:  # gone, a link, or not ours to read: nothing that could become a task
            return None
        try:
            before = os.fstat(descriptor)
            if not stat.S_ISREG(before.st_mode) or self._is_being_written(path):  # its closing is told
                return None
            data = os.read(descriptor, MAX_TASK_BYTES + 1)
            after = os.fstat(descriptor)
        finally:
            os.close(descriptor)
        if not data.strip() or (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size):
            return None
        return Offer(key=f"{self.name}:{path}", stem=path.name.removesuffix(SUFFIX), file=data, url=str(path))
