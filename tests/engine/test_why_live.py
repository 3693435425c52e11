"""`why` while a dispatcher runs: what only that knows, told to another process."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from omni_tui.model.task import Status, Task
from omni_tui.store.files import move
from tests.support.fleets import AGENT, QUICK, TestFleet, make_fleet
from tests.support.running import dispatching, reasons
from tests.support.waiting import wait_for_async

QUIET = QUICK.replace("0.05", "5")


async def why(fleet: TestFleet, task: Task) -> dict[str, Any]:
    """Ask as a person would, in another process."""
    argv = [sys.executable, "-m", "omni_tui", "--fleet", str(fleet.root), "why", task.id, "--json"]
    ran = await asyncio.to_thread(subprocess.run, argv, check=True, capture_output=True, text=True)
    result: dict[str, Any] = json.loads(ran.stdout)["result"]
    return result


async def test_a_start_that_comes_too_soon_after_another_says_so(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=QUIET + "[scheduler]\nslots = 2\nstagger_seconds = 300\n")
    fleet.agent(f"{AGENT}say accepted\nsleep 60\n")
    first, second = (fleet.add(f"Change {name}", body=f"Change `{name}.txt`.") for name in "ab")
    async with dispatching(fleet) as (core, record):
        await record.wait(lambda event: event.data.get("phase") == "watch")
        await wait_for_async(lambda: "spread out" in reasons(core.scheduler.state).get(str(second.ref), ""), "the hold")
        assert (await why(fleet, first))["hold"] == "doing"
        told = await why(fleet, second)
    assert (told["hold"], told["message"]) == ("stagger", "starts are spread out in time")


async def test_a_task_whose_last_attempt_is_still_being_ended_says_so(tmp_path: Path) -> None:
    """A person took its file back into todo/; its agent does not mind being told to end."""
    settings = QUIET.replace("kill_grace_seconds = 0.2", "kill_grace_seconds = 8")
    fleet = await make_fleet(tmp_path, settings=settings)
    fleet.agent(f"{AGENT}trap '' TERM HUP\nsay accepted\nwhile :; do sleep 0.1; done\n")
    task = fleet.add("Stubborn")
    async with dispatching(fleet) as (core, record):
        await record.wait(lambda event: event.data.get("phase") == "watch")
        [file] = fleet.queue.files(Status.DOING)
        move(file, fleet.paths.queue(Status.TODO) / file.name)
        await wait_for_async(lambda: "being ended" in reasons(core.scheduler.state).get(str(task.ref), ""), "the hold")
        told = await why(fleet, task)
        await record.wait(lambda event: event.event == "task.withdrawn")
    assert told["message"] == "its last attempt is still being ended"
