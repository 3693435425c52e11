"""The private tmux server: hostile screens and names, lost clients and servers, long paths, and who outlives whom."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import libtmux
import psutil
import pytest

from omni_tui.plugins.runtime import records
from omni_tui.plugins.runtime.control_mode import ControlClient, TmuxGoneError, TmuxRefusedError, quote
from omni_tui.plugins.runtime.protocol import Handle
from omni_tui.plugins.runtime.sockets import socket_path
from omni_tui.plugins.runtime.tmux import TmuxRuntime
from tests.support.runtimes import Bench, wait_for_screen
from tests.support.waiting import wait_for_async


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench("tmux", tmp_path / "fleet")
    yield made
    await made.clean_up()


@pytest.fixture
def runtime(bench: Bench) -> TmuxRuntime:
    made = bench.runtime()
    assert isinstance(made, TmuxRuntime)
    return made


def server_of(bench: Bench) -> libtmux.Server:
    return libtmux.Server(socket_path=bench.root / "tmux.sock")


@pytest.mark.parametrize(
    "word", ["", "a b", "it's", '"', "$HOME", "#(id)", "\\", "a;b", "~", "{x}", "a\nb\tc", "-R", "é%1"]
)
async def test_every_word_reaches_tmux_as_it_is(bench: Bench, runtime: TmuxRuntime, word: str) -> None:
    await bench.start(runtime, "say", "here")
    client = await runtime._server.client()
    _, answer = await client.run(("set-option", "-g", "@word", word), ("show-options", "-gv", "@word"))
    assert "\n".join(answer) == word
    assert "\n" not in quote(word)


async def test_a_screen_that_imitates_answers_changes_none(bench: Bench, runtime: TmuxRuntime) -> None:
    forged = [f"%{kind} 1795226798 {number} 1" for number in range(300, 330) for kind in ("end", "error", "begin")]
    handle = await bench.start(runtime, "say", *forged, "%exit", "below")
    lines = await wait_for_screen(runtime, handle, "below")
    assert [line for line in lines if line in forged] == forged
    assert (await runtime.screen(handle)).rows == 36


async def test_one_refused_command_spoils_no_other(bench: Bench, runtime: TmuxRuntime) -> None:
    handle = await bench.start(runtime, "say", "here")
    client = await runtime._server.client()
    refused, shown = await asyncio.gather(
        client.run(("no-such-command",)), wait_for_screen(runtime, handle, "here"), return_exceptions=True
    )
    assert isinstance(refused, TmuxRefusedError)
    assert shown == ("here",)


async def test_a_hostile_name_runs_nothing(bench: Bench, runtime: TmuxRuntime, tmp_path: Path) -> None:
    name = f"#(touch {tmp_path / 'run'}) '; kill-server; $(id) \x1b]0;x\x07"
    handle = await bench.start(runtime, "say", "here", name=name)
    await wait_for_screen(runtime, handle, "here")
    client = await runtime._server.client()
    await client.run(("display-message", "-p", "-t", handle.pane, "#{E:window_name} #{window_name}"))
    assert not (tmp_path / "run").exists()
    assert runtime.alive(handle)


async def test_a_lost_client_is_replaced(bench: Bench, runtime: TmuxRuntime) -> None:
    handle = await bench.start(runtime, "say", "here")
    client = await runtime._server.client()
    assert client._transport is not None
    os.kill(client._transport.get_pid(), signal.SIGKILL)
    await wait_for_async(lambda: not client.connected, "the client's end is seen")
    await wait_for_screen(runtime, handle, "here")


async def test_agents_end_with_the_server_and_are_known_to(bench: Bench, runtime: TmuxRuntime) -> None:
    handle = await bench.start(runtime, "say", "here")
    await wait_for_screen(runtime, handle, "here")
    server_of(bench).kill()
    await asyncio.wait_for(runtime.wait(handle), 10)
    assert (await runtime.screen(handle)).lines == ()
    with pytest.raises(TmuxGoneError):
        await runtime._server.client()


async def test_agents_that_just_start_end_with_the_server_too(bench: Bench, runtime: TmuxRuntime) -> None:
    """The hang-up finds each start at another place; what it does not end would go on without a terminal."""
    for run in range(20):
        handle = await bench.start(runtime, "say", "here", run=str(run))
        os.kill(runtime._server._pid, signal.SIGKILL)
        await asyncio.wait_for(runtime.wait(handle), 10)


@pytest.mark.parametrize("asked", ["screen", "pulse", "release"])
async def test_a_server_that_ends_in_the_middle_is_no_fault(
    bench: Bench, runtime: TmuxRuntime, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    handle = await bench.start(runtime, *(("exit-with", "0") if asked == "release" else ("say", "here")))
    if asked == "release":
        await asyncio.wait_for(runtime.wait(handle), 10)
    find = runtime._client_of

    async def find_and_end(wanted: Handle) -> ControlClient | None:
        client = await find(wanted)
        if client is not None:
            os.kill(runtime._server._pid, signal.SIGKILL)
        return client

    monkeypatch.setattr(runtime, "_client_of", find_and_end)
    await getattr(runtime, asked)(handle)


async def test_an_old_pane_s_number_means_no_other_agent(bench: Bench, runtime: TmuxRuntime) -> None:
    old = await bench.start(runtime, "say", "old")
    server_of(bench).kill()
    await asyncio.wait_for(runtime.wait(old), 10)
    new = await bench.start(runtime, "parrot", run="2")
    assert new.pane == old.pane
    assert (await runtime.screen(old)).lines == ()
    await runtime.release(old)
    assert runtime.alive(new)


async def test_other_clients_leave_agents_sessions_alone(bench: Bench, runtime: TmuxRuntime) -> None:
    handle = await bench.start(runtime, "say", "here")
    for _ in range(5):
        other = bench.runtime()
        await wait_for_screen(other, handle, "here")
        await other.close()
    assert runtime.alive(handle)
    await wait_for_screen(runtime, handle, "here")


async def test_an_orchestrator_that_is_killed_leaves_no_holder(bench: Bench, runtime: TmuxRuntime) -> None:
    handle = await bench.start(runtime, "say", "here")
    client = await runtime._server.client()
    assert client._transport is not None
    os.kill(client._transport.get_pid(), signal.SIGKILL)
    server = server_of(bench)
    await wait_for_async(lambda: len(server.sessions) == 1, "only the agent's session is left")
    assert runtime.alive(handle)


async def test_looking_starts_no_server(bench: Bench, runtime: TmuxRuntime) -> None:
    run_dir = bench.launch("say").run_dir
    gone = Handle(runtime="tmux", name="x", run_dir=str(run_dir), pid=1, process_started=0.0, boot_id="x", pane="%1")
    assert (await runtime.screen(gone)).lines == ()
    await runtime.release(gone)
    assert not server_of(bench).is_alive()


async def test_a_start_cut_off_after_its_window_finds_that_window(bench: Bench, runtime: TmuxRuntime) -> None:
    handle = await bench.start(runtime, "say", "here")
    await wait_for_screen(runtime, handle, "here")
    await wait_for_async(lambda: not (Path(handle.run_dir) / "launch.sh").exists(), "launch.sh is removed")
    record = (Path(handle.run_dir) / "process").read_text()
    (Path(handle.run_dir) / "process").unlink()
    (Path(handle.run_dir) / "launch.sh").write_text("")
    second = asyncio.create_task(bench.runtime().start(bench.launch("say", "another")))
    await asyncio.sleep(0.1)
    assert not second.done()
    (Path(handle.run_dir) / "process").write_text(record)
    assert await asyncio.wait_for(second, 10) == handle


async def test_boxes_are_drawn(bench: Bench, runtime: TmuxRuntime) -> None:
    handle = await bench.start(runtime, "sh", "-c", r"printf '\033(0lqk\033(B end\n'; sleep 100")
    assert await wait_for_screen(runtime, handle, "end") == ("┌─┐ end",)


async def test_a_fleet_far_down_has_a_short_socket(tmp_path: Path) -> None:
    bench = Bench("tmux", tmp_path / ("deep" * 30))
    assert len(os.fsencode(socket_path(bench.root / "tmux.sock"))) <= 103
    runtime = bench.runtime()
    handle = await bench.start(runtime, "say", "here")
    await wait_for_screen(runtime, handle, "here")
    await bench.clean_up()
    socket_path(bench.root / "tmux.sock").unlink(missing_ok=True)


def test_a_record_without_its_newline_is_none(tmp_path: Path) -> None:
    (tmp_path / "process").write_text("123 456 boot namespace %1")
    (tmp_path / "exit").write_text("")
    assert records.read_process(tmp_path) is None
    assert records.read_exit(tmp_path) is None


async def test_a_client_that_nobody_waits_for_any_more_is_killed() -> None:
    connecting = asyncio.create_task(ControlClient.connect(["/bin/sh", "-c", "exec sleep 1234", "sh"]))
    started = await wait_for_async(
        lambda: [each for each in psutil.Process().children() if "1234" in each.cmdline()], ""
    )
    connecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connecting
    await wait_for_async(lambda: not started[0].is_running() or started[0].status() == psutil.STATUS_ZOMBIE, "its end")


async def test_a_client_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = 'for word; do :; done; printf "%%begin 1\\n%%end 1\\n%s\\n" "$word"; exec sleep 1000'
    client = await ControlClient.connect(["/bin/sh", "-c", answers, "sh"])
    monkeypatch.setattr("omni_tui.plugins.runtime.control_mode._ANSWER_SECONDS", 0.1)
    await client.close()
    assert not client.connected
