"""A confinement: what a program that runs an agent's code may see and change, beside the toolchain."""

from __future__ import annotations

import msgspec

HOST = (
    r"^((\*\.)?[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?|\[[0-9A-Fa-f:.]+\])"
    r"(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?\Z"
)
"""The pattern of a host that may be reached: `name`, `*.name`, `127.0.0.1` or `[::1]`, with `:port` or without."""


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """The one way to the network for a program that has none: through a proxy of ours."""

    hosts: tuple[str, ...]
    """Where it leads to, each a `HOST`; without a port they stand for 443 and 80. A port of 127.0.0.1 or localhost is
    one of this machine, and found there by the program too."""
    refusals: str = ""
    """The file that gets a JSON line for each other place that was asked for; empty: none."""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the file of refusals: a place, as `example.com:443`, and why the way there is closed."""

    place: str
    reason: str


class Confinement(msgspec.Struct, frozen=True, kw_only=True):
    """Absolute paths of what the program gets, files or directories; the deeper one counts. All else is not there."""

    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    hide: tuple[str, ...] = ()
    """Directories that are empty but for what is named, even where the tools lie around them: the fleet."""
    net: bool = True
    """Whether it may use the network, as this machine has it."""
    passage: Passage | None = None
    """What it has where it may not."""
