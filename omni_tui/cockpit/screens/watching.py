"""Screens over the main one that are kept up to date as it is."""

from __future__ import annotations

from textual.screen import ModalScreen

from omni_tui.model.view import FleetView


class Watching(ModalScreen[None]):
    """Is told by the main screen, while it is on top, what has changed and what is to be said."""

    def show(self, view: FleetView) -> None:
        """Show `view`, another one than before."""

    def tick(self, now: float) -> None:
        """Show what time has changed up to `now`, UTC seconds."""

    def say(self, text: str) -> None:
        """Tell the person something."""
