"""Fencing and faults: who has lost the lease writes nothing more; a fault in one delivery is that one's alone."""

from __future__ import annotations

import asyncio
import shutil
import signal
from pathlib import Path

import pytest

from omni_tui.engine.fenced import fenced
from omni_tui.errors import LeaseLostError, ScmError
from omni_tui.latest import find_handle
from omni_tui.model.fence import Fence
from omni_tui.model.task import Status
from omni_tui.plugins.gitcmd import FENCE, Git
from omni_tui.plugins.gitrefs import WritableRef
from omni_tui.plugins.scm.fencing import put_up
from omni_tui.plugins.scm.local import LocalScm
from omni_tui.plugins.scm.protocol import Merge
from omni_tui.store.runs import Runs
from tests.support.fleets import AGENT, GOOD, QUICK, TestFleet, git, make_fleet
from tests.support.headless import headless, read_until
from tests.support.leftovers import no_server_left, nothing_left
from tests.support.running import PATIENCE, Record, dispatching, until_idle

PATIENT = QUICK.replace("0.05", "5")
WAITS = AGENT + "say accepted\nsleep 100\n"


def tree(fleet: TestFleet) -> dict[str, tuple[int, int]]:
    """Return every file that the fleet's owner writes, with time and size."""
    owned = (path for path in fleet.root.rglob("*") if "worktrees" not in path.parts and path.is_file())
    return {
        str(path): (path.stat().st_mtime_ns, path.stat().st_size)
        for path in owned
        if path.name not in ("events.jsonl", "lease", "exit") and "tmux" not in path.name
    }


@pytest.mark.parametrize("how", ["removed", "replaced"])
async def test_lost_lease_stops_the_core_and_it_writes_nothing_more(
    tmp_path: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    fleet = await make_fleet(tmp_path, settings=PATIENT)
    fleet.agent(WAITS)
    task = fleet.add("Fenced")
    record = Record()
    core = fleet.fleet.lead("headless", record, stop_agents=True)
    running = asyncio.ensure_future(core.run())
    await record.wait(lambda event: event.data.get("phase") == "watch")
    before = tree(fleet)
    lease = fleet.fleet.paths.lease
    lease.unlink()
    if how == "replaced":
        lease.write_text("another's")
    async with asyncio.timeout(PATIENCE):
        reason = await running
    assert "lease" in reason
    assert record.events[-1].event == "core.stopped"
    (fault,) = record.named("core.fault")
    assert "LeaseLostError" in fault.data["error"]
    assert "Traceback" not in caplog.text, "nothing of ours has failed"
    assert tree(fleet) == before
    handle = find_handle(fleet.fleet, task.ref)
    assert handle is not None
    assert fleet.fleet.runtime.alive(handle), "the agent is the next owner's"
    fleet.agent(GOOD)
    await fleet.fleet.runtime.kill(handle, grace=0)
    lease.unlink(missing_ok=True)
    await until_idle(fleet)


async def test_core_that_has_nothing_to_do_hears_of_the_loss(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path)
    shutil.rmtree(fleet.paths.root)  # nor is there a place to get spares ready for
    record = Record()
    running = asyncio.ensure_future(fleet.fleet.lead("headless", record).run())
    await record.wait(lambda event: event.event == "fleet.idle")
    fleet.fleet.paths.lease.unlink()
    async with asyncio.timeout(PATIENCE):
        assert "lease" in await running


async def test_stopped_owner_is_taken_over_and_then_writes_nothing(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=PATIENT)
    fleet.agent(WAITS)
    task = fleet.add("Fenced")
    stale = headless(fleet, "--json")
    read_until(stale, '"phase":"watch"')
    stale.send_signal(signal.SIGSTOP)
    async with dispatching(fleet) as (_, record):
        await record.wait(lambda event: event.event == "task.adopted")
        await record.wait(lambda event: event.data.get("phase") == "watch")
        before = tree(fleet)
        stale.send_signal(signal.SIGCONT)
        words, _ = stale.communicate(timeout=PATIENCE)
        assert stale.returncode == 1
        assert "the lease" in words
        assert tree(fleet) == before
        handle = find_handle(fleet.fleet, task.ref)
        assert handle is not None
        assert fleet.fleet.runtime.alive(handle), "the agent is its successor's"
        fleet.agent(GOOD)
    assert Runs(fleet.paths).attempts(task.id) == [1]
    await nothing_left(fleet)


async def test_owner_is_taken_over_on_request(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, settings=PATIENT)
    fleet.agent(WAITS)
    fleet.add("Fenced")
    first = headless(fleet, "--json")
    read_until(first, '"phase":"watch"')
    second = headless(fleet, "--json", "--take-over", "--stop-agents")
    read_until(second, "task.adopted")
    words, _ = first.communicate(timeout=PATIENCE)
    assert "core.stopped" in words.splitlines()[-1]
    second.send_signal(signal.SIGINT)
    second.communicate(timeout=PATIENCE)
    await nothing_left(fleet)


@pytest.mark.parametrize("kind", ["command", "sync", "value"])
async def test_nothing_of_a_plugin_is_begun_once_the_lease_is_lost(kind: str) -> None:
    class Plugin:
        name = "some"

        async def start(self) -> str:
            return "started"

        async def close(self) -> str:
            return "closed"

        def alive(self) -> bool:
            return True

    def lost() -> None:
        raise LeaseLostError("lost")

    plugin = fenced(Plugin(), lost)
    if kind == "value":
        assert plugin.name == "some"
    elif kind == "sync":
        assert plugin.alive()
        assert await plugin.close() == "closed"
    else:
        with pytest.raises(LeaseLostError):
            await plugin.start()
        assert await fenced(Plugin(), lambda: None).start() == "started"


async def test_ref_is_written_by_the_owner_of_the_repository_alone(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path)
    repo, main = Git(git_dir=fleet.paths.repo), git(fleet.paths.repo, "rev-parse", "main")
    ref = WritableRef("refs/heads/omni/0001/1")
    first = put_up(repo, Fence(epoch="000001-a-1"))
    first.update_ref(ref, main)
    second = put_up(repo, Fence(epoch="000002-b-2"))
    with pytest.raises(ScmError, match=FENCE):
        first.update_ref(WritableRef("refs/heads/omni/0002/1"), main)
    second.update_ref(WritableRef("refs/heads/omni/0003/1"), main)
    branches = git(fleet.paths.repo, "for-each-ref", "--format=%(refname)", "refs/heads/omni").splitlines()
    assert branches == [ref.name, "refs/heads/omni/0003/1"]
    assert git(fleet.paths.repo, "cat-file", "-p", FENCE) == "000002-b-2"

    def lost() -> None:
        raise LeaseLostError("lost")

    with pytest.raises(LeaseLostError):
        put_up(repo, Fence(epoch="000001-a-1", check=lost))
    assert git(fleet.paths.repo, "cat-file", "-p", FENCE) == "000002-b-2"


async def test_defect_in_one_delivery_blocks_that_task_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = await make_fleet(tmp_path, settings=PATIENT)
    land = LocalScm.land

    async def sometimes(scm: LocalScm, merge: Merge) -> bool:
        if not seen:
            seen.append(merge)
            raise KeyError("a defect")
        return await land(scm, merge)

    seen: list[Merge] = []
    monkeypatch.setattr(LocalScm, "land", sometimes)
    first, second = fleet.add("First"), fleet.add("Second")
    await until_idle(fleet)
    assert fleet.queue.find(first.id)[0] is Status.BLOCKED  # type: ignore[index]
    assert "KeyError" in fleet.queue.note(first.id)
    assert "git -C" in fleet.queue.note(first.id), "its work is kept, and the note says where"
    assert fleet.queue.find(second.id)[0] is Status.DONE  # type: ignore[index]
    await nothing_left(fleet)


async def test_fault_after_the_start_leaves_no_agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = await make_fleet(tmp_path, settings=PATIENT)
    fleet.agent(WAITS)

    async def broken(_: LocalScm) -> str:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(LocalScm, "origin_state", broken)
    task = fleet.add("Cannot look")
    await until_idle(fleet)
    assert "Input/output" in fleet.queue.note(task.id)
    await nothing_left(fleet)
    await no_server_left(fleet)
