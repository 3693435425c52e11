"""Text for cells: measured in cells, cut with an ellipsis; ages in few letters.

Titles, notes and diffs are written by others: `omni_tui.model.text` cleans them, and nothing here is ever markup.
"""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size

from omni_tui.model.text import clean, one_line

NONE = "-"
"""What a cell shows where there is nothing to show."""


def lines_of(text: str) -> list[str]:
    """Clean `text` and split it into lines, tabs as spaces."""
    return clean(text).expandtabs(4).split("\n")


def steady(text: str) -> str:
    """Put `text` on one line in which every terminal counts the same cells.

    They do not agree on joined emoji, skin tones and variation selectors: without those, each sign has its own width
    (Unicode UAX 11).
    """
    return one_line(text.translate(_UNSTEADY))


_UNSTEADY = dict.fromkeys((0x200D, 0xFE0E, 0xFE0F, *range(0x1F3FB, 0x1F400)))


def fit(text: str, width: int) -> str:
    """Pad or cut `text` to exactly `width` cells; a cut ends in an ellipsis."""
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(set_cell_size(text, width - 1).rstrip() + "…", width)


def age(seconds: float) -> str:
    """Say how long ago in at most four letters, as in `12s`, `3m`, `2h`, `5d`."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m"
    if whole < 86400:
        return f"{whole // 3600}h"
    return f"{min(whole // 86400, 999)}d"
