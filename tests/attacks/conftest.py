"""Every attack is made in each kind of sandbox that this machine has."""

from __future__ import annotations

import pytest

from omni_tui import shelter
from omni_tui.plugins import sandbox
from omni_tui.plugins.runtime import wrapped
from omni_tui.plugins.runtime.isolation import MARKER

BARE = "landlock, bare"
"""Landlock on a machine without PID namespaces."""
LANDLOCK = () if sandbox.fault("landlock") or sandbox.landlock.gaps() else ("landlock", BARE)
"""What becomes of Landlock where the kernel has none is in `tests/plugins/test_landlock.py`."""


@pytest.fixture(params=["bwrap", *LANDLOCK])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the kind of sandbox to attack: `bwrap` has to be there."""
    if request.param == BARE:
        for module in (wrapped, shelter):
            monkeypatch.setattr(module, "isolation", lambda: MARKER)
    found: str = request.param
    return found.split(",", maxsplit=1)[0]


@pytest.fixture
def bare(request: pytest.FixtureRequest, kind: str) -> bool:
    """Return whether agents are without a PID namespace, and so without a process list of their own."""
    return bool(request.node.callspec.params["kind"] == BARE)
