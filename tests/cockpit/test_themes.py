"""Every tone can be read on every ground that it stands on (WCAG 2.2, 1.4.3: at least 4.5 to 1)."""

from __future__ import annotations

import pytest
from textual.color import Color
from textual.theme import Theme

from omni_tui.cockpit.themes import DARK, LIGHT
from omni_tui.cockpit.tones import Tone

GROUNDS = ("background", "surface", "tone-header-ground", "tone-cursor-ground", "tone-selected-ground")
TEXTS = [tone for tone in Tone if tone not in {Tone.ALARM, Tone.CURSOR, Tone.SELECTED}]


def colour(theme: Theme, name: str) -> Color:
    return Color.parse(theme.variables.get(name) or getattr(theme, name))


def contrast(one: Color, other: Color) -> float:
    def luminance(of: Color) -> float:
        parts = [part / 255 for part in of.rgb]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("tone", TEXTS)
def test_text_stands_out(theme: Theme, ground: str, tone: Tone) -> None:
    assert contrast(colour(theme, f"tone-{tone}"), colour(theme, ground)) >= 4.5


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
def test_alarms_stand_out(theme: Theme) -> None:
    assert contrast(colour(theme, "tone-alarm-text"), colour(theme, "tone-alarm-ground")) >= 4.5


def test_the_themes_name_the_same_tones() -> None:
    assert DARK.variables.keys() == LIGHT.variables.keys()
