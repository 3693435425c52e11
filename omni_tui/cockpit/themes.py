"""Two themes, dark and light: calm grounds, and tones for states that keep a contrast of at least 4.5 to 1 on each.

`tests/cockpit/test_themes.py` measures the contrast (WCAG 2.2, 1.4.3). A tone never stands alone: a word and a glyph
go with it.
"""

from __future__ import annotations

from rich.terminal_theme import TerminalTheme
from textual.theme import Theme

DARK = Theme(
    name="omni-dark",
    dark=True,
    primary="#7aa2d6",
    secondary="#8aa0b8",
    accent="#c7a6e8",
    warning="#e0b062",
    error="#ee8b86",
    success="#8fc58f",
    foreground="#d4d8de",
    background="#14171c",
    surface="#191d23",
    panel="#20252d",
    variables={
        "tone-text": "#d4d8de",
        "tone-strong": "#f3f5f7",
        "tone-quiet": "#a0a9b5",
        "tone-running": "#7cc4d8",
        "tone-waiting": "#a5afbc",
        "tone-landed": "#8fc58f",
        "tone-blocked": "#ee8b86",
        "tone-asking": "#e0b062",
        "tone-key": "#8fb8ee",
        "tone-alarm-ground": "#e0b062",
        "tone-alarm-text": "#14171c",
        "tone-cursor-ground": "#2c3a4d",
        "tone-selected-ground": "#232a34",
        "tone-header-ground": "#20252d",
        "tone-line": "#4a5260",
    },
)

LIGHT = Theme(
    name="omni-light",
    dark=False,
    primary="#2a5d9c",
    secondary="#48607a",
    accent="#7a3fa8",
    warning="#8a5a00",
    error="#a8322c",
    success="#2c6e33",
    foreground="#262b33",
    background="#fbfaf7",
    surface="#f4f2ed",
    panel="#e9e6df",
    variables={
        "tone-text": "#262b33",
        "tone-strong": "#0b0d10",
        "tone-quiet": "#545d69",
        "tone-running": "#0b6178",
        "tone-waiting": "#4d5764",
        "tone-landed": "#2c6530",
        "tone-blocked": "#a32a25",
        "tone-asking": "#7a4f00",
        "tone-key": "#23538c",
        "tone-alarm-ground": "#7a4f00",
        "tone-alarm-text": "#fbfaf7",
        "tone-cursor-ground": "#cfdff2",
        "tone-selected-ground": "#e4e8ee",
        "tone-header-ground": "#e9e6df",
        "tone-line": "#b9b5ac",
    },
)

THEMES = {"dark": DARK, "light": LIGHT}
"""By the name that `cockpit.theme` uses."""


def _ansi(ground: str, text: str, *colours: str) -> TerminalTheme:
    rgb = [(int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)) for code in (ground, text, *colours)]
    return TerminalTheme(rgb[0], rgb[1], rgb[2:10], rgb[10:18])


ANSI_DARK = _ansi(
    "#14171c", "#d4d8de",
    "#3a414c", "#ee8b86", "#8fc58f", "#e0b062", "#7aa2d6", "#c7a6e8", "#7cc4d8", "#c3c9d1",
    "#8b95a3", "#f5a9a4", "#abdba9", "#eec685", "#9dbfec", "#d9c1f2", "#9ad7e8", "#f3f5f7",
)  # fmt: skip
"""What the sixteen colours of an agent's terminal look like on the dark theme: black, red, green, and so on."""
ANSI_LIGHT = _ansi(
    "#fbfaf7", "#262b33",
    "#262b33", "#a32a25", "#2c6530", "#7a4f00", "#23538c", "#7a3fa8", "#0b6178", "#5a6370",
    "#4d5764", "#b8302a", "#1f7a2c", "#8a5a00", "#2a5d9c", "#8a4bb8", "#0f6f89", "#0b0d10",
)  # fmt: skip
"""The same on the light theme."""
