"""The cockpit in a real terminal: in tmux with real keys, there and back, and when the terminal goes away."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.waiting import wait_for

PROGRAM = "tests.support.cockpit_program"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Return a way to a private tmux server, which ends with the test."""
    socket = tmp_path / "t"

    def run(*words: str) -> str:
        done = subprocess.run(["tmux", "-S", str(socket), *words], capture_output=True, text=True, check=True)
        return done.stdout

    program = f"exec {sys.executable} -m {PROGRAM} {tmp_path}"
    run("-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "30", "-c", str(ROOT), program)
    yield run
    subprocess.run(["tmux", "-S", str(socket), "kill-server"], capture_output=True, timeout=10)


def test_there_and_back_again(tmux: Callable[..., str], tmp_path: Path) -> None:
    def sees(word: str) -> None:
        wait_for(lambda: word in tmux("capture-pane", "-p"), word, 30)

    sees("Running pytest")
    tmux("send-keys", "a")
    sees("visiting shop/shop-12")
    assert "Enter brings you back" in tmux("capture-pane", "-p")
    tmux("send-keys", "Enter")
    sees("sh ended with status 3.")
    tmux("send-keys", "n")
    sees("permission for Bash(rm -r build)")
    tmux("send-keys", "x")
    sees("Kill the agent of docs-3?")
    tmux("send-keys", "n", "q")
    wait_for((tmp_path / "closed").exists, "the end", 15)


def test_a_terminal_that_goes_away_ends_the_cockpit(tmp_path: Path) -> None:
    main, side = pty.openpty()
    fcntl.ioctl(main, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    os.set_blocking(main, False)
    process = subprocess.Popen(
        [sys.executable, "-m", PROGRAM, str(tmp_path)],
        stdin=side,
        stdout=side,
        stderr=side,
        cwd=ROOT,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 (no thread runs here)
        env={**os.environ, "TERM": "xterm-256color"},
    )
    os.close(side)
    seen = bytearray()

    def painted() -> bool:
        with suppress(BlockingIOError):
            seen.extend(os.read(main, 65536))
        return b"Running pytest" in seen

    try:
        wait_for(painted, "the agent's screen", 30)
        os.close(main)  # the kernel sends SIGHUP, and every later write fails
        wait_for((tmp_path / "closed").exists, "the end", 15)
        process.wait(timeout=15)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
