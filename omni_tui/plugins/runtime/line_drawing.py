"""Boxes drawn in the DEC special graphics set, which `capture-pane -e` brackets by SO and SI, as Unicode."""

from __future__ import annotations

import re

from pyte.charsets import VT100_MAP

_SHIFTED = re.compile("\x0e([^\x0f]*)\x0f?")


def draw_lines(line: str) -> str:
    """Return `line` with its shifted parts translated; colour sequences in between are left alone."""
    return _SHIFTED.sub(lambda match: _translate(match[1]), line) if "\x0e" in line else line


def _translate(text: str) -> str:
    parts = re.split(r"(\x1b\[[0-9;:]*m)", text)
    return "".join(part if number % 2 else part.translate(_TABLE) for number, part in enumerate(parts))


_TABLE = {code: character for code, character in enumerate(VT100_MAP) if 0x5F < code < 0x7F}
