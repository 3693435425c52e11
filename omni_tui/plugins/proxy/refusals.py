"""What was refused, written down for a person: one JSON line for each place, in the run's directory."""

from __future__ import annotations

import json
import os

from omni_tui.plugins.proxy.rules import Place

MOST = 200
"""Places that are written down: one that tries every name would fill the disk."""


class Refusals:
    """Appends to the file of refusals. Without a file nobody asks for it."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._told: set[tuple[Place, str]] = set()

    def tell(self, place: Place, reason: str) -> None:
        """Write down that `place` was refused, unless it was before. Raises `OSError`."""
        if not self._path or (place, reason) in self._told or len(self._told) >= MOST:
            return
        self._told.add((place, reason))
        line = json.dumps({"place": str(place), "reason": reason}) + "\n"
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.write(file, line.encode())
        finally:
            os.close(file)
