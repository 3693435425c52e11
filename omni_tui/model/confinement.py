"""A confinement: what a program that runs an agent's code may see and change, beside the toolchain."""

from __future__ import annotations

import msgspec


class Confinement(msgspec.Struct, frozen=True, kw_only=True):
    """Absolute paths of what the program gets, files or directories; the deeper one counts. All else is not there."""

    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    hide: tuple[str, ...] = ()
    """Directories that are empty but for what is named, even where the tools lie around them: the fleet."""
    net: bool = True
    """Whether it may use the network."""
