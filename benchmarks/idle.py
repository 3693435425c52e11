"""Idleness: what a fleet with twenty quiet agents costs while nothing happens, headless and with the cockpit open.

It runs in a PID namespace of its own. There the kernel's `ns_last_pid` counts every process and thread that anything
starts, however short it lives, and all that is left goes with the namespace's first process.
"""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from benchmarks.fleet import OMNI, PATIENCE, BenchFleet, Core, make_repository
from benchmarks.measure import Result, cpu_seconds, median

AGENTS = 20
SECONDS = 60.0
SAMPLES = 5
"""Minutes that are measured; the median counts."""
SETTLE_SECONDS = 10.0
"""For what a start leaves to be done in the background, such as spares."""
HEADLESS_PERCENT = 0.3
COCKPIT_PERCENT = 0.5
ANY_LOAD = "[load]\ncpu_pressure = 0\nload_per_core = 0\nmemory_pressure = 0\nio_pressure = 0\n"
"""What else the machine does must not keep the agents from starting."""
NAMESPACE = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc")
BARE = "import asyncio; asyncio.run(asyncio.sleep(1e6))"
"""The floor: an event loop that waits."""


def run(directory: Path) -> list[Result]:
    """Make the fleet, then measure it in a namespace of its own."""
    repository = directory / "repo.git"
    make_repository(repository, 50)
    config = f"[scheduler]\nslots = {AGENTS}\n[limits]\nstall_minutes = 1440\nwall_minutes = 1440\n{ANY_LOAD}"
    BenchFleet(directory / "fleet", repository, script="exec sleep 100000\n", config=config)
    argv = (*NAMESPACE, sys.executable, "-m", "benchmarks.idle", str(directory / "fleet"))
    ran = subprocess.run(argv, check=True, stdout=subprocess.PIPE)
    return msgspec.json.decode(ran.stdout, type=list[Result])


def inside(root: Path) -> list[Result]:
    """Measure, as the first process of the namespace."""
    subprocess.Popen((sys.executable, "-c", BARE))
    with headless(root) as core:
        for number in range(AGENTS):
            drop(root, f"t{number}")
        for _ in range(AGENTS):
            core.wait_for(lambda event: event["event"] == "attempt.phase" and event.get("phase") == "watch")
        results = quiet_minutes("headless, 20 quiet agents", core.process.pid, HEADLESS_PERCENT)
    with cockpit(root) as pid:
        results += quiet_minutes("cockpit, 20 quiet agents", pid, COCKPIT_PERCENT)
    return results


def drop(root: Path, task: str) -> None:
    """Let a task file appear in `todo/`."""
    made = root / f"{task}.md"
    made.write_text(f'+++\nid = "{task}"\ntitle = "Be quiet"\nagent = "bench"\n+++\n')
    made.rename(root / "workspaces" / "bench" / "queue" / "todo" / made.name)


def quiet_minutes(name: str, pid: int, limit: float) -> list[Result]:
    """Measure the CPU time of the fleet's processes, a minute at a time, and what they start, while nothing happens."""
    time.sleep(SETTLE_SECONDS)
    floor = next(process for process in processes() if BARE.encode() in cmdline(process))
    fleet = [process for process in processes() if process not in (os.getpid(), floor)]
    ours, bare, started = [], [], last_pid()
    for _ in range(SAMPLES):
        used, idle, began = total(fleet), total([floor]), time.monotonic()
        time.sleep(SECONDS)
        took = time.monotonic() - began
        ours.append(100 * (total(fleet) - used) / took)
        bare.append(100 * (total([floor]) - idle) / took)
    spawned = last_pid() - started
    quiet = sum(cmdline(process) == b"sleep\x00100000\x00" for process in processes())
    if not Path(f"/proc/{pid}").exists() or quiet != AGENTS:
        raise AssertionError(f"{name}: {quiet} agents are left")
    cpu = Result(
        name=f"{name}: CPU of all its processes, {SECONDS:.0f} s",
        unit="%",
        ours=median(ours),
        floor=median(bare),
        limit=limit,
        absolute=True,
        samples=SAMPLES,
    )
    spawns = Result(name=f"{name}: spawned", unit="processes", ours=spawned, floor=0, limit=0, absolute=True, samples=1)
    return [cpu, spawns]


def processes() -> list[int]:
    """Return the namespace's processes."""
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def cmdline(pid: int) -> bytes:
    """Return a process's words."""
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def total(pids: list[int]) -> float:
    """Return the CPU seconds of processes together."""
    return sum(cpu_seconds(pid) for pid in pids)


def last_pid() -> int:
    """Return the number of the namespace's youngest process or thread."""
    return int(Path("/proc/sys/kernel/ns_last_pid").read_text())


@contextmanager
def headless(root: Path) -> Iterator[Core]:
    """Run the headless core; its agents stay when it ends."""
    process = subprocess.Popen((*OMNI, "--fleet", str(root), "--headless", "--json"), stdout=subprocess.PIPE)
    core = Core(process)
    core.wait_for(lambda event: event["event"] == "workspace.opened")
    yield core
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=PATIENCE)


@contextmanager
def cockpit(root: Path) -> Iterator[int]:
    """Open the cockpit in a terminal that is read; give its process id."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 140, 0, 0))
    argv = (*OMNI, "--fleet", str(root))
    environment = {**os.environ, "TERM": "xterm-256color"}
    process = subprocess.Popen(
        argv, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
    )
    os.close(theirs)
    threading.Thread(target=drain, args=(ours,), daemon=True).start()
    yield process.pid
    process.kill()
    process.wait()


def drain(terminal: int) -> None:
    """Read what a terminal shows, so that it never stops."""
    try:
        while os.read(terminal, 65536):
            pass
    except OSError:
        return  # EIO: its last program has gone


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(inside(Path(sys.argv[1]))))
