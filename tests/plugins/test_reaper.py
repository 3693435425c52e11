"""The reaper: nothing of its tree outlives it, whatever it did to its session and environment."""

from __future__ import annotations

import os
import signal
import subprocess

import psutil

from omni_tui.plugins.runtime.isolation import MARKER
from tests.support.waiting import wait_for

SLEEPER = "27182818"


def sleepers(tag: str) -> list[int]:
    command = ["sleep", f"{SLEEPER}.{tag}"]
    return [process.pid for process in psutil.process_iter(["cmdline"]) if process.info["cmdline"] == command]


def reap(script: str) -> subprocess.Popen[str]:
    return subprocess.Popen((*MARKER.command, "sh", "-c", script), stdout=subprocess.PIPE, text=True)


def escape(tag: str) -> str:
    """Return shell by which two processes leave the session, the environment, and their parents."""
    sleep = f"sleep {SLEEPER}.{tag} >&-"
    return f"(setsid env -i sh -c '({sleep} &) ; ({sleep} &)' &)"


def test_what_is_left_goes_with_the_program_whose_status_it_tells() -> None:
    tag = f"1{os.getpid()}"
    child = reap(f"{escape(tag)}; while [ $(pgrep -fc '^sleep {SLEEPER}.{tag}') -lt 2 ]; do :; done; echo both; exit 7")
    assert child.communicate(timeout=20)[0] == "both\n"
    assert child.returncode == 7
    assert sleepers(tag) == []


def test_a_signal_that_ended_the_program_is_told_as_a_shell_does() -> None:
    child = reap("kill -KILL $$")
    child.communicate(timeout=20)
    assert child.returncode == 128 + signal.SIGKILL


def test_a_polite_signal_ends_it_all() -> None:
    tag = f"2{os.getpid()}"
    child = reap(f"trap '' TERM; {escape(tag)}; sleep {SLEEPER}.{tag} >&-")
    wait_for(lambda: len(sleepers(tag)) == 3, "all three sleep")
    child.terminate()
    child.communicate(timeout=20)
    assert child.returncode == 128 + signal.SIGTERM
    assert sleepers(tag) == []


def test_what_a_terminal_sends_is_for_the_program_alone() -> None:
    child = reap("trap 'echo caught; exit 3' INT; echo ready; while :; do sleep 0.02; done")
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    child.send_signal(signal.SIGINT)
    (program,) = psutil.Process(child.pid).children()
    program.send_signal(signal.SIGINT)
    assert child.communicate(timeout=20)[0] == "caught\n"
    assert child.returncode == 3


def test_python_leaves_no_ignored_signal_behind() -> None:
    child = reap("grep SigIgn /proc/self/status")
    ignored = int(child.communicate(timeout=20)[0].split()[1], 16)
    assert not ignored & 0x7FFFFFFF, "beyond are the C library's own"
