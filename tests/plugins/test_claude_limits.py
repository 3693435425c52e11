"""When a limit ends, from Claude Code's words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from omni_tui.plugins.agent.claude_limits import limit_end

SAID = datetime(2026, 11, 21, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "end"),
    [
        ("You've hit your session limit · resets 3:45am (UTC)", datetime(2026, 11, 21, 3, 45, tzinfo=UTC)),
        ("You've hit your session limit · resets 1am (UTC)", datetime(2026, 11, 22, 1, 0, tzinfo=UTC)),
        ("You've hit your session limit · resets 12am (UTC)", datetime(2026, 11, 22, 0, 0, tzinfo=UTC)),
        ("You've hit your session limit · resets 12pm (UTC)", datetime(2026, 11, 21, 12, 0, tzinfo=UTC)),
        ("You've hit your session limit · resets 6am (Europe/Berlin)", datetime(2026, 11, 21, 5, 0, tzinfo=UTC)),
        ("You've hit your weekly limit · resets Nov 24, 3pm (UTC)", datetime(2026, 11, 24, 15, 0, tzinfo=UTC)),
        ("You've hit your limit · resets Jan 2, 2027, 3:05pm (UTC)", datetime(2027, 1, 2, 15, 5, tzinfo=UTC)),
        ("Claude AI usage limit reached|1795225826", datetime.fromtimestamp(1795225826, UTC)),
    ],
)
def test_the_end_is_understood(words: str, end: datetime) -> None:
    assert limit_end(words, SAID.timestamp()) == end.timestamp()


@pytest.mark.parametrize(
    "words",
    [
        "API Error: Request rejected (429)",
        "resets 3pm",
        "resets 3pm (Atlantis/Centre)",
        "resets 3pm (../../etc/passwd)",
        "resets Foo 3, 3pm (UTC)",
        "resets Feb 31, 3pm (UTC)",
        "resets Nov 24, 0000, 3pm (UTC)",
        "resets 3:99pm (UTC)",
    ],
)
def test_what_does_not_say_when_is_not_guessed(words: str) -> None:
    assert limit_end(words, SAID.timestamp()) is None
