"""Two themes, dark and light: calm grounds, and tones for states that keep a contrast of at least 4.5 to 1 on each.

`tests/cockpit/test_themes.py` measures the contrast (WCAG 2.2, 1.4.3). A tone never stands alone: a word and a glyph
go with it.
"""

from __future__ import annotations

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
        "tone-quiet": "#929ba8",
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
        "tone-quiet": "#5a6370",
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
    },
)

THEMES = {"dark": DARK, "light": LIGHT}
"""By the name that `cockpit.theme` uses."""
