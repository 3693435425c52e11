"""Text that an agent had a hand in, made fit to be shown: sanitised once, where it enters (facts: reliability)."""

from __future__ import annotations

DETAIL_LENGTH = 160
"""Characters of a signal's detail that are kept."""


def one_line(text: str, limit: int = DETAIL_LENGTH) -> str:
    """Return `text` on one line of at most `limit` characters, without controls, escapes and bidi marks."""
    plain = "".join(character if character.isprintable() else " " for character in text[: 4 * limit])
    words = " ".join(plain.split())
    return words if len(words) <= limit else words[: limit - 1] + "…"
