"""The sandbox around every program that runs what an agent wrote: neutral ground for `runtime` and `workspace`.

Inside there is the toolchain, read-only; an empty home, /tmp and /run; its own processes; and what the confinement
names. Nothing else of the machine is there: no other checkout, no queue, no socket of ours, no key of a person.
"""

from __future__ import annotations

from omni_tui.plugins.sandbox.bubblewrap import SHIELD, command, fault

__all__ = ("KINDS", "SHIELD", "command", "fault", "find")

KINDS = ("bwrap", "off")
"""What `find` can return; `auto` takes bwrap or nothing."""


def find(kind: str) -> str | None:
    """Return what the setting `kind` means on this machine, one of `KINDS`; None: it cannot be had."""
    if kind == "off":
        return "off"
    return "bwrap" if not fault() else None
