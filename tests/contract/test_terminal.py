"""The contract of the terminal slot, and visits to real agents from a real pty, inside a tmux and outside."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import termios
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from omni_tui.plugins.runtime.attach import BACK_KEY
from omni_tui.plugins.terminal.protocol import Terminal, Visit
from omni_tui.plugins.terminal.tmux import TmuxTerminal
from omni_tui.simulation.terminal import FakeTerminal
from tests.support.runtimes import Bench, wait_for_screen
from tests.support.waiting import wait_for_async

OUTSIDE = {"TERM": "xterm-256color", "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
INSIDE = {**OUTSIDE, "TMUX": "/tmp/another/socket,1,0", "TMUX_PANE": "%0"}
F12 = b"\x1b[24~"


@pytest.fixture(params=[TmuxTerminal, FakeTerminal])
def terminal(request: pytest.FixtureRequest) -> Terminal:
    made: Terminal = request.param()
    return made


@pytest.mark.parametrize("environment", [OUTSIDE, INSIDE])
def test_a_visit_runs_the_attach_command_and_tells_the_way_back(
    terminal: Terminal, environment: dict[str, str]
) -> None:
    visit = terminal.visit(("tmux", "-S", "x", "attach-session"), environment)
    assert visit.argv == ("tmux", "-S", "x", "attach-session")
    assert visit.env == OUTSIDE
    assert visit.way_back


def test_the_way_back_fits_the_way_there() -> None:
    terminal = TmuxTerminal()
    assert "F12" in terminal.visit(("/usr/bin/tmux", "attach"), OUTSIDE).way_back
    assert "Ctrl-b Ctrl-b d" in terminal.visit(("/usr/bin/tmux", "attach"), INSIDE).way_back
    assert "Ctrl-]" in terminal.visit((sys.executable, "-m", "attach"), INSIDE).way_back


class Person:
    """Somebody at a terminal of 100 x 30 in which a visit runs."""

    def __init__(self, visit: Visit, typed_ahead: bytes = b"") -> None:
        self.master, slave = pty.openpty()
        os.write(self.master, typed_ahead)
        termios.tcsetwinsize(slave, (30, 100))
        self.before = termios.tcgetattr(slave)
        self.seen = b""
        # setsid -c makes the pty the controlling terminal, as a login does.
        setsid = (str(shutil.which("setsid")), "-c", "-w")
        self.process = subprocess.Popen((*setsid, *visit.argv), stdin=slave, stdout=slave, stderr=slave, env=visit.env)
        self.slave = slave

    def look(self) -> bytes:
        """Take in what came, and return all that was seen so far."""
        while select.select([self.master], [], [], 0)[0]:
            self.seen += os.read(self.master, 65536)
        return self.seen

    def press(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def leave(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture(params=["tmux", "process"])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(request.param, tmp_path / "fleet")
    yield made
    await made.clean_up()


@pytest.fixture
def people() -> Iterator[list[Person]]:
    came: list[Person] = []
    yield came
    for person in came:
        person.leave()


@pytest.mark.parametrize("environment", [OUTSIDE, INSIDE])
async def test_a_person_visits_types_and_comes_back(
    bench: Bench, people: list[Person], environment: dict[str, str]
) -> None:
    runtime = bench.runtime()
    handle = await bench.start(runtime, "parrot")
    person = Person(TmuxTerminal().visit(runtime.attach_command(handle), environment))
    people.append(person)
    await wait_for_async(person.look, "the first frame")
    person.press(b"hello\r")
    await wait_for_async(lambda: b"heard: hello" in person.look(), "the answer on the visitor's terminal")
    await wait_for_screen(runtime, handle, "heard: hello")
    screen = await runtime.screen(handle)
    assert screen.columns == 100, "the agent's terminal follows the visitor's"
    person.press(F12 if bench.kind == "tmux" else BACK_KEY)
    await wait_for_async(lambda: person.look() and person.process.poll() is not None, "the way back")
    assert person.process.returncode == 0
    assert runtime.alive(handle)
    assert termios.tcgetattr(person.slave)[3] == person.before[3], "the terminal echoes again"


async def test_the_way_back_is_a_key_however_fast_it_follows_others(bench: Bench, people: list[Person]) -> None:
    runtime = bench.runtime()
    handle = await bench.start(runtime, "parrot")
    person = Person(TmuxTerminal().visit(runtime.attach_command(handle), OUTSIDE))
    people.append(person)
    await wait_for_async(person.look, "the first frame")
    person.press(b"fast" + (F12 if bench.kind == "tmux" else BACK_KEY))
    await wait_for_async(lambda: person.look() and person.process.poll() is not None, "the way back")


async def test_what_was_typed_before_the_first_frame_arrives(bench: Bench, people: list[Person]) -> None:
    runtime = bench.runtime()
    handle = await bench.start(runtime, "parrot")
    people.append(Person(TmuxTerminal().visit(runtime.attach_command(handle), OUTSIDE), b"hello\n"))
    await wait_for_async(lambda: b"heard: hello" in people[0].look(), "the answer to what was typed ahead")


async def test_a_visitor_s_terminal_gets_no_clipboard_write(bench: Bench, people: list[Person]) -> None:
    runtime = bench.runtime()
    handle = await bench.start(runtime, "sh", "-c", r"read -r x; printf 'a\033]52;c;cm0gLXJm\007b\n'; sleep 100")
    person = Person(TmuxTerminal().visit(runtime.attach_command(handle), OUTSIDE))
    people.append(person)
    await wait_for_async(person.look, "the first frame")
    person.press(b"\r")
    await wait_for_async(lambda: b"ab" in person.look(), "what was printed around it")
    assert b"]52;" not in person.seen


async def test_the_end_of_the_agent_ends_the_visit_to_its_pty(tmp_path: Path, people: list[Person]) -> None:
    bench = Bench("process", tmp_path / "fleet")
    runtime = bench.runtime()
    handle = await bench.start(runtime, "say", "here")
    person = Person(TmuxTerminal().visit(runtime.attach_command(handle), OUTSIDE))
    people.append(person)
    await wait_for_async(lambda: b"here" in person.look(), "the frame")
    began = time.monotonic()
    await runtime.kill(handle, grace=1)
    await wait_for_async(lambda: person.look() and person.process.poll() is not None, "the visit's end")
    assert time.monotonic() - began < 5
    await bench.clean_up()
