"""Attacks from the check and the set-up command, which run what an agent wrote."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import tomli_w

from tests.attacks.test_processes import named
from tests.support.attacks import attack
from tests.support.waiting import wait_for

PROBE = """
touch "{place}/planted"; cat "{place}/fleet/config.toml" >&2; touch here
timeout 2 python3 -c "{net}"; echo net $? >&2; {end}
"""
NOT_THERE = {"bwrap": "No such file", "landlock": "Permission denied"}
NET = "import socket; socket.create_connection(('127.0.0.1', {port}), 1)"


async def test_check_has_no_network_and_no_way_out(tmp_path: Path, kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        net = NET.format(port=server.getsockname()[1])
        probe = PROBE.format(place=tmp_path, net=net, end="false")
        tried = await attack(tmp_path, "note done true", workspace=tomli_w.dumps({"check": probe}), kind=kind)
    failures = [event.data for event in tried.events("attempt.failed")]
    assert failures
    assert not (tmp_path / "planted").exists()
    output = "\n".join(path.read_text() for path in tried.fleet.paths.runs.rglob("check.*/pane.log"))
    assert "net 1" in output
    assert NOT_THERE[kind] in output


async def test_set_up_command_has_no_network_and_no_way_out(tmp_path: Path, kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        net = NET.format(port=server.getsockname()[1])
        probe = PROBE.format(place=tmp_path, net=net, end="exit 3")
        tried = await attack(
            tmp_path, "note done true", workspace=tomli_w.dumps({"setup": f"exec 2>&1\n{probe}"}), kind=kind
        )
    message = tried.events("attempt.failed")[0].data["message"]
    assert "the set-up command ended with status 3" in message
    assert "net 1" in message
    assert NOT_THERE[kind] in message
    assert not (tmp_path / "planted").exists()


async def test_nothing_outlives_the_set_up_command(tmp_path: Path, kind: str) -> None:
    mark = f"600.1{os.getpid()}"
    setup = f"(setsid env -i sh -c '(sleep {mark} &)' &); while ! pgrep -f '^sleep {mark}'; do sleep 0.05; done"
    tried = await attack(tmp_path, "note done true", workspace=tomli_w.dumps({"setup": setup}), kind=kind)
    assert tried.fleet.landed() == ["Attack"]
    wait_for(lambda: not named(mark), "nothing of it is left")


async def test_nothing_outlives_a_set_up_command_that_is_ended(tmp_path: Path, kind: str) -> None:
    mark = f"600.2{os.getpid()}"
    setup = f"trap '' TERM; (setsid env -i sh -c '(sleep {mark} &)' &); while :; do sleep 0.1; done"
    workspace = {"setup": setup, "setup_minutes": 0.03}
    tried = await attack(tmp_path, "note done true", workspace=tomli_w.dumps(workspace), kind=kind)
    assert "took longer" in tried.events("attempt.failed")[0].data["message"]
    wait_for(lambda: not named(mark), "nothing of it is left")


async def test_a_workspace_may_allow_them_the_network(tmp_path: Path, kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        net = NET.format(port=server.getsockname()[1])
        check = f'timeout 2 python3 -c "{net}"'
        tried = await attack(
            tmp_path, "note done true", workspace=tomli_w.dumps({"check": check, "net": True}), kind=kind
        )
    assert tried.fleet.landed() == ["Attack"]
