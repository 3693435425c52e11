"""What an agent is started with, and what the wrapper keeps to itself."""

from __future__ import annotations

import asyncio
import signal
import stat
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import psutil
import pytest

from omni_tui.errors import RuntimeFailedError
from omni_tui.plugins.runtime import records, wrapped
from omni_tui.plugins.runtime.isolation import MARKER
from omni_tui.plugins.runtime.tmux import TmuxRuntime
from tests.support.runtimes import Bench, wait_for_screen
from tests.support.waiting import wait_for, wait_for_async

AWKWARD = "a 'b' \"c\" $HOME `id` \\ \n #(touch x) ; & % é \x01"


@pytest.fixture(params=["tmux", "process", "tmux/bwrap", "process/bwrap"])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(request.param, tmp_path / "fleet")
    yield made
    await made.clean_up()


async def run(bench: Bench, *argv: str, run: str = "1", **env: str) -> int | None:
    """Run `argv` to its end and return its status."""
    runtime = bench.runtime()
    handle = await bench.start(runtime, *argv, run=run, **env)
    return (await asyncio.wait_for(runtime.wait(handle), 20)).status


async def test_the_environment_is_the_launch_s_and_the_terminal_s_name(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_OURS", "s3cret")
    out = tmp_path / "env"
    assert await run(bench, "sh", "-c", f"exec env -0 > {out}", AWKWARD=AWKWARD, EMPTY="") == 0
    seen = dict(item.split("=", 1) for item in out.read_bytes().decode().split("\0") if item)
    # `sh` sets PWD for its own children; bash as sh also _ and SHLVL.
    assert set(seen) - {"PWD", "_", "SHLVL", "OLDPWD"} == {"PATH", "AWKWARD", "EMPTY", "TERM"}
    assert seen["AWKWARD"] == AWKWARD
    assert seen["EMPTY"] == ""


async def test_awkward_arguments_and_directories_arrive_as_they_are(bench: Bench, tmp_path: Path) -> None:
    out, where = tmp_path / "argv", tmp_path / "it's a #(dir) $x;\n%"
    where.mkdir()
    runtime = bench.runtime()
    launch = bench.launch("sh", "-c", f'printf "%s\\0" "$PWD" "$@" > {out}', "sh", AWKWARD, "", "-R", "x" * 100_000)
    handle = await runtime.start(
        type(launch)(**{**{f: getattr(launch, f) for f in launch.__struct_fields__}, "cwd": where})
    )
    bench.started.append(handle)
    assert (await asyncio.wait_for(runtime.wait(handle), 20)).status == 0
    assert out.read_bytes().decode().split("\0")[:-1] == [str(where), AWKWARD, "", "-R", "x" * 100_000]


async def test_an_agent_that_ended_at_once_leaves_no_environment(bench: Bench) -> None:
    """The removal runs beside it, and may be ended with it before it has come to anything."""
    runtime = bench.runtime()
    handle = await bench.start(runtime, "say", "up")
    await runtime.kill(handle, grace=0)
    left = Path(handle.run_dir) / "launch.sh"
    left.write_text("export KEY=sk-made-up-98765\n")
    await runtime.release(handle)
    assert not left.exists()


async def test_secrets_are_on_no_command_line_and_soon_on_no_disk(bench: Bench) -> None:
    runtime, secret = bench.runtime(), "sk-made-up-98765"
    handle = await bench.start(runtime, "say", "up", KEY=secret)
    await wait_for_screen(runtime, handle, "up")
    lines = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    assert not any(secret in line for line in lines)
    await wait_for_async(lambda: not (Path(handle.run_dir) / "launch.sh").exists(), "launch.sh is removed")
    kept = [path.read_bytes() for path in Path(handle.run_dir).iterdir() if path.is_file()]
    assert kept
    assert not any(secret.encode() in content for content in kept)


def test_launch_sh_is_for_its_owner_only(tmp_path: Path) -> None:
    bench = Bench("fake", tmp_path / "fleet")
    records.write_launch(bench.launch("true"), terminal="dumb", marked=False)
    assert stat.S_IMODE((tmp_path / "fleet/runs/1/launch.sh").stat().st_mode) == 0o600


@pytest.mark.parametrize("env", [{"A-B": "x"}, {"A": "x\0y"}, {"1A": "x"}, {"A=B": "x"}])
async def test_a_variable_that_cannot_be_passed_on_is_refused(bench: Bench, env: dict[str, str]) -> None:
    with pytest.raises(RuntimeFailedError):
        await bench.runtime().start(bench.launch("say", "up", **env))


async def test_a_missing_directory_is_refused(bench: Bench, tmp_path: Path) -> None:
    launch = bench.launch("say", "up")
    gone = type(launch)(**{**{f: getattr(launch, f) for f in launch.__struct_fields__}, "cwd": tmp_path / "gone"})
    with pytest.raises(RuntimeFailedError, match="gone"):
        await bench.runtime().start(gone)


async def test_an_agent_sees_its_own_processes_only(bench: Bench, tmp_path: Path) -> None:
    out = tmp_path / "ps"
    await run(bench, "sh", "-c", f"echo /proc/[0-9]* > {out}")
    assert len(out.read_text().split()) < 5


def test_nothing_starts_where_its_parent_has_died_before(tmp_path: Path) -> None:
    """A killed server can end `unshare` before its child has asked the kernel to die with it."""
    bench, run_dir = Bench("fake", tmp_path / "fleet"), tmp_path / "fleet/runs/1"
    out, status = tmp_path / "started", tmp_path / "status"
    records.write_launch(bench.launch("touch", str(out)), terminal="dumb", marked=False)
    orphan = 'while kill -0 "$$" 2>/dev/null; do :; done; "$@"; echo $? >"$0"'
    unshare = ("sh", "-c", f"({orphan}) & kill -KILL $$", str(status))
    claim = ("/bin/sh", str(records.WRAPPER), "claim", str(run_dir), "boot", "namespace", "-", *unshare)
    assert subprocess.run(claim, check=False).returncode == -signal.SIGKILL
    wait_for(lambda: status.exists() and status.read_text() == "125\n", "the orphan has ended")
    assert not out.exists()
    assert not (run_dir / "exit").exists()


async def test_ctrl_c_reaches_the_agent_and_its_end_is_recorded(bench: Bench) -> None:
    runtime = bench.runtime()
    handle = await bench.start(
        runtime, "sh", "-c", "trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.1; done"
    )
    await wait_for_screen(runtime, handle, "ready")
    await press_ctrl_c(bench, runtime, handle)
    assert (await asyncio.wait_for(runtime.wait(handle), 10)).status == 9


async def test_by_marker_ctrl_c_leaves_the_witness(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wrapped, "isolation", lambda: MARKER)
    runtime = bench.runtime()
    handle = await bench.start(runtime, "say", "ready")
    await wait_for_screen(runtime, handle, "ready")
    await press_ctrl_c(bench, runtime, handle)
    assert (await asyncio.wait_for(runtime.wait(handle), 10)).status == 130


async def press_ctrl_c(bench: Bench, runtime: object, handle: object) -> None:
    """Press the key itself: `send` leaves control characters out."""
    if isinstance(runtime, TmuxRuntime):
        client = await runtime._server.client()
        await client.run(("send-keys", "-t", handle.pane, "C-c"))  # type: ignore[attr-defined]
    else:
        runtime._agents[handle.run_dir].session.write(b"\x03")  # type: ignore[attr-defined]


async def test_a_shell_has_job_control(bench: Bench) -> None:
    runtime = bench.runtime()
    handle = await bench.start(runtime, "bash", "--norc", "-i", PS1="$ ")
    await runtime.send(handle, "sleep 100 & jobs; echo status=$?")
    lines = await wait_for_screen(runtime, handle, "status=0")
    assert not any("no job control" in line for line in lines)
    await runtime.send(handle, "kill %1; exit 3")
    assert (await asyncio.wait_for(runtime.wait(handle), 10)).status == 3


async def test_a_program_learns_its_new_size(bench: Bench) -> None:
    runtime = bench.runtime()
    handle = await bench.start(
        runtime, "bash", "-c", "trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done"
    )
    await wait_for_screen(runtime, handle, "ready")
    await runtime.resize(handle, 90, 20)
    await wait_for_screen(runtime, handle, "20 90")


async def test_a_megabyte_is_typed_whole(bench: Bench, tmp_path: Path) -> None:
    runtime, out = bench.runtime(), tmp_path / "typed"
    text = "".join(f"line {number} {'x' * 90}\n" for number in range(10_500))
    assert len(text) > 1_000_000
    script = f"stty raw -echo; echo ready; head -c {len(text)} > {out}; echo done; sleep 100"
    handle = await bench.start(runtime, "sh", "-c", script)
    await wait_for_screen(runtime, handle, "ready")
    await runtime.send(handle, text, enter=False)
    await wait_for_screen(runtime, handle, "done", 30)
    assert out.read_text().replace("\r", "\n") == text


async def test_a_flood_of_output_does_not_hold_up_the_loop(bench: Bench) -> None:
    runtime = bench.runtime()
    handle = await bench.start(runtime, "sh", "-c", "yes 'a line of a flood that goes on and on'")
    await wait_for_screen(runtime, handle, "flood")
    loop, worst = asyncio.get_running_loop(), 0.0
    until = loop.time() + 1.5
    while loop.time() < until:
        before = loop.time()
        await asyncio.sleep(0.001)
        worst = max(worst, loop.time() - before)
    assert worst < 0.25
    assert (await runtime.screen(handle)).lines
    assert sum(path.stat().st_size for path in Path(handle.run_dir).iterdir() if path.is_file()) < 9 << 20
    await runtime.kill(handle, grace=0)


async def test_pane_log_is_bounded_and_holds_the_end(bench: Bench) -> None:
    runtime = bench.runtime(history_lines=100)
    handle = await bench.start(runtime, "sh", "-c", "seq 1 3000; read line")
    await wait_for_screen(runtime, handle, "3000")  # what nobody has read yet goes with a terminal's first process
    await runtime.send(handle, "")
    await asyncio.wait_for(runtime.wait(handle), 20)
    await runtime.release(handle)
    lines = (Path(handle.run_dir) / "pane.log").read_text().split()
    assert lines[-1] == "3000"
    assert 36 <= len(lines) <= 140


async def test_a_start_that_was_cut_off_before_its_window_is_made_up_for(bench: Bench) -> None:
    launch = bench.launch("say", "after all")
    (launch.run_dir / "launch.sh").write_text("half a scr")
    runtime = bench.runtime()
    handle = await bench.start(runtime, "say", "after all")
    await wait_for_screen(runtime, handle, "after all")


def test_a_second_wrapper_in_one_run_directory_starts_nothing(tmp_path: Path) -> None:
    run_dir, ran = tmp_path / "run", tmp_path / "ran"
    run_dir.mkdir()
    command = ("/bin/sh", str(records.WRAPPER), "claim", str(run_dir), "boot", "marker", "-")
    statuses = []
    for _ in range(2):
        (run_dir / "launch.sh").write_text(f"echo once >> {ran}\nexit 6\n")
        statuses.append(subprocess.run(command, capture_output=True).returncode)
    assert ran.read_text() == "once\n"
    assert statuses[1] != 0
    ended = records.read_exit(run_dir)
    assert ended is not None
    assert ended.status == 6


async def test_no_file_of_an_agent_passes_its_limit(bench: Bench, tmp_path: Path) -> None:
    """Whoever writes on is ended by the kernel, whatever child it is; the others go on."""
    out, runtime = tmp_path / "flood", bench.runtime()
    write = f"(head -c 3000000 /dev/zero > {out}) 2>/dev/null; echo $? > {tmp_path / 'status'}"
    launch = msgspec.structs.replace(bench.launch("sh", "-c", write), file_bytes=1_000_000)
    handle = await runtime.start(launch)
    bench.started.append(handle)
    assert (await asyncio.wait_for(runtime.wait(handle), 20)).status == 0
    assert 990_000 <= out.stat().st_size <= 1_000_448
    assert (tmp_path / "status").read_text() == f"{128 + signal.SIGXFSZ}\n"
