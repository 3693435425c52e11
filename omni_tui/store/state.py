"""The fleet's state in its file, `state.json` in the root: its owner rewrites it at every change."""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from omni_tui.model.brakes import Freeze, Throttle
from omni_tui.model.state import FleetState
from omni_tui.store.files import DISK, Disk, publish
from omni_tui.store.reading import decode_shown, put_aside, read_small

STATE_FILE = "state.json"

_state = msgspec.json.Decoder(FleetState)


class _Former(msgspec.Struct):
    """What a state said of the brakes before they had a scope."""

    frozen: bool = False
    throttled: bool = False


_former = msgspec.json.Decoder(_Former)


def write_state(root: Path, state: FleetState, disk: Disk = DISK) -> None:
    """Rewrite the state of the fleet at `root`; it is on the medium when this returns. Raises `OSError`."""
    publish(root / STATE_FILE, msgspec.json.encode(state), disk=disk)


def read_state(root: Path) -> FleetState:
    """Return the state; a fleet that has none yet, or one that cannot be read, is neither frozen nor throttled."""
    with contextlib.suppress(OSError, msgspec.MsgspecError):  # not written yet, or by another version
        return _read(root / STATE_FILE)
    return FleetState()


def take_state(root: Path, disk: Disk = DISK) -> FleetState:
    """Return the state for its owner, who puts a file aside that cannot be read, and says so in the new state."""
    path = root / STATE_FILE
    try:
        return _read(path)
    except FileNotFoundError:
        return FleetState()
    except (OSError, msgspec.MsgspecError) as error:
        kept = put_aside(path, "a state of the fleet", str(error), disk)
        return FleetState(
            message=f"{STATE_FILE} could not be read, so nothing is frozen; it is {kept.relative_to(root)}"
        )


def _read(path: Path) -> FleetState:
    """Return the state in a file, also in one of before brakes had a scope."""
    content = read_small(path)
    state, former = decode_shown(_state, content), _former.decode(content)
    brakes = state.brakes
    if former.frozen:
        brakes = brakes.with_freeze(Freeze())
    if former.throttled:
        brakes = brakes.with_throttle(Throttle())
    return msgspec.structs.replace(state, brakes=brakes)
