"""Tones: what the colours of the cockpit mean. The theme says what they look like."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from rich.style import Style
from textual.widget import Widget


class Tone(StrEnum):
    """What a piece of text is, so that it can be coloured."""

    TEXT = "text"
    STRONG = "strong"
    QUIET = "quiet"
    RUNNING = "running"
    WAITING = "waiting"
    LANDED = "landed"
    BLOCKED = "blocked"
    ASKING = "asking"
    KEY = "key"
    ALARM = "alarm"
    """Fleet-wide: frozen, throttled."""
    CURSOR = "cursor"
    """The ground of the selected row while its table has the focus."""
    SELECTED = "selected"
    """The same without the focus."""


class ToneSet:
    """The tones of one widget as rich styles, worked out once: a lookup for each line costs 40 % of a frame."""

    def __init__(self, widget: Widget) -> None:
        self._widget = widget
        self._styles: dict[tuple[Tone, Tone | None], Style] = {}

    def clear(self) -> None:
        """Forget all: the theme or the style sheet has changed."""
        self._styles.clear()

    def get(self, tone: Tone, ground: Tone | None = None) -> Style:
        """Return the style of `tone`, on the background of `ground` if given."""
        style = self._styles.get((tone, ground))
        if style is None:
            style = self._widget.get_component_rich_style(f"tone--{tone}")
            if ground is not None:
                under = self._widget.get_component_rich_style(f"tone--{ground}")
                style += Style(bgcolor=under.bgcolor)
            self._styles[tone, ground] = style
        return style


class Toned(Widget):
    """A widget that draws its own lines in tones."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"tone--{tone}" for tone in Tone}

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 (textual's name)
        super().__init__(id=id, classes=classes)
        self.tones = ToneSet(self)

    def notify_style_update(self) -> None:
        """Take the new colours."""
        super().notify_style_update()
        self.tones.clear()
