"""Lines made of toned pieces, wrapped to a width in cells; and the terminal's own colours turned into lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from rich.ansi import AnsiDecoder
from rich.console import Console
from rich.text import Text
from textual.strip import Strip

from omni_tui.cockpit.tones import Tone, ToneSet

Paragraph = Sequence[tuple[str, Tone]]
"""Pieces of text, each with its tone; cleaned already. Newlines break lines."""


def wrap(paragraphs: Iterable[Paragraph], tones: ToneSet, width: int, console: Console) -> list[Strip]:
    """Wrap each paragraph to `width` cells; nothing is cut off, a long word is broken."""
    lines: list[Strip] = []
    for paragraph in paragraphs:
        text = Text.assemble(*((piece, tones.get(tone)) for piece, tone in paragraph), no_wrap=False)
        wrapped = text.wrap(console, max(width, 8), overflow="fold") if text else [Text()]
        lines += [Strip(line.render(console, end="")) for line in wrapped]
    return lines


@lru_cache(maxsize=8192)
def terminal_line(line: str) -> Strip:
    """Turn one line with SGR escapes into a strip. Cached: from one look to the next, most lines are the same."""
    text = AnsiDecoder().decode_line(line)
    return Strip(text.render(_CONSOLE, end=""))


_CONSOLE = Console(color_system="truecolor", force_terminal=True, width=500, legacy_windows=False)
