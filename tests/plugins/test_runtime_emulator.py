"""The terminal in memory: what programs draw, and what hostile output cannot do."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from omni_tui.model.text import keep_sgr
from omni_tui.plugins.runtime.emulator import Emulator
from omni_tui.plugins.runtime.pty_session import OutputFile

PIECES = st.sampled_from(
    ["\x1b[", "\x1b]52;c;", "\x1b(", "\x1bP", "\x1b#", "\x1b%", "\x1b\\", "\x9b", "\x07", "\x18"]
) | (st.sampled_from(["38;2;1;2;3m", "1;2;3;4", "99999999", "1049h", "\r\n", *"?>;mAhlrnJc$²é漢\x00"]))


async def drawn(*outputs: bytes, history: int = 0) -> tuple[str, ...]:
    """Return what a terminal of 20 x 4 shows after `outputs`."""
    emulator = Emulator(20, 4, 100, lambda _answer: None)
    for output in outputs:
        emulator.feed(output)
        await emulator.catch_up()
    return emulator.lines(history)


async def test_colours_are_kept_and_reset_at_the_end() -> None:
    assert (await drawn(b"\x1b[1;31mred\x1b[0m plain"))[0] == "\x1b[0;1;31mred\x1b[0m plain"
    assert (await drawn(b"\x1b[38;2;16;32;48mx"))[0] == "\x1b[0;38;2;16;32;48mx\x1b[0m"


async def test_what_pyte_does_not_know_leaves_no_trace() -> None:
    output = b"a\x1b[>4;2mb\x1b[?25;1;2$pc\x1bPq#0;2\x1b\\d\x1b]8;;http://x\x1b\\e\x1b[1;2Af\x1b[<uj"
    assert (await drawn(output))[0] == "abcdefj"


async def test_a_sequence_may_come_in_pieces() -> None:
    pieces = [bytes([byte]) for byte in "x\x1b[31mé\x1b]0;title\x07y".encode()]
    assert (await drawn(*pieces))[0] == "x\x1b[0;31méy\x1b[0m"


async def test_lines_that_scrolled_off_are_history() -> None:
    lines = await drawn("".join(f"{number}\r\n" for number in range(10)).encode(), history=3)
    assert lines == ("4", "5", "6", "7", "8", "9", "")


async def test_the_alternate_screen_gives_the_main_one_back() -> None:
    emulator = Emulator(20, 4, 100, lambda _answer: None)
    emulator.feed(b"main\x1b[?1049hother")
    await emulator.catch_up()
    assert not any("main" in line for line in emulator.lines())
    emulator.feed(b"\x1b[?1049l")
    await emulator.catch_up()
    assert emulator.lines()[0] == "main"


async def test_a_question_for_the_cursor_is_answered() -> None:
    answers: list[bytes] = []
    emulator = Emulator(20, 4, 100, answers.append)
    emulator.feed(b"ab\x1b[6n")
    await emulator.catch_up()
    assert answers == [b"\x1b[1;3R"]


async def test_a_flood_keeps_its_end() -> None:
    emulator = Emulator(20, 4, 100, lambda _answer: None)
    emulator.feed(b"x\r\n" * 200_000 + b"last")
    await emulator.catch_up()
    assert emulator.lines()[-1] == "last"


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES | st.text(max_size=3), max_size=25), st.integers(1, 9))
async def test_no_output_breaks_it_or_gets_through(pieces: list[str], cut: int) -> None:
    output = "".join(pieces).encode("utf-8", "replace")
    for line in await drawn(*(output[at : at + cut] for at in range(0, len(output), cut))):
        assert not re.sub(r"\x1b\[[0-9;]*m", "", keep_sgr(line)).count("\x1b")


def test_the_output_on_disk_is_bounded_and_keeps_its_end(tmp_path: Path) -> None:
    output = OutputFile(tmp_path)
    for number in range(200):
        output.append(f"{number:07d}\n".encode() * 8192)
        assert (tmp_path / "output").stat().st_size <= 4 << 20
    output.close()
    assert OutputFile.last(tmp_path).endswith(b"0000199\n")
    assert len(OutputFile.last(tmp_path)) == 256 << 10
