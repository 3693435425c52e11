"""The program `omni-tui`, also as `python -m omni_tui`."""

from __future__ import annotations

import gc
import sys

from omni_tui.cli import run

COLLECT_AFTER = 20_000
"""So many new objects before the collector looks for circles among them. Python's own 700 cost a fifth of the time of
a command that reads ten thousand tasks, all of which stay."""


def main() -> int:
    """Carry out the command line that the program was started with, and return its exit status."""
    gc.set_threshold(COLLECT_AFTER)
    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
