"""The fleet's state in its file, `state.json` in the root: its owner rewrites it at every change."""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from omni_tui.model.state import FleetState
from omni_tui.store.files import DISK, Disk, publish

STATE_FILE = "state.json"


def write_state(root: Path, state: FleetState, disk: Disk = DISK) -> None:
    """Rewrite the state of the fleet at `root`; it is on the medium when this returns. Raises `OSError`."""
    publish(root / STATE_FILE, msgspec.json.encode(state), disk=disk)


def read_state(root: Path) -> FleetState:
    """Return the state; a fleet that has none yet, or one that cannot be read, is neither frozen nor throttled."""
    with contextlib.suppress(FileNotFoundError, msgspec.MsgspecError):  # not written yet, or by another version
        return msgspec.json.decode((root / STATE_FILE).read_bytes(), type=FleetState)
    return FleetState()
