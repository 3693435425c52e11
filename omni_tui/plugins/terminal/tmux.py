"""Visits agents from the terminal that the person sits at, be it inside a tmux of their own or not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import ClassVar

from omni_tui.plugins.terminal.protocol import Visit

_OUR_TMUX = ("TMUX", "TMUX_PANE")


class TmuxTerminal:
    """The terminal `tmux`. A runtime's other way to attach goes through it unchanged."""

    name: ClassVar[str] = "tmux"

    def visit(self, attach: tuple[str, ...], environment: Mapping[str, str]) -> Visit:
        """Return how to run `attach` from a terminal with this `environment`.

        tmux refuses to attach inside another tmux for as long as `TMUX` is set; on a server of its own it is safe.
        """
        env = {name: value for name, value in environment.items() if name not in _OUR_TMUX}
        return Visit(argv=attach, env=env, way_back=_way_back(attach, nested="TMUX" in environment))


def _way_back(attach: tuple[str, ...], *, nested: bool) -> str:
    if PurePath(attach[0]).name != "tmux":
        return "Ctrl-] comes back"
    return "F12 comes back (or Ctrl-b Ctrl-b d)" if nested else "F12 comes back (or Ctrl-b d)"
