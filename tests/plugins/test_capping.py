"""Caps: trees of real processes in control groups of their own, what becomes of those, and the way without them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from omni_tui.model.footprint import Caps
from omni_tui.plugins import cgroups
from omni_tui.plugins.cgroups import Home, Membership, homes, memberships
from omni_tui.plugins.runtime import capping
from omni_tui.plugins.runtime.protocol import Handle, Runtime
from tests.support.runtimes import Bench, wait_for_screen
from tests.support.waiting import wait_for_async

DIVIDED = not isinstance(homes(), str)
CAPS = Caps(memory_mb=200, processes=20, cpus=0.5)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench("tmux", tmp_path / "fleet")
    yield made
    await made.clean_up()


async def start(bench: Bench, runtime: Runtime, *argv: str, caps: Caps = CAPS, run: str = "1") -> Handle:
    handle = await runtime.start(msgspec.structs.replace(bench.launch(*argv, run=run), caps=caps))
    bench.started.append(handle)
    return handle


def named(directory: Path) -> list[Path]:
    file = directory / "groups"
    return [Path(line) for line in file.read_text().splitlines()] if file.exists() else []


def among(cases: list[str]) -> list[str]:
    """Return `cases` where this machine has control groups to divide; what is so without them is tested below."""
    return cases if DIVIDED else []


@pytest.mark.parametrize("how", among(["release", "a killed owner"]))
async def test_nothing_is_left_of_its_groups(bench: Bench, how: str) -> None:
    runtime = bench.runtime()
    handle = await start(bench, runtime, "eat", "20")
    await wait_for_screen(runtime, handle, "ate")
    groups = named(Path(handle.run_dir))
    assert groups
    assert all(group.is_dir() for group in groups)
    assert all((group / "cgroup.procs").read_text().strip() for group in groups), "all of its tree is in each"
    await bench.runtime().sweep()
    assert all(group.is_dir() for group in groups), "it lives: its groups are not swept"
    await runtime.kill(handle, grace=0)
    if how == "release":
        await runtime.release(handle)
    else:
        await wait_for_async(lambda: not runtime.alive(handle), "it has ended")
        await bench.runtime().sweep()
    assert not any(group.parent.is_dir() for group in groups)
    await bench.runtime().sweep()
    assert named(bench.root) == []


@pytest.mark.parametrize("fault", among(["too many processes"]))
async def test_a_tree_gets_no_more_processes_than_its_cap(bench: Bench, fault: str) -> None:
    runtime = bench.runtime()
    handle = await start(bench, runtime, "breed", "60", caps=Caps(processes=12))
    await wait_for_screen(runtime, handle, "fork")
    use = (await runtime.measure([handle]))[handle.run_dir]
    assert use.processes <= 12, fault


@pytest.mark.parametrize("program", among(["spin"]))
async def test_a_tree_gets_no_more_of_the_processors_than_its_cap(bench: Bench, program: str) -> None:
    runtime = bench.runtime()
    handle = await start(bench, runtime, program, caps=Caps(cpus=0.2))
    loop = asyncio.get_running_loop()
    began, before = loop.time(), (await runtime.measure([handle]))[handle.run_dir].cpu_seconds
    await asyncio.sleep(1.5)
    used = (await runtime.measure([handle]))[handle.run_dir].cpu_seconds - before
    assert 0 < used < 0.35 * (loop.time() - began)


@pytest.mark.parametrize("child", among(["a child of it"]))
async def test_what_a_child_ate_is_told_though_the_agent_goes_on(bench: Bench, child: str) -> None:
    runtime = bench.runtime()
    script = f"{bench.root}/bin/eat 400; echo went on; exec sleep 1000"
    handle = await start(bench, runtime, "sh", "-c", script, caps=Caps(memory_mb=100))
    await wait_for_screen(runtime, handle, "went on")
    assert (await runtime.measure([handle]))[handle.run_dir].killed == 1, child
    assert runtime.alive(handle)


async def test_without_groups_the_data_of_each_process_is_limited_and_that_is_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capping, "homes", lambda: "none are ours")
    runtime = bench.runtime()
    within = await start(bench, runtime, "eat", "30", run="1")
    await wait_for_screen(runtime, within, "ate")
    assert (await runtime.measure([within]))[within.run_dir].uncapped
    beyond = await start(bench, runtime, "eat", "900", run="2")
    ended = await asyncio.wait_for(runtime.wait(beyond), 10)
    assert (ended.status, ended.over_mb) == (1, 0), "a MemoryError, which nobody can tell from another"


async def test_a_group_that_cannot_be_entered_is_told(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def claim(root: Path, run_dir: Path, caps: Caps) -> bool:
        (run_dir / "groups").write_text(f"{bench.root}/omni-tui-gone\n")
        return True

    monkeypatch.setattr(capping, "hold", claim)
    runtime = bench.runtime()
    handle = await start(bench, runtime, "say", "here")
    await wait_for_screen(runtime, handle, "here")
    assert (await runtime.measure([handle]))[handle.run_dir].uncapped


# -- where groups may be made, on made-up hierarchies ------------------------------------------------------------------

HYBRID = """\
30 23 0:26 / {top}/memory rw,relatime shared:9 - cgroup cgroup rw,memory
31 23 0:27 / {top}/pids rw,relatime shared:10 - cgroup cgroup rw,pids
32 23 0:28 /docker/x {top}/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct
33 23 0:29 / {top}/unified rw,relatime - cgroup2 cgroup2 rw
34 23 0:30 / /proc rw - proc proc rw
"""


def process(tmp_path: Path, groups: str, mounts: str) -> Path:
    directory = tmp_path / "self"
    directory.mkdir()
    (directory / "cgroup").write_text(groups)
    (directory / "mountinfo").write_text(mounts.format(top=tmp_path))
    return directory


def test_each_controller_of_version_1_is_found_where_it_is_mounted(tmp_path: Path) -> None:
    for name in ("memory/ours", "pids", "cpu/deep", "unified"):
        (tmp_path / name).mkdir(parents=True)
    groups = "9:memory:/ours\n8:pids:/\n2:cpu,cpuacct:/docker/x/deep\n0::/\n"
    found = process(tmp_path, groups, HYBRID)
    paths = {name: each.path for each in memberships(found) for name in each.controllers}
    assert paths == {
        "memory": tmp_path / "memory/ours",
        "pids": tmp_path / "pids",
        "cpu": tmp_path / "cpu/deep",
        "cpuacct": tmp_path / "cpu/deep",
    }
    there = homes(found)
    assert not isinstance(there, str)
    assert [home.version for home in there] == [1, 1, 1]


def unified(tmp_path: Path, path: str, *, enabled: str, procs: str) -> Path:
    group = tmp_path / path.lstrip("/")
    group.mkdir(parents=True, exist_ok=True)
    for directory in {group, tmp_path}:
        (directory / "cgroup.controllers").write_text("cpuset cpu io memory pids\n")
        (directory / "cgroup.subtree_control").write_text(enabled)
        (directory / "cgroup.procs").write_text(procs)
    mounts = "33 23 0:29 / {top} rw,relatime - cgroup2 cgroup2 rw\n"
    return process(tmp_path, f"0::{path}\n", mounts)


def test_a_divided_group_of_version_2_is_taken_as_it_is(tmp_path: Path) -> None:
    found = unified(tmp_path, "/user/us", enabled="cpu memory pids", procs="")
    wanted = frozenset({"cpu", "memory", "pids"})
    assert homes(found) == [Home(version=2, controllers=wanted, path=tmp_path / "user/us")]


def test_where_we_stepped_aside_the_group_above_is_ours(tmp_path: Path) -> None:
    found = unified(tmp_path, f"/scope/{cgroups.ASIDE}", enabled="", procs="")
    (tmp_path / "scope" / "cgroup.subtree_control").write_text("cpu memory pids")
    there = homes(found)
    assert not isinstance(there, str)
    assert there[0].path == tmp_path / "scope"


def test_what_is_not_ours_is_not_divided_and_the_way_out_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = unified(tmp_path, "/user/us", enabled="", procs="1 2 3")
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "systemd-run --user --scope -p Delegate=yes" in str(homes(found))
    assert homes(tmp_path / "none") == "no control groups here"


def test_the_bounds_are_written_in_the_words_of_version_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(version=2, controllers=frozenset({"cpu", "memory", "pids"}), path=tmp_path)
    monkeypatch.setattr(capping, "homes", lambda: [home])
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    assert capping.hold(tmp_path, run_dir, Caps(memory_mb=500, processes=64, cpus=1.5))
    [group] = named(run_dir)
    written = {file.name: file.read_text() for file in group.iterdir()}
    assert written == {
        "memory.max": "500000000",
        "memory.swap.max": "0",
        "pids.max": "64",
        "cpu.max": "150000 100000",
    }
    assert (group.parent / "cgroup.subtree_control").read_text() == "+cpu +memory +pids"
    (group / "memory.events").write_text("low 0\nhigh 0\nmax 7\noom 1\noom_kill 1\n")
    (group / "memory.stat").write_text("anon 480000000\nfile 1\nshmem 1000000\n")
    (group / "cpu.stat").write_text("usage_usec 2500000\nuser_usec 1\n")
    (group / "cgroup.procs").write_text("11\n12\n")
    use = capping.use(run_dir)
    assert use is not None
    assert (use.memory_mb, use.cpu_seconds, use.processes, use.killed) == (481.0, 2.5, 2, 1)
    assert capping.passed(run_dir) == 500.0


def test_membership_is_plain_data() -> None:
    group = Membership(version=2, controllers=frozenset({"memory"}), path=Path("/x"), top=Path("/"))
    assert cgroups.memory_left([group]) is None
