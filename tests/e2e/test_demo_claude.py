"""`omni-tui demo --agent claude`, with the real Claude Code and nothing replaced but the model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.assignments import git
from tests.support.real_claude import ModelNetwork, find_claude
from tests.support.real_fleet import KEY

CLAUDE = find_claude()

pytestmark = pytest.mark.skipif(CLAUDE is None, reason="Claude Code is not installed (`.ci/run` installs it)")

TASKS = {
    "low-stock": "Tell which teas run low",
    "three-for-two": "Three for the price of two",
    "order-numbers": "Number the orders of a day",
}


@pytest.fixture
def network(tmp_path: Path) -> Iterator[ModelNetwork]:
    with ModelNetwork(tmp_path / "network") as network:
        yield network
        assert network.requests()
        assert network.strays() == [], "something tried to leave this machine"


def demo(where: Path, network: ModelNetwork, script: str, status: int) -> dict[str, Any]:
    """Run the demo as a person whose environment names a gateway, here the model API; return its answer."""
    assert CLAUDE is not None
    home = where.parent / "home"
    home.mkdir()
    environment = {
        "PATH": f"{CLAUDE.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "ANTHROPIC_API_KEY": KEY,
        "ANTHROPIC_BASE_URL": network.url(script),
        **network.proxies(),
    }
    words = ("demo", "--agent", "claude", "--headless", "--json", "--keep", str(where))
    argv = [*network.enter(), sys.executable, "-m", "omni_tui", *words]
    ran = subprocess.run(argv, env=environment, cwd=home, capture_output=True, text=True, timeout=110)
    assert ran.returncode == status, ran.stdout + ran.stderr
    answer: dict[str, Any] = json.loads(ran.stdout)
    return answer


def test_three_tasks_of_the_demo_land(tmp_path: Path, network: ModelNetwork) -> None:
    report = demo(tmp_path / "demo", network, "demo", status=0)["result"]["report"]
    assert {task["task"] for task in report["landed"]} == {f"shop/{task}" for task in TASKS}
    assert report["blocked"] == []
    subjects = git(tmp_path / "demo" / "project", "log", "--format=%s", "main..release/omni")
    assert sorted(subjects.splitlines()) == sorted(TASKS.values())


def test_a_demo_in_which_nothing_lands_has_failed(tmp_path: Path, network: ModelNetwork) -> None:
    answer = demo(tmp_path / "demo", network, "no-commit", status=1)
    assert answer["error"]["message"].endswith("low-stock, order-numbers, three-for-two")
