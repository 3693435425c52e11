"""A terminal in memory, for agents without tmux: pyte behind a filter, drawn only when somebody looks.

pyte raises on sequences with more parameters than it knows and prints the ones it does not know, so it gets to see only
those it carries out. Sequences: ECMA-48 and xterm's ctlseqs.
"""

from __future__ import annotations

import asyncio
import codecs
import functools
import re
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import pyte
from pyte import graphics
from pyte.screens import Char

_PENDING_LIMIT = 256 * 1024
_SLICE = 4 * 1024
_UNFINISHED_LIMIT = 4 * 1024

_ESCAPES = re.compile(
    r"\x1b\[(?P<private>\??)(?P<numbers>[0-9;]{0,60})(?P<final>[@-~])"
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\|(?=\x1b))"
    r"|\x1b\[[0-?]*[ -/]*[@-~]"
    r"|(?P<plain>\x1b[78DEMHc])"
    r"|\x1b[ -/]*[0-~]"
    r"|[\x00-\x06\x0b-\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f]"
)
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b]*\x1b?|[ -/]*)\Z")
_NUMBERS_TAKEN = {**dict.fromkeys("@ABCDEFGJKLMPXade`gcn", 1), **dict.fromkeys("Hfr", 2), **dict.fromkeys("hlm", 20)}
_PRIVATE_TAKEN = "hl"
_ALTERNATE = {47 << 5, 1047 << 5, 1049 << 5}

_FOREGROUNDS = {name: str(code) for code, name in {**graphics.FG_AIXTERM, **graphics.FG_ANSI}.items()}
_BACKGROUNDS = {name: str(code) for code, name in {**graphics.BG_AIXTERM, **graphics.BG_ANSI}.items()}
_FLAGS = ("1", "3", "4", "9", "7", "5")
"""SGR of `Char`'s bold, italics, underscore, strikethrough, reverse and blink."""


class Emulator:
    """Takes a program's output and tells what the screen shows; what nobody looks at costs no more than its bytes."""

    def __init__(self, columns: int, rows: int, history: int, answer: Callable[[bytes], None]) -> None:
        self._screen = _Screen(columns, rows, history, answer)
        self._stream = pyte.Stream(self._screen)
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._pending = bytearray()
        self._unfinished = ""

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        return self._screen.columns, self._screen.lines

    @property
    def cursor(self) -> tuple[int, int]:
        """Column and row, from 0."""
        return min(self._screen.cursor.x, self._screen.columns - 1), self._screen.cursor.y

    def has_mode(self, number: int) -> bool:
        """Whether the program switched a private mode on, such as 2004, bracketed paste."""
        return number << 5 in self._screen.mode

    def feed(self, output: bytes) -> None:
        """Take in output; of what comes faster than anybody looks only the last 256 KiB are kept."""
        self._pending += output
        del self._pending[:-_PENDING_LIMIT]

    async def catch_up(self) -> None:
        """Draw what has come until now, in slices that let the loop breathe (4 KiB take some 8 ms)."""
        for _ in range(0, len(self._pending), _SLICE):
            output = bytes(self._pending[:_SLICE])
            del self._pending[:_SLICE]
            self._draw(output)
            await asyncio.sleep(0)

    def _draw(self, output: bytes) -> None:
        text = self._unfinished + self._decode(output)
        unfinished = _UNFINISHED.search(text, max(0, len(text) - _UNFINISHED_LIMIT))
        self._unfinished = unfinished[0] if unfinished else ""
        self._stream.feed(_ESCAPES.sub(_known, text[: len(text) - len(self._unfinished)]))

    def resize(self, columns: int, rows: int) -> None:
        """Change the size; pyte cuts what no longer fits."""
        self._screen.resize(rows, columns)

    def lines(self, history: int = 0) -> tuple[str, ...]:
        """Return the screen's lines with their colours, after up to `history` lines that scrolled off it."""
        above = list(self._screen.scrolled_off)[-history:] if history else []
        shown = (_render(self._screen.buffer[row], self._screen.columns) for row in range(self._screen.lines))
        return (*above, *shown)


class _Screen(pyte.Screen):
    """pyte's screen with the alternate screen, what scrolled off, and answers to the program's questions."""

    def __init__(self, columns: int, rows: int, history: int, answer: Callable[[bytes], None]) -> None:
        self.scrolled_off: deque[str] = deque(maxlen=history)
        self._answer = answer
        self._main: dict[int, Any] | None = None
        super().__init__(columns, rows)

    def index(self) -> None:
        """Keep the line that scrolls off the top."""
        top, bottom = self.margins or (0, self.lines - 1)
        if self.cursor.y == bottom and top == 0 and self._main is None:
            self.scrolled_off.append(_render(self.buffer[0], self.columns))
        super().index()

    def set_mode(self, *modes: int, **kwargs: bool) -> None:
        """Switch to the alternate screen where asked to; 132 columns are not for a program to choose."""
        super().set_mode(*(mode for mode in modes if mode != 3), **kwargs)
        if self._main is None and kwargs.get("private") and _ALTERNATE & {mode << 5 for mode in modes}:
            self._main = {row: line.copy() for row, line in self.buffer.items()}
            self.erase_in_display(2)

    def reset_mode(self, *modes: int, **kwargs: bool) -> None:
        """Switch back from the alternate screen."""
        super().reset_mode(*(mode for mode in modes if mode != 3), **kwargs)
        if self._main is not None and kwargs.get("private") and _ALTERNATE & {mode << 5 for mode in modes}:
            self.erase_in_display(2)
            for row, line in self._main.items():
                self.buffer[row].update(line)
            self._main = None

    def write_process_input(self, data: str) -> None:
        """Answer a question such as for the cursor's position."""
        self._answer(data.encode())


def _known(match: re.Match[str]) -> str:
    """Return an escape sequence if pyte carries it out, with no more parameters than it takes; else nothing."""
    final = match["final"]
    if final is None:
        return match["plain"] or ""
    if final not in _NUMBERS_TAKEN or (match["private"] and final not in _PRIVATE_TAKEN):
        return ""
    numbers = [number[:5] for number in match["numbers"].split(";")[: _NUMBERS_TAKEN[final]]]
    return f"\x1b[{match['private']}{';'.join(numbers)}{final}"


def _render(line: Mapping[int, Char], columns: int) -> str:
    """Return one line with SGR where its look changes, without the blanks at its end."""
    parts, style = [], ""
    for column in range(min(columns, max(line, default=-1) + 1)):
        cell = line[column]
        wanted = _style(*cell[1:])
        if wanted != style:
            parts.append(f"\x1b[{wanted or '0'}m")
            style = wanted
        parts.append(cell.data)
    if style:
        parts.append("\x1b[0m")
    return "".join(parts).rstrip(" ")


@functools.lru_cache(maxsize=1024)
def _style(foreground: str, background: str, *flags: bool) -> str:
    """Return the SGR parameters of a look, from a reset on; empty for the default. The flags are in `Char`'s order."""
    parts = [code for on, code in zip(flags, _FLAGS, strict=True) if on]
    for colour, names, plane in ((foreground, _FOREGROUNDS, "38"), (background, _BACKGROUNDS, "48")):
        if colour in names:
            parts.append(names[colour])
        elif colour != "default":
            parts.append(f"{plane};2;{int(colour[:2], 16)};{int(colour[2:4], 16)};{int(colour[4:], 16)}")
    parts = [part for part in parts if part not in ("39", "49")]
    return f"0;{';'.join(parts)}" if parts else ""
