"""A fleet in the middle of a night, owned by somebody, and a cockpit on it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fleet_tree import FleetTree, demo_tree, hold_lease


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Tell times in UTC, wherever the test runs."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[FleetTree]:
    """Return a fleet of twenty tasks that a headless process dispatches."""
    made = demo_tree(tmp_path / "night")
    with hold_lease(made):
        yield made
