"""The headless core in a process of its own, as a user would start it."""

from __future__ import annotations

import subprocess
import sys

from tests.support.fleets import TestFleet


def headless(fleet: TestFleet, *words: str) -> subprocess.Popen[str]:
    """Start the headless core as a user would."""
    return subprocess.Popen(
        [sys.executable, "-m", "omni_tui", "--fleet", str(fleet.root), "--headless", *words],
        stdout=subprocess.PIPE,
        text=True,
    )


def read_until(process: subprocess.Popen[str], word: str) -> None:
    """Read its lines until one holds `word`."""
    assert process.stdout is not None
    for line in process.stdout:
        if word in line:
            return
    raise AssertionError(f"it ended before it said {word!r}")
