"""A kill ends everything that an agent started, and proves it: by namespace, and by marker where there is none."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from omni_tui.errors import RuntimeFailedError
from omni_tui.plugins.runtime import killing, wrapped
from omni_tui.plugins.runtime.isolation import MARKER, isolation
from tests.support.runtimes import Bench, wait_for_screen, with_landlock
from tests.support.waiting import wait_for_async

SLEEPER = "31415926"
"""Seconds that nobody else sleeps, so that these sleepers are found by their command line."""


@pytest.fixture(
    params=["tmux", "process", "tmux/bwrap", "process/bwrap", "tmux/proxy", *with_landlock("tmux/landlock")]
)
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(request.param, tmp_path / "fleet")
    yield made
    await made.clean_up()


@pytest.fixture
def by_marker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wrapped, "isolation", lambda: MARKER)


without_namespace = pytest.mark.parametrize(
    "bench", ["tmux", "process", *with_landlock("tmux/landlock", "process/landlock")], indirect=True
)
"""Bubblewrap has a PID namespace of its own and needs no marker."""


def sleepers(tag: str) -> list[int]:
    """Return the live processes `sleep SLEEPER.tag`."""
    command = ["sleep", f"{SLEEPER}.{tag}"]
    return [process.pid for process in psutil.process_iter(["cmdline"]) if process.info["cmdline"] == command]


def test_this_machine_has_namespaces() -> None:
    assert isolation().method == "namespace", "or the tests below prove less than they say"


async def test_children_in_other_sessions_with_a_scrubbed_environment_die(bench: Bench) -> None:
    runtime, tag = bench.runtime(), str(os.getpid())
    sleep = f"sleep {SLEEPER}.{tag}"
    script = (
        f"trap '' TERM HUP; setsid {sleep} & setsid env -i {sleep} & (setsid sh -c '{sleep} & {sleep}' &);"
        f" nohup env -i {sleep} & echo started; {sleep}"
    )
    handle = await bench.start(runtime, "sh", "-c", script)
    await wait_for_async(lambda: len(sleepers(tag)) == 6, "all six sleep")
    receipt = await runtime.kill(handle, grace=0.1)
    assert receipt.method == "namespace"
    assert sleepers(tag) == []


async def test_a_fork_bomb_is_put_out(bench: Bench) -> None:
    runtime, tag = bench.runtime(), f"1{os.getpid()}"
    child = f"setsid sh -c 'trap \"\" TERM; sleep {SLEEPER}.{tag}'"
    script = f"trap '' TERM; n=0; while [ $n -lt 60 ]; do {child} & n=$((n+1)); done; wait"
    handle = await bench.start(runtime, "sh", "-c", script)
    await wait_for_async(lambda: len(sleepers(tag)) > 10, "it spreads")
    await runtime.kill(handle, grace=0)
    assert sleepers(tag) == []


async def test_what_an_agent_leaves_behind_ends_with_it(bench: Bench) -> None:
    runtime, tag = bench.runtime(), f"2{os.getpid()}"
    handle = await bench.start(runtime, "sh", "-c", f"setsid env -i sleep {SLEEPER}.{tag} & exit 5")
    assert (await asyncio.wait_for(runtime.wait(handle), 10)).status == 5
    await wait_for_async(lambda: not sleepers(tag), "the kernel ends the namespace: bwrap does not wait for that", 1)


async def test_a_wrapper_killed_from_outside_takes_its_tree_along(bench: Bench) -> None:
    runtime, tag = bench.runtime(), f"3{os.getpid()}"
    handle = await bench.start(runtime, "sh", "-c", f"setsid env -i sleep {SLEEPER}.{tag} & wait")
    await wait_for_async(lambda: sleepers(tag), "it sleeps")
    os.kill(handle.pid, signal.SIGKILL)
    ended = await asyncio.wait_for(runtime.wait(handle), 10)
    assert ended.status in (None, 129)  # the kernel hangs up the terminal of a dead session leader: init may record it
    await wait_for_async(lambda: not sleepers(tag), "the kernel ends the namespace")
    later = await bench.runtime().wait(handle)
    assert later == ended or later.status is None, "what a lost terminal made of it is nobody's exit status"


async def test_a_kill_right_after_the_start_leaves_nothing(bench: Bench) -> None:
    runtime, tag = bench.runtime(), f"4{os.getpid()}"
    for number in range(10):
        handle = await bench.start(runtime, "sleep", f"{SLEEPER}.{tag}", run=str(number))
        await runtime.kill(handle, grace=0)
        assert not runtime.alive(handle)
        assert sleepers(tag) == []


async def test_the_agent_gets_time_to_end_well(bench: Bench, tmp_path: Path) -> None:
    runtime, note = bench.runtime(), tmp_path / "note"
    script = f"trap 'sleep 0.2; echo saved > {note}; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
    handle = await bench.start(runtime, "sh", "-c", script)
    await wait_for_screen(runtime, handle, "ready")
    receipt = await runtime.kill(handle, grace=10)
    assert note.read_text() == "saved\n"
    assert receipt.seconds >= 0.2
    assert (await runtime.wait(handle)).status == 0


@without_namespace
async def test_by_marker_children_in_other_sessions_die(bench: Bench, by_marker: None) -> None:
    runtime, tag = bench.runtime(), f"5{os.getpid()}"
    sleep = f"sleep {SLEEPER}.{tag}"
    script = (
        f"trap '' TERM HUP; setsid {sleep} & (setsid env -i sh -c '{sleep} & {sleep}' &); env -i {sleep} &"
        f" (setsid env -i sh -c '(setsid env -i {sleep} &)' &); {sleep}"
    )
    handle = await bench.start(runtime, "sh", "-c", script)
    await wait_for_async(lambda: len(sleepers(tag)) == 6, "all six sleep")
    receipt = await runtime.kill(handle, grace=0.1)
    assert receipt.method == "marker"
    assert sleepers(tag) == []


@without_namespace
async def test_by_marker_orphans_of_an_ended_agent_die(bench: Bench, by_marker: None) -> None:
    runtime, tag = bench.runtime(), f"6{os.getpid()}"
    script = f"trap '' HUP; (setsid env -i sh -c '(sleep {SLEEPER}.{tag} &)'; sleep 0.1); exit 4"
    handle = await bench.start(runtime, "sh", "-c", script)
    assert (await asyncio.wait_for(runtime.wait(handle), 10)).status == 4
    assert sleepers(tag) == []
    assert (await runtime.kill(handle, grace=0)).method == "gone"


@without_namespace
async def test_by_marker_orphans_of_a_killed_reaper_die(bench: Bench, by_marker: None) -> None:
    runtime, tag = bench.runtime(), f"8{os.getpid()}"
    handle = await bench.start(runtime, "sh", "-c", f"trap '' HUP; setsid sleep {SLEEPER}.{tag} & wait")
    await wait_for_async(lambda: len(sleepers(tag)) == 1, "it sleeps")
    os.kill(handle.pid, signal.SIGKILL)
    await asyncio.wait_for(runtime.wait(handle), 10)
    assert len(sleepers(tag)) == 1
    assert (await runtime.kill(handle, grace=0)).method == "marker"
    assert sleepers(tag) == []


async def test_survivors_are_named(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime, tag = bench.runtime(), f"7{os.getpid()}"
    handle = await bench.start(runtime, "sleep", f"{SLEEPER}.{tag}")
    await wait_for_async(lambda: sleepers(tag), "it sleeps")
    with monkeypatch.context() as disarmed:
        disarmed.setattr(killing, "_signal", lambda number, pids: None)
        disarmed.setattr(killing, "_PROOF_SECONDS", 0.2)
        with pytest.raises(RuntimeFailedError, match=str(sleepers(tag)[0])):
            await runtime.kill(handle, grace=0)
    assert runtime.alive(handle)


def proxies_of(bench: Bench) -> list[int]:
    """Return the processes between the wrappers of a bench and its sandboxes, by their command line."""
    marks = ("plugins/proxy/program.py", str(bench.root))
    found = psutil.process_iter(["cmdline"])
    return [
        each.pid for each in found if all(any(mark in word for word in each.info["cmdline"] or ()) for mark in marks)
    ]


in_proxy = pytest.mark.parametrize("bench", ["tmux/proxy", "process/proxy"], indirect=True)


@in_proxy
async def test_a_proxy_that_is_stuck_is_ended_too(bench: Bench) -> None:
    runtime, tag = bench.runtime(), f"8{os.getpid()}"
    handle = await bench.start(runtime, "sleep", f"{SLEEPER}.{tag}")
    await wait_for_async(lambda: sleepers(tag), "it sleeps")
    (proxy, *_) = proxies_of(bench)
    os.kill(proxy, signal.SIGSTOP)
    receipt = await runtime.kill(handle, grace=0.2)
    assert (receipt.method, receipt.survivors) == ("namespace", ())
    assert sleepers(tag) == proxies_of(bench) == []


@in_proxy
@pytest.mark.parametrize("victim", ["wrapper", "proxy"])
async def test_whatever_ends_first_takes_the_others_along(bench: Bench, victim: str) -> None:
    runtime, tag = bench.runtime(), f"9{os.getpid()}"
    script = f"trap '' HUP; setsid env -i sleep {SLEEPER}.{tag} & while :; do sleep 1; done"  # deaf to a lost terminal
    handle = await bench.start(runtime, "sh", "-c", script)
    await wait_for_async(lambda: sleepers(tag), "it sleeps")
    os.kill(handle.pid if victim == "wrapper" else proxies_of(bench)[0], signal.SIGKILL)
    await asyncio.wait_for(runtime.wait(handle), 10)
    await wait_for_async(lambda: not sleepers(tag) and not proxies_of(bench), "the kernel ends the others")


@in_proxy
async def test_a_wrapper_that_ends_before_its_proxy_has_begun_leaves_nothing(bench: Bench) -> None:
    runtime, tag = bench.runtime(), f"0{os.getpid()}"
    for number in range(10):
        handle = await bench.start(runtime, "sleep", f"{SLEEPER}.{tag}", run=str(number))
        os.kill(handle.pid, signal.SIGKILL)
        await asyncio.wait_for(runtime.wait(handle), 10)
    await wait_for_async(lambda: not sleepers(tag) and not proxies_of(bench), "nothing is left")
