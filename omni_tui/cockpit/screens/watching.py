"""Screens over the main one that are kept up to date as it is."""

from __future__ import annotations

from textual.screen import ModalScreen

from omni_tui.model.view import FleetView

LOOK_SECONDS = 2.0
"""Least time between two looks at what is not in the view: each may read a night's journal."""


class Watching(ModalScreen[None]):
    """Is told by the main screen, while it is on top, what has changed and what is to be said."""

    def __init__(self, view: FleetView, now: float) -> None:
        super().__init__()
        self.view = view
        self.now = now
        """UTC seconds."""
        self._looked_at = now
        self._stale = False

    def show(self, view: FleetView) -> None:
        """Show `view`, another one than before."""
        self.view, self._stale = view, True
        self._renew()

    def tick(self, now: float) -> None:
        """Show what time has changed up to `now`, UTC seconds."""
        self.now = now
        self._renew()

    def say(self, text: str) -> None:
        """Tell the person something."""

    def look(self) -> None:
        """Look again at what is not in the view, beside the loop."""

    def draw(self) -> None:
        """Show what is known."""

    def _renew(self) -> None:
        if self._stale and self.now - self._looked_at >= LOOK_SECONDS:
            self._stale, self._looked_at = False, self.now
            self.look()
        self.draw()
