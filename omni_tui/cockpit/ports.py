"""What the cockpit is handed: everything it reaches for outside itself. There are no globals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from omni_tui.model.flag import FlagRow
from omni_tui.model.provider import Standing
from omni_tui.model.request import Reply, Request
from omni_tui.model.settings import CockpitSettings
from omni_tui.model.task import TaskRef
from omni_tui.model.view import FleetView, TaskRow
from omni_tui.planning import Outlook
from omni_tui.plugins.runtime.protocol import Screen
from omni_tui.plugins.terminal.protocol import Visit
from omni_tui.store.reader import FleetReader
from omni_tui.whynot import Why


class Insight(Protocol):
    """The way to agents and their work. It may live on another thread: calls are awaited, never blocked on."""

    async def screen(self, ref: TaskRef) -> Screen | None:
        """Return what the task's agent shows now; None: it shows nothing. Raises `OmniError`."""
        ...

    async def attach(self, ref: TaskRef) -> Visit:
        """Return how to get to the agent's terminal. Raises `OmniError`."""
        ...

    async def diff(self, ref: TaskRef) -> str:
        """Return what the latest attempt changed, as a unified diff. Raises `OmniError`."""
        ...

    async def undo(self, row: TaskRow) -> Sequence[str]:
        """Bring back what an ended attempt of a task left; return what to say of it, in lines. Raises `OmniError`."""
        ...


class Ahead(msgspec.Struct, frozen=True, kw_only=True):
    """What lies ahead of one workspace."""

    workspace: str
    outlook: Outlook | None
    """Its waves; None: they cannot be told."""
    trouble: str = ""
    """Why not, and what is wrong with its flags; empty: nothing."""
    flags: tuple[FlagRow, ...] = ()


class Foresight(Protocol):
    """Looks at what has not happened yet. Every call blocks, some for seconds: make them on a thread."""

    def why(self, row: TaskRow, view: FleetView) -> Why:
        """Return why a task does not start now. Raises `OmniError`, `OSError`."""
        ...

    def plan(self) -> Sequence[Ahead]:
        """Return what lies ahead of each workspace."""
        ...

    def standings(self, view: FleetView) -> Mapping[str, Standing]:
        """Return how the providers stand. Raises `OmniError`, `OSError`."""
        ...


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """All that the cockpit works with."""

    reader: FleetReader
    insight: Insight
    foresight: Foresight
    post: Callable[[Request], None]
    """Files a wish for the fleet's owner, durably."""
    read_reply: Callable[[str], Reply | None]
    """Looks for the owner's answer to a request, by its id."""
    go: Callable[[Visit], int]
    """Runs a visit in the foreground; returns the exit status."""
    now: Callable[[], float]
    """UTC seconds."""
    new_id: Callable[[], str]
    """A request's name, never given before."""
    load: Callable[[], str]
    """The machine's load in few letters."""
    settings: Callable[[], CockpitSettings]
    """Reads the settings as they are now. Raises `ConfigError`."""
    styles: Path
    """The directory of the style sheets."""
    remarks: Callable[[TaskRow], Sequence[str]]
    """Reads a waiting task's text: what is to be said of it, a line each. Blocks."""
    here: bool
    """Whether this process dispatches; False: it observes."""
