"""`omni-tui demo --agent claude`, with the real Claude Code and nothing replaced but the model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.real_claude import ModelNetwork, find_claude
from tests.support.real_fleet import KEY

CLAUDE = find_claude()

pytestmark = pytest.mark.skipif(CLAUDE is None, reason="Claude Code is not installed (`.ci/run` installs it)")


def test_three_tasks_of_the_demo_land(tmp_path: Path) -> None:
    assert CLAUDE is not None
    home = tmp_path / "home"
    home.mkdir()
    with ModelNetwork(tmp_path / "network") as network:
        environment = {
            "PATH": f"{CLAUDE.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "ANTHROPIC_API_KEY": KEY,
            "ANTHROPIC_BASE_URL": network.url("demo"),
            **network.proxies(),
        }
        words = ("demo", "--agent", "claude", "--headless", "--json", "--keep", str(tmp_path / "demo"))
        argv = [*network.enter(), sys.executable, "-m", "omni_tui", *words]
        ran = subprocess.run(argv, env=environment, cwd=home, capture_output=True, text=True, timeout=110)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert network.requests()
        assert network.strays() == [], "something tried to leave this machine"
    report = json.loads(ran.stdout)["result"]["report"]
    assert {task["task"] for task in report["landed"]} == {"shop/low-stock", "shop/three-for-two", "shop/order-numbers"}
    assert report["blocked"] == []
