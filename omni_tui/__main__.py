"""The program `omni-tui`, also as `python -m omni_tui`."""

from __future__ import annotations

import sys

from omni_tui.cli import run


def main() -> int:
    """Carry out the command line that the program was started with, and return its exit status."""
    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
