"""The shelter: which sandbox agents are kept in here, and what a command of ours sees inside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import msgspec

from omni_tui.errors import PluginError
from omni_tui.model.confinement import Confinement
from omni_tui.model.settings import Settings
from omni_tui.plugins import sandbox
from omni_tui.plugins.proxy.command import proxies
from omni_tui.plugins.runtime.isolation import isolation
from omni_tui.policy.reach import cannot_keep, passage


class Shelter:
    """What keeps agents, checks and set-up commands from the rest of this machine."""

    def __init__(self, settings: Settings, where: str) -> None:
        """Take the settings, and the file that they come from."""
        self._settings = settings
        self._where = where

    @cached_property
    def kind(self) -> str:
        """The kind of sandbox: `bwrap`, `landlock`, `off`. Where none can be had `bwrap`: then nothing starts."""
        return sandbox.find(self._settings.sandbox.kind) or "bwrap"

    def require(self) -> None:
        """Raise `PluginError` where agents would run without the sandbox and nobody has said that they may."""
        kind = self._settings.sandbox.kind
        if fault := sandbox.fault(kind):
            raise PluginError(
                f"agents cannot be kept in a sandbox here: {fault}",
                where=self._where,
                fix='install bubblewrap, or set `kind = "off"` under [sandbox]: then agents can do all that you can',
            )
        if fault := cannot_keep(self.kind, self._settings.sandbox.net):
            raise PluginError(fault, where=self._where, fix='set `net = "host"` under [sandbox], or use bubblewrap')

    def variables(self, ours: Mapping[str, str], *, net: bool) -> dict[str, str]:
        """Return what a set-up command sees of `ours`; with `net` by a proxy, also where that is."""
        allowed = {name: ours[name] for name in self._settings.runtime.environment if name in ours}
        behind = net and self.kind == "bwrap" and passage(self._settings.sandbox) is not None
        return {**(proxies(ours) if behind else {}), **allowed}

    def confine(self, reach: Confinement, environment: Mapping[str, str], scratch: Path, *, net: bool) -> Sequence[str]:
        """Return the words that start a shell with no more than `reach`, and with the network as agents have it."""
        way = passage(self._settings.sandbox) if net else None
        within = msgspec.structs.replace(reach, net=net and way is None, passage=way)
        words = sandbox.command(self.kind, within, ("/bin/sh",), environment, scratch)
        return (*isolation().command, *words) if self.kind == "landlock" else words
