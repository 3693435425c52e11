"""The outline draws what rich's own tree draws, whatever lies below what, however narrow the terminal."""

from __future__ import annotations

import io
import random

import pytest
from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from omni_tui.commands.outline import Line, Outline

WORDS = ("t7", "after t3, t4 and 5 more: src/app.py (its head declares it)", "größer als 宽 zwei", "two\nlines", "")
STYLES = ("", "bold", "yellow")


def drawn(shown: Outline | Tree, width: int, *, encoding: str = "utf-8", colours: bool = False) -> str:
    """Return what a console of so many columns prints, without the padding at the ends of lines."""
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="")
    console = Console(file=out, width=width, force_terminal=colours, color_system="standard" if colours else None)
    console.print(shown)
    out.seek(0)
    return "\n".join(line.rstrip() for line in out.read().split("\n"))


def tree_and_lines(seed: int, *, only_ascii: bool) -> tuple[Tree, list[Line]]:
    """Make lines at random depths, and the tree that they are."""
    chance = random.Random(seed)
    words = [word for word in WORDS if word.isascii() or not only_ascii]
    lines: list[Line] = [(0, [("the plan", "")])]
    above = [Tree(Text("the plan"))]
    for _ in range(40):
        depth = chance.randint(1, len(above))
        said = [(chance.choice(words), chance.choice(STYLES)) for _ in range(chance.randint(1, 3))]
        lines.append((depth, said))
        above[depth:] = [above[depth - 1].add(Text("".join(word for word, _ in said)))]
    return above[0], lines


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("width", [160, 60, 33])
@pytest.mark.parametrize("seed", range(4))
def test_draws_what_a_tree_draws(seed: int, width: int, encoding: str) -> None:
    tree, lines = tree_and_lines(seed, only_ascii=encoding == "ascii")
    shown = drawn(Outline(lines), width, encoding=encoding)
    assert shown == drawn(tree, width, encoding=encoding)
    assert shown.count("\n") >= len(lines)


@pytest.mark.parametrize("title", ["Mend it", "größer"])
def test_words_have_their_styles(title: str) -> None:
    shown = drawn(Outline([(0, [("plan", "")]), (1, [("t7", "cyan"), (f"  {title}", "")])]), 60, colours=True)
    assert shown == f"plan\n└── \x1b[36mt7\x1b[0m  {title}\n"
