"""A terminal that goes nowhere: it remembers what it was asked to visit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from omni_tui.plugins.terminal.protocol import Visit


class FakeTerminal:
    """Implements `Terminal`; `visited` holds each attach command, oldest first."""

    name: ClassVar[str] = "fake"

    def __init__(self) -> None:
        self.visited: list[tuple[str, ...]] = []

    def visit(self, attach: tuple[str, ...], environment: Mapping[str, str]) -> Visit:
        """Return `attach` itself, with the environment but for a tmux around it."""
        self.visited.append(attach)
        env = {name: value for name, value in environment.items() if not name.startswith("TMUX")}
        return Visit(argv=attach, env=env, way_back="nothing to come back from")
