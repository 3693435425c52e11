"""Places in the program where something is called: found by reading it, so that a new one is a new mutant."""

from __future__ import annotations

import ast
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

import omni_tui

PROGRAM = Path(omni_tui.__file__).parent


class Site(NamedTuple):
    """A call in a function."""

    path: Path
    function: str
    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.path.relative_to(PROGRAM)} {self.function}, line {self.first}"

    def calls(self, *, near: int) -> bool:
        """Whether one of the `near` frames above the function that asks, or rather above who called that, is here."""
        frame = sys._getframe(2)
        for _ in range(near):
            here = frame.f_code.co_filename == str(self.path) and self.first <= frame.f_lineno <= self.last
            if here or frame.f_back is None:
                return here
            frame = frame.f_back
        return False


def sites(folder: str, calls: Collection[str], *, but_in: Collection[str] = ()) -> Iterator[Site]:
    """Give every call in a folder of the program whose words end with one of `calls`, but in functions so named."""
    for path in sorted((PROGRAM / folder).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found: dict[tuple[int, int], Site] = {}  # of nested functions the inner one comes later
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)):
            if function.name in but_in:
                continue
            for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
                if f".{ast.unparse(call.func)}".endswith(tuple(f".{name}" for name in calls)):
                    site = Site(path, function.name, call.lineno, call.end_lineno or call.lineno)
                    found[call.lineno, call.col_offset] = site
        yield from found.values()
