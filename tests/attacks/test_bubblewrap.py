"""The gaps of bubblewrap that `omni-tui doctor` names."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from tests.support.attacks import attack


@pytest.mark.parametrize(("net", "reached"), [("host", True), ("none", False)])
async def test_the_gaps_are_those_that_are_told(tmp_path: Path, net: str, reached: bool) -> None:
    """Were one of them closed, what `commands/protection.py` says would have to change."""
    name = f"omni-attack-{os.getpid()}"
    asking = f"import socket; socket.socket(socket.AF_UNIX).connect(chr(0) + {name!r})"
    with socket.socket(socket.AF_UNIX) as abstract:
        abstract.bind(f"\0{name}")
        abstract.listen()
        script = f'note abstract {sys.executable} -I -S -c "{asking}"'
        tried = await attack(tmp_path, script, reach=f'net = "{net}"')
    assert (tried.notes()["abstract"] == "status 0") is reached
