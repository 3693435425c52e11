"""Text from outside: what is taken out of it, once, at the border."""

from __future__ import annotations

import pytest

from omni_tui.model.text import clean, code, keep_sgr, one_line, plain


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b[2Jmoved\x1b[10A", "moved"),
        ("bi\u202edi\u2066", "bidi"),
        ("c1\x9b31m", "c131m"),
    ],
)
def test_plain_line_is_the_words_alone(line: str, left: str) -> None:
    assert plain(line) == left


def test_screen_keeps_its_colours_and_nothing_else() -> None:
    assert keep_sgr("\x1b[31mred\x1b[0m \x1b]52;c;aGk=\x07\x1b[2Jx\x08") == "\x1b[31mred\x1b[0m x"


def test_clean_text_keeps_its_lines() -> None:
    assert clean("one\n\ttwo\x1b[2J\x00\x07") == "one\n\ttwo"


def test_one_line_is_one_and_as_long_as_it_may_be() -> None:
    assert one_line("one\n two\tthree") == "one two three"
    assert len(one_line("x" * 100, 10)) == 10


def test_code_cannot_be_closed_from_inside() -> None:
    assert code("a`b\nc") == "`a'b c`"
