"""An outline: lines below lines, with guides that show what belongs to what.

Drawn here because ten thousand tasks take rich's own tree several times as long as all that led to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.segment import Segment

Words = tuple[str, str]
"""Some words, and their style; empty: none."""

Line = tuple[int, Sequence[Words]]
"""How deep a line lies, from 0, and what it says. It belongs to the last one before it that lies less deep."""


@dataclass(frozen=True)
class Guides:
    """What is drawn before a line for each level above it; all of one width."""

    branch: str = "├── "
    """Before a line that others of its level follow."""
    last: str = "└── "
    past: str = "│   "
    """Where the line above on that level is followed by others."""
    clear: str = "    "


ASCII = Guides(branch="+-- ", last="`-- ", past="|   ")
"""For output that cannot show the others."""


@dataclass(frozen=True)
class Outline:
    """Lines that `rich` draws; one that does not fit goes on below itself."""

    lines: Sequence[Line]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw all lines."""
        from rich.segment import Segment

        end = Segment.line()
        guides = list(_guides([depth for depth, _ in self.lines], ASCII if options.ascii_only else Guides()))
        for (_, words), (guide, further) in zip(self.lines, reversed(guides), strict=True):
            before = guide
            for segments in _fitted(words, options.max_width - len(guide), console):
                yield Segment(before)
                yield from segments
                yield end
                before = further


def _guides(depths: Sequence[int], guides: Guides) -> Iterator[tuple[str, str]]:
    """Give, from the last line to the first, what is drawn before a line, and before what of it goes on below."""
    followed = [False] * (max(depths, default=0) + 1)
    """For each level, whether another line of it comes before one that lies less deep."""
    for depth in reversed(depths):
        above = "".join(guides.past if more else guides.clear for more in followed[1:depth])
        more = followed[depth]
        if depth:
            yield above + (guides.branch if more else guides.last), above + (guides.past if more else guides.clear)
        else:
            yield "", ""
        followed[depth:] = [True] + [False] * (len(followed) - depth - 1)


def _fitted(words: Sequence[Words], width: int, console: Console) -> Iterator[Iterable[Segment]]:
    """Give the lines of at most `width` columns that words make: nearly always they are short and plain, and so one."""
    from rich.segment import Segment
    from rich.text import Text

    if sum(len(text) for text, _ in words) <= width and all(text.isascii() and text.isprintable() for text, _ in words):
        yield [Segment(text, console.get_style(style) if style else None) for text, style in words]
        return
    whole = Text.assemble(*((text, style) if style else text for text, style in words))
    for line in whole.wrap(console, max(width, 1)):
        yield line.render(console)
