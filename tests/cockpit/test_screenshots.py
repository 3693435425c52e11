"""The pictures are those that the command draws, the same each time, and the README shows some of them."""

from __future__ import annotations

import re
from pathlib import Path

from screenshots.__main__ import PICTURES, Picture, draw

ROOT = Path(__file__).parents[2]


def test_the_folder_holds_the_pictures_and_nothing_else() -> None:
    there = {path.name for path in (ROOT / "screenshots").iterdir() if path.is_file()}
    assert there == {"__main__.py", *(f"{picture.name}.png" for picture in PICTURES)}


def test_the_readme_shows_pictures_that_there_are() -> None:
    shown = re.findall(r"\]\((screenshots/[^)]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert shown
    assert all((ROOT / name).is_file() for name in shown)


def test_a_picture_drawn_again_is_the_same() -> None:
    picture = Picture(name="small", size=(80, 24), keys=("n",))
    assert draw(picture) == draw(picture)
