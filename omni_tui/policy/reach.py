"""What a program in the sandbox may reach of the network, by the settings. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from omni_tui.model.confinement import Passage
from omni_tui.model.sandbox_settings import SandboxSettings


def passage(settings: SandboxSettings, hosts: Sequence[str] = (), refusals: PurePath | None = None) -> Passage | None:
    """Return the way through the proxy, to what the fleet allows and `hosts` beside; None: there is no proxy."""
    if settings.net != "proxy":
        return None
    return Passage(hosts=tuple(dict.fromkeys((*settings.hosts, *hosts))), refusals=str(refusals or ""))


def cannot_keep(kind: str, net: str) -> str:
    """Return why a sandbox of `kind` cannot hold agents to the setting `net`; empty: it can."""
    if net == "proxy" and kind != "bwrap":
        return f'agents cannot be kept to `net = "proxy"` with a sandbox of kind "{kind}": that takes bubblewrap'
    return ""
